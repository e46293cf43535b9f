/**
 * The disk files of an edit. A disk that is taken out is put away beside the guest's others and never deleted, so that the edit can be
 * taken back; a new one is made under another name first.
 */
import { existsSync } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import { moveIntoPlace, removeFile, syncFolder } from '../files/durable.ts';
import type { GuestFiles } from '../files/layout.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { demandSpace } from '../images/copy-medium.ts';
import { createDisk, growDisk } from '../images/qemu-img.ts';

export type FileDeps = { host: Pick<HostCapabilities, 'qemuImgPath'>; keepFreeBytes: () => number };

/** Names in the guest's folder. */
export async function fileNames(files: GuestFiles): Promise<Set<string>> {
  return new Set(await readdir(files.folder).catch(() => []));
}

/**
 * Sees to it that every disk of `wanted` has its file: brought back from where it was put away, or made new and empty.
 * @returns what takes that back again
 */
export async function bringDisksIn(
  before: GuestSpec,
  wanted: GuestSpec,
  files: GuestFiles,
  { host, keepFreeBytes }: FileDeps,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const undo: (() => Promise<void>)[] = [];
  const takeBack = async () => {
    for (const one of undo.reverse()) await one();
  };
  try {
    for (const { id, location, sizeBytes } of wanted.disks) {
      if (location.kind !== 'store' || before.disks.some((one) => one.id === id)) continue;
      const path = files.disk(location.file);
      const away = files.removedDisk(location.file);
      if (existsSync(path)) continue;
      if (existsSync(away)) {
        await move(away, path);
        undo.push(() => move(path, away));
        continue;
      }
      const arriving = `${path}.arriving`;
      await removeFile(arriving);
      await demandSpace(arriving, 0, keepFreeBytes());
      try {
        await createDisk(await host.qemuImgPath(), arriving, sizeBytes, signal);
        await moveIntoPlace(arriving, path);
      } catch (thrown) {
        await removeFile(arriving);
        throw thrown;
      }
      undo.push(() => removeFile(path));
    }
  } catch (thrown) {
    await takeBack();
    throw thrown;
  }
  return takeBack;
}

/** Grows the files of disks of a guest that is off. */
export async function growDisks(
  before: GuestSpec,
  wanted: GuestSpec,
  files: GuestFiles,
  { host }: FileDeps,
  signal: AbortSignal,
): Promise<void> {
  for (const { id, location, format, sizeBytes } of wanted.disks) {
    const was = before.disks.find((one) => one.id === id);
    if (!was || was.sizeBytes >= sizeBytes || location.kind !== 'store') continue;
    const path = files.disk(location.file);
    if (!existsSync(path)) throw new Failure('image/file-missing', `The disk ${id} is missing: there is no file ${path}.`);
    await growDisk(await host.qemuImgPath(), path, format, sizeBytes, signal);
  }
}

/** Puts the files of disks away that are neither of the guest nor of what runs of it any more. Idempotent. */
export async function putDisksAway(before: GuestSpec, kept: readonly GuestSpec[], files: GuestFiles): Promise<void> {
  const inUse = new Set(kept.flatMap((spec) => spec.disks.map(({ id }) => id)));
  for (const { id, location } of before.disks) {
    if (location.kind !== 'store' || inUse.has(id)) continue;
    const path = files.disk(location.file);
    if (!existsSync(path)) continue;
    await move(path, files.removedDisk(location.file));
  }
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}
