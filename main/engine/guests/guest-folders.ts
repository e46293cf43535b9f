/** Makes and moves guests' folders, which hold all that is theirs; disks used in place lie elsewhere and are never touched. */
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder, toWriteFailure } from '../files/durable.ts';
import { isNamed } from '../files/moved-folder.ts';
import { makePrivateFolder } from '../files/private-folder.ts';

/** Makes the folder of a new guest, durably. Idempotent. @throws Failure `store/full`, `store/not-writable` */
export async function makeGuestFolder(folder: string): Promise<void> {
  try {
    makePrivateFolder(folder);
    await syncFolder(dirname(folder));
  } catch (thrown) {
    throw toWriteFailure(thrown, folder);
  }
}

/**
 * Renames a folder, or the link to one in another location, which need not be there; a guest without one (it was never written to) has nothing
 * to move. Idempotent.
 */
export async function moveFolder(from: string, to: string): Promise<void> {
  if (!isNamed(from)) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await rename(from, to);
}
