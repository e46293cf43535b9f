/** Folders that no disk is waited for. */
import { mkdtempSync, statfsSync } from 'node:fs';

const memory = '/dev/shm';

/**
 * Makes a folder in memory, with a short path, where `roomBytes` are free there, else in /tmp. For tests of what is done in which order and not
 * of the disk: an engine syncs so much that most of such a test's time is the disk's.
 */
export function folderInMemory(roomBytes: number): string {
  return mkdtempSync(`${hasRoom(roomBytes) ? memory : '/tmp'}/gh-`);
}

function hasRoom(roomBytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(memory);
    return bavail * bsize >= roomBytes;
  } catch {
    // Only Linux has such a folder.
    return false;
  }
}
