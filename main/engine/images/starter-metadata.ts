/** The starter guest's description, which set-up writes beside its disk. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { firmwareKind, osIdentity } from '../../../contract/guest-spec.ts';

const starterMetadata = z.object({
  name: z.string().min(1).max(200),
  os: osIdentity,
  firmware: z.array(firmwareKind).min(1),
  minimumMemoryMiB: z.number().int().positive(),
  recommendedMemoryMiB: z.number().int().positive(),
  disk: z.object({ file: z.string(), sizeBytes: z.number().int(), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  builtAt: z.string(),
});
export type StarterMetadata = z.infer<typeof starterMetadata>;

export const starterFile = { disk: 'starter.qcow2', metadata: 'starter.json' };

/** Null when there is none or it is damaged. */
export async function readStarterMetadata(path: string): Promise<StarterMetadata | null> {
  try {
    return starterMetadata.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/** The description that lies beside a disk, when it is about that very disk. */
export async function starterMetadataBeside(diskPath: string, sizeBytes: number): Promise<StarterMetadata | null> {
  const found = await readStarterMetadata(join(dirname(diskPath), starterFile.metadata));
  return found && found.disk.file === basename(diskPath) && found.disk.sizeBytes === sizeBytes ? found : null;
}
