/**
 * Disks that were taken out of a guest and lie beside its others: what they are, how they come back, and how they go for good. What they were
 * like the edits before remember, as long as these can be taken back.
 */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { RemovedDisk } from '../../../contract/guest-hardware.ts';
import { type Disk, diskLocation, type GuestSpec } from '../../../contract/guest-spec.ts';
import { removeFile, syncFolder } from '../files/durable.ts';
import type { GuestFiles } from '../files/layout.ts';
import { mustBeReachable } from '../files/moved-folder.ts';
import { readHeader } from '../layers/disk-chain.ts';
import type { StoredEdit } from './store.ts';

/** Newest first. What cannot be read as a disk is listed too, since it takes up room. */
export async function listRemovedDisks(files: GuestFiles, edits: readonly StoredEdit[]): Promise<RemovedDisk[]> {
  const prefix = basename(files.removedDisk(''));
  const found: RemovedDisk[] = [];
  for (const name of await readdir(files.folder).catch(() => [])) {
    const file = name.slice(prefix.length);
    if (!name.startsWith(prefix) || !diskLocation.safeParse({ kind: 'store', file }).success) continue;
    const path = files.removedDisk(file);
    const facts = await stat(path).catch(() => null);
    if (!facts?.isFile()) continue;
    const was = pastDisk(file, edits);
    const format = was?.format ?? (file.endsWith('.qcow2') ? 'qcow2' : 'raw');
    const header = format === 'qcow2' ? await readHeader(path, `The disk ${file}`).catch(() => null) : null;
    found.push({
      file,
      id: was?.id ?? null,
      format,
      sizeBytes: header?.virtualSizeBytes ?? facts.size,
      realBytes: facts.blocks * 512,
      // Renaming it was the last thing that was done with it.
      removedAt: facts.ctime.toISOString(),
    });
  }
  return found.sort((one, other) => other.removedAt.localeCompare(one.removedAt));
}

/** What a disk of this file was when an edit was made, the last one that had it. */
function pastDisk(file: string, edits: readonly StoredEdit[]): Disk | null {
  for (const { spec } of edits) {
    const disk = spec.disks.find(({ location }) => location.kind === 'store' && location.file === file);
    if (disk) return disk;
  }
  return null;
}

/**
 * The guest with the disk in it again: as it was, where that is known, and under another id where that is taken.
 * @throws Failure `image/file-missing`, `guest/spec-invalid` when another disk has its file's name
 */
export async function withRemovedDisk(spec: GuestSpec, file: string, files: GuestFiles, edits: readonly StoredEdit[]): Promise<GuestSpec> {
  const removed = (await listRemovedDisks(files, edits)).find((one) => one.file === file);
  if (!removed) throw missing(spec, file, files);
  if (existsSync(files.disk(file))) {
    throw new Failure('guest/spec-invalid', `Another disk of ${spec.name} has the file ${file}.`, { hint: 'Remove that one first.' });
  }
  const bus = spec.disks[0]?.bus ?? 'virtio';
  const usual = { bus, cache: 'writeback', discard: true, iothread: bus === 'virtio', readOnly: false } as const;
  const was = pastDisk(file, edits) ?? { ...usual, limits: { bytesPerSecond: null, operationsPerSecond: null } };
  const taken = new Set(spec.disks.map(({ id }) => id));
  const free = Array.from({ length: taken.size + 1 }, (_, index) => `disk${index}`).find((id) => !taken.has(id)) ?? 'disk';
  const id = removed.id !== null && !taken.has(removed.id) ? removed.id : free;
  const { format, sizeBytes } = removed;
  const disk: Disk = { ...was, id, format, sizeBytes, bootOrder: null, location: { kind: 'store', file } };
  return { ...spec, disks: [...spec.disks, disk] };
}

/**
 * Deletes the file of a disk that was taken out. One whose removal waits for the next start has not been put away yet, and is not found.
 * @throws Failure `image/file-missing`, `storage/location-away`
 */
export async function deleteRemovedDisk(spec: GuestSpec, file: string, files: GuestFiles): Promise<void> {
  mustBeReachable(files.folder, spec.name);
  const removed = (await listRemovedDisks(files, [])).find((one) => one.file === file);
  if (!removed) throw missing(spec, file, files);
  await removeFile(files.removedDisk(file));
  await syncFolder(files.folder);
}

/** @throws Failure `guest/disk-deleted` for a change that would bring back a disk whose file is gone for good */
export function mustHaveItsFiles(before: GuestSpec, wanted: GuestSpec, files: GuestFiles): void {
  for (const { id, location } of wanted.disks) {
    if (location.kind !== 'store' || before.disks.some((one) => one.id === id)) continue;
    if (existsSync(files.disk(location.file)) || existsSync(files.removedDisk(location.file))) continue;
    throw new Failure('guest/disk-deleted', `That would bring the disk ${id} of ${before.name} back, which was deleted for good.`, {
      hint: 'Add a new disk instead. What was changed besides is changed back by hand.',
    });
  }
}

function missing(spec: GuestSpec, file: string, files: GuestFiles): Failure {
  return new Failure('image/file-missing', `${spec.name} has no removed disk ${file}: there is no file ${files.removedDisk(file)}.`, {
    hint: 'See them with “guesthouse guest disk removed”.',
  });
}
