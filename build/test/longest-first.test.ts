import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TestSpecification, Vitest } from 'vitest/node';
import { projectRoot } from '../places.ts';
import { LongestFirst, lateFiles, longFiles, shares } from './longest-first.ts';

test('every file that is started first or last exists, and is named once', () => {
  const named = [...longFiles, ...lateFiles];
  expect(named.filter((file) => !existsSync(join(projectRoot, file)))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
});

test('the two shares of a suite hold each of its files once, the late ones in the second', async () => {
  const names = globSync('tests/integration/*.test.ts', { cwd: projectRoot });
  const files = names.map((name) => ({ moduleId: join(projectRoot, name) })) as unknown as TestSpecification[];
  const share = async (told: string) => {
    const [index, count] = told.split('/').map(Number);
    const vitest = { config: { root: projectRoot, shard: { index, count } } } as unknown as Vitest;
    return (await new LongestFirst(vitest).shard(files)).map(({ moduleId }) => moduleId.slice(projectRoot.length + 1));
  };
  const [early, late] = [await share(shares.early), await share(shares.late)];
  expect(late.toSorted()).toEqual(lateFiles.toSorted());
  expect([...early, ...late].toSorted()).toEqual(names.toSorted());
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
