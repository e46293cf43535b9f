import { expect, test } from 'vitest';
import { resolveName } from './names.ts';

const guests = [
  { id: 'g1', name: 'Debian 12' },
  { id: 'g2', name: 'debian 12 copy' },
  { id: 'g3', name: 'Windows 11' },
  { id: 'g4', name: 'WINDOWS 11' },
];
const find = (wanted: string) =>
  resolveName(guests, wanted, { noun: 'guest', notFound: 'guest/not-found', ambiguous: 'guest/ambiguous' }).id;

test('an id, an exact name, and a name in another case find the guest', () => {
  expect(find('g2')).toBe('g2');
  expect(find('Windows 11')).toBe('g3');
  expect(find('debian 12')).toBe('g1');
});

test('a name that several guests have in other cases is ambiguous, with the ids to choose from', () => {
  expect(() => find('windows 11')).toThrow(
    expect.objectContaining({
      error: { code: 'guest/ambiguous', message: '2 guests are called “windows 11”.', hint: 'Use an id: g3, g4.' },
    }),
  );
});

test('a slip of the finger is answered with the names that come near', () => {
  expect(() => find('Debain 12')).toThrow(
    expect.objectContaining({ error: expect.objectContaining({ code: 'guest/not-found', hint: 'Did you mean “Debian 12”?' }) }),
  );
});

test('a name like no other is answered with how to see all', () => {
  expect(() => find('router')).toThrow(
    expect.objectContaining({ error: expect.objectContaining({ hint: '“guesthouse guest list” shows all.' }) }),
  );
});
