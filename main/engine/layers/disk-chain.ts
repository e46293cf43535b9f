/**
 * What a disk in the store builds upon. A qcow2 file names its base in its header; that name is read here, held against the few places
 * where a base can lie, and then given to QEMU outright, so that no program ever follows a name that it found in a file.
 *
 * INVARIANT: a base is a layer or an image of the store, a regular file, and harmless itself; anything else is refused
 * (`disk-chain.test.ts`). Where it lies on the disk is the store's own knowledge too: paths here are names in the store (`moved-folder.ts`).
 */
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { DiskFormat } from '../../../contract/guest-spec.ts';
import type { LayerId } from '../../../contract/ids.ts';
import { isOwnFile } from '../files/moved-file.ts';
import { awayFileFailure, isOwnFolder } from '../files/moved-folder.ts';
import { parseQcow2Header, type Qcow2Header, qcow2HeaderBytes } from '../images/qcow2-header.ts';

export type DiskLink = { path: string; format: DiskFormat };
export type BaseFolders = { layers: string; images: string };

/** More than anyone means to have, and few enough for QEMU to open in a moment. */
export const chainMaxLength = 100;

const layerName = /^(l[0-9a-z]{9})[\\/]disk\.qcow2$/;
const imageName = /^i[0-9a-z]{9}\.(qcow2|raw)$/;

/**
 * The files that a qcow2 disk builds upon, the nearest first; none when it stands alone.
 * @param what names the disk in messages: "The disk disk0 of Debian".
 * @throws Failure `image/outside-reference`, `image/corrupt`, `image/encrypted`, `image/file-missing`, `image/unreadable` or
 * `storage/location-away`
 */
export async function readBases(path: string, folders: BaseFolders, what: string): Promise<DiskLink[]> {
  const bases: DiskLink[] = [];
  const seen = new Set([resolve(path)]);
  let top = path;
  for (;;) {
    const header = await readHeader(top, what);
    if (header.backingFile === null) return bases;
    const base = acceptBase(top, header.backingFile, folders, what);
    if (seen.has(base.path) || bases.length >= chainMaxLength) {
      throw new Failure('image/corrupt', `${what} builds upon itself: ${base.path}.`, {
        hint: 'Restore the disk from a backup or a snapshot.',
      });
    }
    await mustBeRegular(base.path, what);
    seen.add(base.path);
    bases.push(base);
    if (base.format === 'raw') return bases;
    top = base.path;
  }
}

/** Which layer a path is, or null when it is none. */
export function layerIdOf(path: string, layersFolder: string): LayerId | null {
  const folder = `${resolve(layersFolder)}${sep}`;
  const file = resolve(path);
  return file.startsWith(folder) ? ((layerName.exec(file.slice(folder.length))?.[1] ?? null) as LayerId | null) : null;
}

/** How a file at `path` names a base: relative, so that the whole data folder can be moved. */
export const baseNameFor = (path: string, basePath: string): string => relative(dirname(path), basePath);

/** The base that a file names, as a path that may be opened. */
function acceptBase(path: string, name: string, folders: BaseFolders, what: string): DiskLink {
  const base = resolve(dirname(path), name);
  if (layerIdOf(base, folders.layers)) return { path: base, format: 'qcow2' };
  const image = imageName.exec(basename(base));
  if (dirname(base) === resolve(folders.images) && image) return { path: base, format: image[1] === 'raw' ? 'raw' : 'qcow2' };
  throw new Failure('image/outside-reference', `${what} builds upon another file, ${name}, which is not followed.`, {
    hint: 'Convert the image with "qemu-img convert" into one that stands alone.',
    detail: path,
  });
}

async function mustBeRegular(path: string, what: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (!found) {
    const away = await awayFileFailure(path, `${what} builds upon ${path}, which`);
    if (away) throw away;
    throw new Failure('image/file-missing', `${what} builds upon ${path}, and that file is gone.`, {
      hint: 'Put the file back from a backup of the data folder.',
    });
  }
  const isImage = imageName.test(basename(path));
  if (isImage && !(await isOwnFile(path))) {
    const away = await awayFileFailure(path, `${what} builds upon ${path}, which`);
    if (away) throw away;
  }
  // In another location lie an image by itself and a layer with its folder, and then that name is a link to one of the same name.
  if (!(isImage ? await isOwnFile(path) : found.isFile() && isOwnFolder(dirname(path))))
    throw new Failure('image/not-a-file', `${what} builds upon ${path}, which is not a file.`);
}

/** The header of a qcow2 file of the store. @throws Failure as {@link readBases} */
export async function readHeader(path: string, what: string): Promise<Qcow2Header> {
  const { head, sizeBytes } = await readHead(path, what);
  const header = parseQcow2Header(head, sizeBytes);
  if ('problem' in header) {
    const said = header.kind === 'not-qcow2' ? 'should be a qcow2 image and is not' : 'is damaged';
    throw new Failure('image/corrupt', `${what} ${said}: ${path}.`, { detail: header.problem });
  }
  if (header.externalData || header.dataFile !== null) {
    throw new Failure('image/outside-reference', `${what} keeps its data in another file: ${path}.`, {
      hint: 'Convert the image with "qemu-img convert" into one that stands alone.',
    });
  }
  if (header.encryption !== 'none') throw new Failure('image/encrypted', `${what} is encrypted, which is not supported: ${path}.`);
  return header;
}

async function readHead(path: string, what: string): Promise<{ head: Buffer; sizeBytes: number }> {
  const unreadable = (error: unknown) => new Failure('image/unreadable', `${what} cannot be read: ${path}.`, { detail: String(error) });
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(async (error: unknown) => {
    throw (await awayFileFailure(path, what)) ?? unreadable(error);
  });
  try {
    const found = await file.stat();
    // A device has no size that stat could tell.
    const sizeBytes = found.isFile() ? found.size : Number.MAX_SAFE_INTEGER;
    const head = Buffer.alloc(qcow2HeaderBytes);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return { head: head.subarray(0, bytesRead), sizeBytes };
  } catch (error) {
    throw unreadable(error);
  } finally {
    await file.close();
  }
}
