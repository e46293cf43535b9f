/** Opens a disk of another product with all the files that it is made of. */
import type { FileHandle } from 'node:fs/promises';
import { constants, lstat, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../../../contract/errors.ts';
import { fileSource } from '../byte-source.ts';
import type { OpenMedium } from '../open-medium.ts';
import type { DiskWindow, ForeignDisk, ForeignFormat, OpenSibling } from './foreign-disk.ts';
import { openVdi } from './vdi.ts';
import { openVhd } from './vhd.ts';
import { openVhdx } from './vhdx.ts';
import { openVmdk } from './vmdk.ts';

/** `identity` changes when any of its files is written to or replaced. */
export type OpenForeign = ForeignDisk & { identity(): Promise<string>; close(): Promise<void> };

/** `alone`: no other file is opened, whatever this one says. */
export type ForeignOptions = { fileName?: string; alone?: boolean };

/** Whatever a window is onto. @throws Failure `image/*` naming the file. */
export function openWindow(format: ForeignFormat, window: DiskWindow, fileName: string, sibling: OpenSibling): Promise<ForeignDisk> {
  switch (format) {
    case 'vmdk':
      return openVmdk(window, fileName, sibling);
    case 'vdi':
      return openVdi(window, fileName);
    case 'vhd':
      return openVhd(window, fileName);
    case 'vhdx':
      return openVhdx(window, fileName);
  }
}

/** Opens the disk that `medium` is the first or only file of. The medium stays the caller's to close. @throws Failure `image/*` */
export async function openForeign(medium: OpenMedium, format: ForeignFormat, options: ForeignOptions = {}): Promise<OpenForeign> {
  const fileName = options.fileName ?? basename(medium.realPath);
  const siblings: FileHandle[] = [];
  const close = async () => {
    await Promise.all(siblings.map((file) => file.close()));
  };
  const sibling: OpenSibling = async (name) => {
    if (options.alone) throw outside(fileName, `its data are in another file, ${name}, which is not in the archive.`);
    const { file, window } = await openBeside(dirname(medium.realPath), name, fileName);
    siblings.push(file);
    return window;
  };
  try {
    const window = { source: fileSource(medium.file, medium.sizeBytes), node: fileNode(medium.realPath) };
    const disk = await openWindow(format, window, fileName, sibling);
    const identity = async () => (await Promise.all([medium.file, ...siblings].map(identityOf))).join(';');
    return { ...disk, identity, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function openBeside(folder: string, name: string, fileName: string): Promise<{ file: FileHandle; window: DiskWindow }> {
  const path = join(folder, name);
  const found = await lstat(path).catch(() => null);
  if (!found) {
    throw new Failure('image/file-missing', `“${fileName}” cannot be used: ${name}, which holds its data, is not beside it.`, {
      hint: 'Copy all the files of the disk into one folder.',
      path: 'path',
    });
  }
  // A link could lead to any file of the host, and be one by now.
  if (!found.isFile()) throw outside(fileName, `${name}, which it names, is no regular file.`);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((thrown: unknown) => {
    throw new Failure('image/unreadable', `“${fileName}” cannot be used: ${name} cannot be read.`, {
      detail: String(thrown),
      path: 'path',
    });
  });
  const { size } = await file.stat();
  return { file, window: { source: fileSource(file, size), node: fileNode(path) } };
}

function outside(fileName: string, problem: string): Failure {
  return new Failure('image/outside-reference', `“${fileName}” cannot be used: ${problem}`, {
    hint: 'Export it whole from the program that made it, then choose that.',
    path: 'path',
  });
}

function fileNode(filename: string) {
  return { driver: 'file', filename, locking: 'auto' };
}

async function identityOf(file: FileHandle): Promise<string> {
  const found = await file.stat({ bigint: true });
  return [found.dev, found.ino, found.size, found.mtimeNs].join('|');
}
