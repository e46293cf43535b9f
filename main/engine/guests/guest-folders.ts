/** Moves guests' folders, which hold all that is theirs; disks used in place lie elsewhere and are never touched. */
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isNamed } from '../files/moved-folder.ts';

/**
 * Renames a folder, or the link to one in another location, which need not be there; a guest without one (it was never written to) has nothing
 * to move. Idempotent.
 */
export async function moveFolder(from: string, to: string): Promise<void> {
  if (!isNamed(from)) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await rename(from, to);
}
