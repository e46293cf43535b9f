import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guestNameProblem } from '../../../contract/guest-spec.ts';
import { nicOf, specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { nameKey } from '../guests/guest-names.ts';
import { cloneNames } from './clone-names.ts';
import { cloneSpec, takenBy } from './clone-spec.ts';

const free = () => false;
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'fine';
  } catch (thrown) {
    return (thrown as { error: { code: string } }).error.code;
  }
};

test('a pattern counts from one, with zeros in front where it has several letters, and passes over names that are taken', () => {
  expect(cloneNames('web-{n}', 3, free)).toEqual(['web-1', 'web-2', 'web-3']);
  expect(cloneNames('{nnn}.web', 2, free)).toEqual(['001.web', '002.web']);
  expect(cloneNames('web-{n}', 2, (name) => ['web-1', 'web-3'].includes(name))).toEqual(['web-2', 'web-4']);
});

test('one clone has the name that it was given; several without a counter get one', () => {
  expect(cloneNames('web', 1, free)).toEqual(['web']);
  expect(cloneNames('web', 2, free)).toEqual(['web-1', 'web-2']);
});

test('a name that is taken, one that cannot be and a pattern that grows too long are refused', () => {
  expect(codeOf(() => cloneNames('web', 1, () => true))).toBe('guest/name-taken');
  expect(codeOf(() => cloneNames('a/{n}', 2, free))).toBe('guest/name-invalid');
  expect(codeOf(() => cloneNames(`${'x'.repeat(117)}{n}`, 1000, free))).toBe('guest/name-invalid');
  expect(codeOf(() => cloneNames('web-{n}', 1, () => true))).toBe('guest/name-taken');
});

test('names never clash, whatever is taken', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.array(fc.integer({ min: 1, max: 80 })), (count, taken) => {
      const before = new Set(taken.map((number) => nameKey(`Web ${number}`)));
      const names = cloneNames('web {n}', count, (name) => before.has(nameKey(name)));
      expect(new Set(names.map(nameKey)).size).toBe(count);
      for (const name of names) expect([before.has(nameKey(name)), guestNameProblem(name)]).toEqual([false, null]);
    }),
  );
});

test('a clone has a UUID, addresses and ports of its own, and does not start by itself', () => {
  const forward = { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestPort: 22 } as const;
  const original = specOf({ autostart: true, favourite: true, tags: ['a'], nics: [nicOf({ forwards: [forward] })] });
  const taken = takenBy([original]);
  const clones = [cloneSpec(original, 'one', taken), cloneSpec(original, 'two', taken)];
  const all = [original, ...clones];
  expect(new Set(all.map((spec) => spec.uuid)).size).toBe(3);
  expect(new Set(all.map((spec) => spec.nics[0]?.mac)).size).toBe(3);
  expect(all.map((spec) => spec.nics[0]?.forwards[0]?.hostPort)).toEqual([2222, 2223, 2224]);
  for (const spec of clones) expect(spec).toMatchObject({ autostart: false, favourite: false, tags: ['a'] });
});
