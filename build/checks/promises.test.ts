import { expect, test } from 'vitest';
import { findBrokenPromises } from './promises.ts';

const files = [
  { path: 'main/lock.ts', text: '/**\n * INVARIANT: one at a time (`lock.test.ts`, tests/integration/lock.test.ts).\n */' },
  { path: 'main/lock.test.ts', text: '// `nowhere.test.ts`' },
  { path: 'tests/integration/lock.test.ts', text: '' },
  { path: 'docs/threats.md', text: '| a stolen key | `main/lock.test.ts` |\n| a lost key | `main/gone.test.ts` |' },
];

test('a document or comment that names a test that does not exist is found, with its line', () => {
  expect(findBrokenPromises(files)).toEqual(['docs/threats.md:2: names main/gone.test.ts as its check, which does not exist.']);
});

test('patterns of test files are no promises', () => {
  expect(findBrokenPromises([{ path: 'vitest.ts', text: "// '**/*.test.ts' are found by name\nconst all = `*.test.ts`;" }])).toEqual([]);
});
