import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpuCount, guestName, guestNameProblem } from './guest-spec.ts';

test('ordinary names of every script are taken as they are', () => {
  for (const name of ['Debian 12', 'build, box #3', 'Ærø (test)', 'ديبيان', '開発機', '🐧 penguin', '-x', "it's", 'a'.repeat(120)]) {
    expect(guestNameProblem(name), name).toBeNull();
  }
});

test.each([
  ['', /needs a name/],
  ['   ', /needs a name/],
  [' x', /begin or end/],
  ['..', /only dots/],
  ['a/b', /slash/],
  ['a\\b', /slash/],
  ['a\nb', /line break/],
  ['a\u0000b', /control character/],
  ['a\u2028b', /line break/],
  ['x'.repeat(300), /120 characters at most; this one has 300/],
])('the name %j is refused with the reason', (name, reason) => {
  expect(guestNameProblem(name)).toMatch(reason);
});

test('length is counted in characters, so that emoji count once', () => {
  expect(guestNameProblem('🐧'.repeat(120))).toBeNull();
  expect(guestNameProblem('🐧'.repeat(121))).toMatch(/121/);
});

test('the schema accepts exactly the names that have no problem', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 140 }), (name) => {
      expect(guestName.safeParse(name).success).toBe(guestNameProblem(name) === null);
    }),
  );
});

test('a topology makes sockets × cores × threads processors', () => {
  expect(cpuCount({ sockets: 2, cores: 3, threads: 2 })).toBe(12);
});
