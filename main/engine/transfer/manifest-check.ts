/** Holds the files of a machine against its manifest. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { fileSource, slice } from '../images/byte-source.ts';
import { openMedium } from '../images/open-medium.ts';
import { machineDiskRef } from './machine-disk.ts';
import { checkHash, manifestEntry } from './manifest.ts';
import type { FoundMachine } from './open-machine.ts';

/** A hash with the file or member that must have it. */
export const manifestHash = z.object({ entry: manifestEntry, ref: machineDiskRef });
export type ManifestHash = z.infer<typeof manifestHash>;

/** Of the disks that the manifest names. */
export function hashesOf({ manifest, disks }: Pick<FoundMachine, 'manifest' | 'disks'>): ManifestHash[] {
  return (manifest ?? []).flatMap((entry) => {
    const ref = disks.find((disk) => disk.ref?.name === entry.file)?.ref;
    return ref ? [{ entry, ref }] : [];
  });
}

/** Reads all files that have a hash. @throws Failure `machine/wrong-hash` naming the first that has another; or the signal's reason. */
export async function checkHashes(
  hashes: readonly ManifestHash[],
  signal: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const sizes = await Promise.all(hashes.map(async ({ ref }) => ref.member?.sizeBytes ?? (await stat(ref.path)).size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  for (const { entry, ref } of hashes) {
    const medium = await openMedium(ref.path);
    try {
      const whole = fileSource(medium.file, medium.sizeBytes);
      const source = ref.member ? slice(whole, ref.member.offset, ref.member.sizeBytes) : whole;
      await checkHash(source, entry, signal, (bytes) => {
        done += bytes;
        onProgress(done, total);
      });
    } finally {
      await medium.file.close();
    }
  }
}
