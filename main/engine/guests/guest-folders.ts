/** Moves and removes guests' folders, which hold all that is theirs; disks used in place lie elsewhere and are never touched. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Renames a folder; a guest without one (it was never written to) has nothing to move. Idempotent. */
export async function moveFolder(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await rename(from, to);
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}
