/** Opens a file that the user named, without trusting what stands behind the name. */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { awayFileFailure } from '../files/moved-folder.ts';

export type OpenMedium = {
  file: FileHandle;
  /** The path as the user gave it. */
  path: string;
  /** Where it really is: another path when the user's is a link. */
  realPath: string;
  sizeBytes: number;
  /** Changes when the file is written to or replaced. */
  identity: string;
};

/**
 * Opens a regular file for reading. A link is followed once, here, so that what is inspected, copied and used is the same file.
 * @throws Failure `image/file-missing`, `image/not-a-file`, `image/unreadable`, `storage/location-away`.
 */
export async function openMedium(path: string): Promise<OpenMedium> {
  if (!isAbsolute(path) || path.includes('\0'))
    throw new Failure('image/file-missing', 'The path of a medium must be absolute.', { path: 'path' });
  let realPath: string;
  try {
    realPath = await realpath(path);
  } catch (error) {
    throw (await awayFileFailure(path, path)) ?? openFailure(error, path);
  }
  let file: FileHandle;
  try {
    // A FIFO would block the open, and a device could do anything on it; both are refused before.
    await mustBeRegular(realPath, path);
    file = await open(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw openFailure(error, path);
  }
  try {
    const found = await file.stat({ bigint: true });
    if (!found.isFile()) throw notAFile(path, 'is not a regular file');
    const identity = [realPath, found.dev, found.ino, found.size, found.mtimeNs].join('|');
    return { file, path, realPath, sizeBytes: Number(found.size), identity };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function mustBeRegular(realPath: string, path: string): Promise<void> {
  const found = await lstat(realPath);
  if (found.isDirectory()) throw notAFile(path, 'is a folder');
  if (!found.isFile()) throw notAFile(path, 'is not a regular file');
}

function notAFile(path: string, what: string): Failure {
  return new Failure('image/not-a-file', `${path} ${what}.`, { hint: 'Choose an ISO or a disk image.', path: 'path' });
}

function openFailure(error: unknown, path: string): unknown {
  if (error instanceof Failure) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const more = { detail: String(error), path: 'path' };
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new Failure('image/file-missing', `There is no file ${path}.`, {
      hint: 'Check the path; the file may have been moved.',
      ...more,
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new Failure('image/unreadable', `${path} cannot be read: it belongs to another user.`, {
      hint: 'Copy it to a folder of your own, or change its permissions.',
      ...more,
    });
  }
  return new Failure('image/unreadable', `${path} cannot be read.`, more);
}
