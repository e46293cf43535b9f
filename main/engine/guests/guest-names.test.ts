import { expect, test } from 'vitest';
import { guestNameProblem } from '../../../contract/guest-spec.ts';
import { freeName, nameKey } from './guest-names.ts';

test('names that look the same are the same', () => {
  expect(nameKey('Debian')).toBe(nameKey('debian'));
  expect(nameKey('Café')).toBe(nameKey('Cafe\u0301'));
  expect(nameKey('a')).not.toBe(nameKey('b'));
});

test('a taken name gets the first free number and stays a name', () => {
  const taken = new Set(['a', 'a (2)']);
  expect(freeName('a', (name) => taken.has(name))).toBe('a (3)');
  const long = '👻'.repeat(120);
  const free = freeName(long, (name) => name === long);
  expect(free.endsWith(' (2)')).toBe(true);
  expect(guestNameProblem(free)).toBe(null);
});
