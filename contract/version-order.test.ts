import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nameKey, versionKey } from './version-order.ts';

test('versions sort as numbers and not as text', () => {
  const inOrder = ['3.9', '3.19', '12', '12.0.1', '12.5', '13', '22.04', '22.10'];
  expect([...inOrder].reverse().sort((one, other) => ((versionKey(one) ?? '') < (versionKey(other) ?? '') ? -1 : 1))).toEqual(inOrder);
});

test('two numbers are in the same order as their versions', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), (one, other) => {
      const [a, b] = [versionKey(String(one)) ?? '', versionKey(String(other)) ?? ''];
      expect(Math.sign(one - other)).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test('a version without a digit or a letter has no place', () => {
  expect(versionKey(null)).toBeNull();
  expect(versionKey('…')).toBeNull();
});

test('names with numbers sort by them', () => {
  const names = ['Guest 2', 'guest 10', 'Guest 100'];
  expect([...names].reverse().sort((one, other) => (nameKey(one) < nameKey(other) ? -1 : 1))).toEqual(names);
});
