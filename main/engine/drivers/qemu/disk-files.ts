/**
 * The files behind a guest's disks and CDs, looked at before QEMU opens them.
 *
 * INVARIANT: a qcow2 image that names another file than a layer or an image of the store is never given to QEMU
 * (`disk-files.test.ts`). QEMU is told what lies under a disk, but it has no way to be told not to follow an external data file.
 */
import { realpath, stat } from 'node:fs/promises';
import { Failure } from '../../../../contract/errors.ts';
import type { GuestSpec } from '../../../../contract/guest-spec.ts';
import type { ImageId } from '../../../../contract/ids.ts';
import type { GuestFiles } from '../../files/layout.ts';
import { awayFileFailure } from '../../files/moved-folder.ts';
import { type DiskLink, readBases, readHeader } from '../../layers/disk-chain.ts';
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

/**
 * @throws Failure `image/file-missing`, `image/not-a-file`, `image/unreadable`, `image/outside-reference`, `image/corrupt` or
 * `storage/location-away`, naming the disk.
 */
export async function checkDisks(spec: GuestSpec, files: GuestFiles): Promise<Map<string, MediumFile>> {
  const checked = new Map<string, MediumFile>();
  for (const [id, path] of diskPaths(spec, files)) {
    const disk = spec.disks.find((one) => one.id === id);
    const what = `The disk ${id} of ${spec.name}`;
    const hostDevice = await isHostDevice(path, what);
    const bases = disk?.format === 'qcow2' ? await basesOf(path, disk.location.kind === 'store', files, what) : [];
    checked.set(id, { path, hostDevice, bases });
  }
  return checked;
}

/** A disk of the store may build upon layers; a file of the user's own stands alone. */
async function basesOf(path: string, inStore: boolean, files: GuestFiles, what: string): Promise<DiskLink[]> {
  if (inStore) return readBases(path, files.bases, what);
  const { backingFile } = await readHeader(path, what);
  if (backingFile === null) return [];
  throw new Failure('image/outside-reference', `${what} builds upon another file, ${backingFile}, which is not followed: ${path}.`, {
    hint: 'Convert the image with "qemu-img convert" into one that stands alone.',
  });
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
      media.set(drive.id, { path, hostDevice: await isHostDevice(path, `The CD in ${drive.id}`), bases: [] });
    } catch (thrown) {
      const why = thrown instanceof Failure ? thrown.message : String(thrown);
      problems.push(`The CD drive ${drive.id} is empty: ${why}`);
    }
  }
  return { media, problems };
}

async function isHostDevice(path: string, what: string): Promise<boolean> {
  const facts = await stat(await realpath(path).catch(() => path)).catch(async (error: NodeJS.ErrnoException) => {
    const away = await awayFileFailure(path, what);
    if (away) throw away;
    if (error.code === 'ENOENT') throw new Failure('image/file-missing', `${what} is missing: there is no file ${path}.`);
    throw new Failure('image/unreadable', `${what} cannot be read: ${path}.`, { detail: error.message });
  });
  if (facts.isBlockDevice()) return true;
  if (!facts.isFile()) throw new Failure('image/not-a-file', `${what} is not a file: ${path}.`);
  return false;
}
