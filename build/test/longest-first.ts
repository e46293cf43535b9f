/**
 * Starts the test files first that take the longest: files run side by side, and the last one to begin decides when all are done. On a
 * computer that has run none of them vitest knows nothing but their sizes, which say nothing about waiting for a guest.
 */
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { projectRoot } from '../places.ts';

/** What takes about a minute or more on two cores without hardware acceleration, the longest first. */
export const longFiles: readonly string[] = [
  'tests/integration/layers-live.test.ts',
  'tests/integration/capsule-snapshots.test.ts',
  'tests/integration/hardware-live.test.ts',
  'tests/integration/starter.test.ts',
  'tests/integration/snapshots-live.test.ts',
  'tests/integration/spice-client.test.ts',
  'tests/integration/snapshots-property.test.ts',
  'tests/integration/machine-boot-test.test.ts',
  'tests/integration/spice-fuzz.test.ts',
  'tests/integration/cloud-init.test.ts',
  'tests/integration/images-foreign.test.ts',
  'tests/e2e/console-migration.test.ts',
  'tests/e2e/console-reconnect.test.ts',
  'tests/e2e/console.test.ts',
  'tests/e2e/console-window.test.ts',
  'tests/e2e/sound.test.ts',
  'tests/e2e/spice-packings.test.ts',
  'tests/e2e/accessibility.test.ts',
  'tests/e2e/quit.test.ts',
  'tests/e2e/recording.test.ts',
  'tests/e2e/cloning.test.ts',
  'tests/e2e/hardware.test.ts',
  'tests/e2e/images.test.ts',
];

/**
 * Short files of the integration suite, which `./test` runs in the place of the windows' files when those are done: together so long that both
 * sides end at about the same time, or the cores would have too little to do for the last three minutes.
 */
export const lateFiles: readonly string[] = [
  'tests/integration/guests-lifecycle.test.ts',
  'tests/integration/unattended.test.ts',
  'tests/integration/image-catalogue.test.ts',
  'tests/integration/guests-crash.test.ts',
  'tests/integration/snapshots-offline.test.ts',
];

/** What `--shard` is told to get all but {@link lateFiles}, and those alone. */
export const shares = { early: '1/2', late: '2/2' } as const;

/** To be given to `sequence.sequencer` in vitest.config.ts. */
export class LongestFirst extends BaseSequencer {
  override async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { index, count } = this.ctx.config.shard ?? { index: 1, count: 1 };
    if (count !== 2) return super.shard(files);
    return files.filter(({ moduleId }) => lateFiles.includes(nameOf(moduleId)) === (index === 2));
  }

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // Stable, so that what is not in the list keeps its order, and each project its place.
    return sorted.sort((one, other) => (one.project.name === other.project.name ? rank(one.moduleId) - rank(other.moduleId) : 0));
  }
}

function rank(path: string): number {
  const place = longFiles.indexOf(nameOf(path));
  return place === -1 ? longFiles.length : place;
}

const nameOf = (path: string) => relative(projectRoot, path).replaceAll('\\', '/');
