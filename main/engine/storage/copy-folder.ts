/**
 * Copies a folder of a guest or of a layer, and reads the copy back. Files stay sparse, are shared where the file system can, and what has
 * two names (a memory file that a snapshot and a suspended guest share) has them in the copy as well.
 */
import type { Stats } from 'node:fs';
import { chmod, link, lstat, readdir, utimes } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { syncFile, syncFolder, toWriteFailure } from '../files/durable.ts';
import { sha256OfFile } from '../files/file-hash.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import { copyMedium } from '../images/copy-medium.ts';
import { openMedium } from '../images/open-medium.ts';

type Found = { path: string; stats: Stats };
export type FolderContent = { folders: Found[]; files: Found[]; bytes: number; allocatedBytes: number };

/** @throws Failure `image/not-a-file` for what is neither a file nor a folder and could not be copied, `image/file-missing` */
export async function contentOf(folder: string): Promise<FolderContent> {
  const content: FolderContent = { folders: [], files: [], bytes: 0, allocatedBytes: 0 };
  const seen = new Set<string>();
  const walk = async (path: string): Promise<void> => {
    const stats = await lstat(path).catch((thrown: NodeJS.ErrnoException) => {
      throw new Failure('image/file-missing', `${path} cannot be read.`, { detail: thrown.message });
    });
    if (stats.isDirectory()) {
      content.folders.push({ path, stats });
      for (const name of await readdir(path)) await walk(join(path, name));
    } else if (stats.isFile()) {
      content.files.push({ path, stats });
      if (seen.has(identityOf(stats))) return;
      seen.add(identityOf(stats));
      content.bytes += stats.size;
      content.allocatedBytes += Math.min(stats.size, stats.blocks * 512);
    } else if (!stats.isSocket()) {
      throw new Failure('image/not-a-file', `${path} is neither a file nor a folder, and is not moved.`, { hint: 'Move it away by hand.' });
    }
  };
  await walk(folder);
  return content;
}

export type CopyFolderOptions = {
  from: string;
  /** Is made; what is there of a copy that was begun must have been removed. */
  to: string;
  keepFreeBytes: number;
  signal: AbortSignal;
  /** Bytes copied or read back since the last time. */
  onBytes(bytes: number): void;
};

/**
 * Makes the copy, durable, and reads back every byte of it.
 * @throws Failure `store/full`, `store/not-writable`, `image/changed`, `image/corrupt` when what is read back differs
 */
export async function copyFolder({ from, to, keepFreeBytes, signal, onBytes }: CopyFolderOptions): Promise<void> {
  const content = await contentOf(from);
  const copies = new Map<string, string>();
  const targetOf = (path: string) => join(to, relative(from, path));
  try {
    for (const { path } of content.folders) makePrivateFolder(targetOf(path));
    for (const { path, stats } of content.files) {
      signal.throwIfAborted();
      const target = targetOf(path);
      const copied = copies.get(identityOf(stats));
      if (copied !== undefined) await link(copied, target);
      else await copyOne(path, target, stats, { keepFreeBytes, signal, onBytes });
      copies.set(identityOf(stats), target);
    }
    for (const { path, stats } of [...content.folders].reverse()) {
      await syncFolder(targetOf(path));
      await chmod(targetOf(path), stats.mode & 0o777);
      await utimes(targetOf(path), stats.atime, stats.mtime);
    }
  } catch (thrown) {
    throw toWriteFailure(thrown, to);
  }
}

async function copyOne(
  path: string,
  target: string,
  stats: Stats,
  { keepFreeBytes, signal, onBytes }: Pick<CopyFolderOptions, 'keepFreeBytes' | 'signal' | 'onBytes'>,
): Promise<void> {
  const told = teller(onBytes);
  const medium = await openMedium(path);
  let sha256: string;
  try {
    sha256 = await copyMedium({ source: medium.file, sourcePath: path, target, keepFreeBytes, signal, onProgress: told });
  } finally {
    await medium.file.close();
  }
  await syncFile(target);
  if ((await sha256OfFile(target, signal, teller(onBytes))) !== sha256) {
    throw new Failure('image/corrupt', `The copy of ${path} did not come out right, so it stays where it is.`, {
      hint: 'Check the disk to which it was to be moved.',
    });
  }
  await chmod(target, stats.mode & 0o777);
  await utimes(target, stats.atime, stats.mtime);
}

/** From "so many of this file" to "so many more". */
function teller(onBytes: (bytes: number) => void): (done: number) => void {
  let before = 0;
  return (done) => {
    onBytes(done - before);
    before = done;
  };
}

const identityOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`;
