/**
 * The files behind a guest's disks and CDs, looked at before QEMU opens them.
 *
 * INVARIANT: a qcow2 image that names another file, as backing file or as external data file, is never given to QEMU
 * (`disk-files.test.ts`). QEMU is told not to follow a backing file, but it has no way to be told not to follow a data file.
 */
import { open, realpath, stat } from 'node:fs/promises';
import { Failure } from '../../../../contract/errors.ts';
import type { GuestSpec } from '../../../../contract/guest-spec.ts';
import type { ImageId } from '../../../../contract/ids.ts';
import type { GuestFiles } from '../../files/layout.ts';
import type { MediumFile } from './arguments/launch-facts.ts';

/** Paths only, for showing; nothing is looked at. */
export function diskPaths(spec: GuestSpec, files: GuestFiles): Map<string, string> {
  return new Map(spec.disks.map(({ id, location }) => [id, location.kind === 'store' ? files.disk(location.file) : location.path]));
}

export function mediumPaths(spec: GuestSpec, imagePath: (id: ImageId) => string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const { id, medium } of spec.cdDrives) {
    if (medium) paths.set(id, medium.kind === 'image' ? imagePath(medium.imageId) : medium.path);
  }
  return paths;
}

/** @throws Failure `image/file-missing`, `image/not-a-file`, `image/unreadable`, `image/outside-reference` or `image/corrupt` naming the disk. */
export async function checkDisks(spec: GuestSpec, files: GuestFiles): Promise<Map<string, MediumFile>> {
  const checked = new Map<string, MediumFile>();
  for (const [id, path] of diskPaths(spec, files)) {
    const disk = spec.disks.find((one) => one.id === id);
    const hostDevice = await isHostDevice(path, `The disk ${id} of ${spec.name}`);
    if (disk?.format === 'qcow2') await checkQcow2(path, `The disk ${id} of ${spec.name}`);
    checked.set(id, { path, hostDevice });
  }
  return checked;
}

/** Media that are there, and a sentence for each that is not: a guest starts with an empty drive. */
export async function checkMedia(
  spec: GuestSpec,
  imagePath: (id: ImageId) => string,
): Promise<{ media: Map<string, MediumFile>; problems: string[] }> {
  const media = new Map<string, MediumFile>();
  const problems: string[] = [];
  for (const drive of spec.cdDrives) {
    if (!drive.medium) continue;
    try {
      const path = drive.medium.kind === 'image' ? imagePath(drive.medium.imageId) : drive.medium.path;
      media.set(drive.id, { path, hostDevice: await isHostDevice(path, `The CD in ${drive.id}`) });
    } catch (thrown) {
      const why = thrown instanceof Failure ? thrown.message : String(thrown);
      problems.push(`The CD drive ${drive.id} is empty: ${why}`);
    }
  }
  return { media, problems };
}

async function isHostDevice(path: string, what: string): Promise<boolean> {
  const facts = await stat(await realpath(path).catch(() => path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Failure('image/file-missing', `${what} is missing: there is no file ${path}.`);
    throw new Failure('image/unreadable', `${what} cannot be read: ${path}.`, { detail: error.message });
  });
  if (facts.isBlockDevice()) return true;
  if (!facts.isFile()) throw new Failure('image/not-a-file', `${what} is not a file: ${path}.`);
  return false;
}

/** https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt */
const magic = 0x514649fb;
const incompatibleDataFile = 1n << 2n;

async function checkQcow2(path: string, what: string): Promise<void> {
  const header = Buffer.alloc(104);
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new Failure('image/unreadable', `${what} cannot be read: ${path}.`, { detail: error.message });
  });
  try {
    await file.read(header, 0, header.length, 0);
  } finally {
    await file.close();
  }
  if (header.readUInt32BE(0) !== magic) throw new Failure('image/corrupt', `${what} should be a qcow2 image and is not: ${path}.`);
  const outside = { hint: 'Convert the image with "qemu-img convert" into one that stands alone.' };
  if (header.readBigUInt64BE(8) !== 0n) throw new Failure('image/outside-reference', `${what} builds upon another file: ${path}.`, outside);
  if (header.readUInt32BE(4) >= 3 && (header.readBigUInt64BE(72) & incompatibleDataFile) !== 0n) {
    throw new Failure('image/outside-reference', `${what} keeps its data in another file: ${path}.`, outside);
  }
}
