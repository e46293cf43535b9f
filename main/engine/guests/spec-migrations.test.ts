import { expect, test } from 'vitest';
import { specOf } from '../drivers/qemu/arguments/golden-specs.ts';
import { parseStoredSpec } from './spec-migrations.ts';

test('a spec comes back as it was stored', () => {
  const spec = specOf();
  expect(parseStoredSpec(JSON.stringify(spec))).toEqual(spec);
});

test('a spec of a newer version is refused, not cut down', () => {
  expect(() => parseStoredSpec(JSON.stringify({ ...specOf(), version: 99 }))).toThrow('newer Guesthouse');
});

test('what is not a spec is said to be damaged', () => {
  for (const json of ['', '{', 'null', '[]', '{"version":0}', JSON.stringify({ ...specOf(), memoryMiB: 'much' })]) {
    expect(() => parseStoredSpec(json), json).toThrow(/hardware of a guest/);
  }
});
