import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TestSpecification, Vitest } from 'vitest/node';
import { projectRoot } from '../places.ts';
import { LongestFirst, longFiles } from './longest-first.ts';

test('every file that is started first exists, and is named once', () => {
  expect(longFiles.filter((file) => !existsSync(join(projectRoot, file)))).toEqual([]);
  expect(new Set(longFiles).size).toBe(longFiles.length);
});

test('without a word about earlier runs the longest files come first, and each suite keeps its place', async () => {
  const cache = { getTestSpecificationResult: () => undefined, getFileStats: () => undefined };
  const sequencer = new LongestFirst({ cache, config: { root: projectRoot } } as unknown as Vitest);
  const file = (name: string, suite: string) =>
    ({
      moduleId: join(projectRoot, name),
      project: { name: suite, config: { sequence: { groupOrder: 0 }, isolate: true } },
    }) as unknown as TestSpecification;
  const slow = longFiles.map((name) => file(name, 'integration'));
  const quick = file('tests/integration/libvirt-xml.test.ts', 'integration');
  const sorted = await sequencer.sort([quick, ...slow.toReversed(), file('build/reference.test.ts', 'unit')]);
  expect(sorted.map(({ moduleId }) => moduleId.slice(projectRoot.length + 1))).toEqual([
    ...longFiles,
    'tests/integration/libvirt-xml.test.ts',
    'build/reference.test.ts',
  ]);
});
