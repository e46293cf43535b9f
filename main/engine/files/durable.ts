/** Files that are whole or absent, whatever happens: written under another name, forced to the disk, then renamed. */
import { constants, copyFile, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../../contract/errors.ts';

/** Forces a file's content to the disk. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Forces the names in a folder to the disk. Windows has no such thing and needs none. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await syncFile(path);
}

/** Gives a finished file its name. After this it is there even if the power fails. */
export async function moveIntoPlace(from: string, to: string): Promise<void> {
  await syncFile(from);
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Gives a file that is never changed in place a second name, or where that cannot be a copy. */
export async function shareFile(from: string, to: string): Promise<void> {
  await removeFile(to);
  await link(from, to).catch(async () => {
    await copyFile(from, `${to}.new`, constants.COPYFILE_FICLONE);
    await syncFile(`${to}.new`);
    await rename(`${to}.new`, to);
  });
}

/** Writes a small file whole. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/** Removes a file; one that is gone already is as good. */
export async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** An error of the file system as a {@link Failure} about writing to the store; anything else as it is. */
export function toWriteFailure(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof Error) || !('code' in thrown)) return thrown;
  const detail = thrown.message;
  if (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT') {
    return new Failure('store/full', `There is no room left to write ${path}.`, {
      hint: 'Free some space on that disk, then try again.',
      detail,
    });
  }
  if (thrown.code === 'EROFS' || thrown.code === 'EACCES' || thrown.code === 'EPERM') {
    return new Failure('store/not-writable', `${path} cannot be written.`, {
      hint: 'Check that the disk is mounted for writing and that the folder belongs to you.',
      detail,
    });
  }
  if (thrown.code === 'EFBIG') {
    return new Failure('store/full', `The file system cannot hold a file as large as ${path}.`, {
      hint: 'Keep the data folder on another file system.',
      detail,
    });
  }
  return thrown;
}
