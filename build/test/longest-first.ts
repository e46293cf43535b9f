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
  'tests/integration/snapshots-property.test.ts',
  'tests/integration/hardware-live.test.ts',
  'tests/integration/starter.test.ts',
  'tests/integration/snapshots-live.test.ts',
  'tests/integration/spice-client.test.ts',
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

/** To be given to `sequence.sequencer` in vitest.config.ts. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    // Stable, so that what is not in the list keeps its order, and each project its place.
    return sorted.sort((one, other) => (one.project.name === other.project.name ? rank(one.moduleId) - rank(other.moduleId) : 0));
  }
}

function rank(path: string): number {
  const place = longFiles.indexOf(relative(projectRoot, path).replaceAll('\\', '/'));
  return place === -1 ? longFiles.length : place;
}
