/**
 * Folders of the store that lie in another storage location: a guest's, and those of layers. Their name in the store is a link to the folder
 * there, which has the same name; so every path of the store stays what it is, and a disk that names its base relative to itself is understood
 * as before. No other link in the store is followed.
 *
 * INVARIANT: a link that leads nowhere is never taken for a folder that is gone: its location may only not be mounted
 * (`tests/integration/guest-move.test.ts`).
 */
import { lstatSync, readlinkSync, renameSync, rmdirSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { syncFolder, toWriteFailure } from './durable.ts';
import { movedTo } from './moved-file.ts';
import { makePrivateFolder } from './private-folder.ts';

/** The folder of ours within a location that holds folders of guests and of layers, as deep as they lie in the data folder. */
export const locationStore = 'guesthouse-store';

const kinds: Readonly<Record<string, string>> = { guests: 'guests', trash: 'guests', layers: 'layers' };

/** Where a folder of the store (`guests/<id>`, `trash/<id>`, `layers/<id>`) lies in a location. */
export const folderInLocation = (location: string, folder: string): string =>
  join(location, locationStore, kinds[basename(dirname(folder))] ?? '', basename(folder));

/** Where a folder of the store really is, or should be, when its name is a link of ours; null when it is not. */
export function movedFolder(folder: string): string | null {
  let target: string;
  try {
    target = readlinkSync(folder);
  } catch {
    return null;
  }
  const location = dirname(dirname(dirname(target)));
  return isAbsolute(target) && kinds[basename(dirname(folder))] !== undefined && folderInLocation(location, folder) === target
    ? target
    : null;
}

/** The location in which a folder of the store lies; null for the data folder. */
export function locationOfFolder(folder: string): string | null {
  const target = movedFolder(folder);
  return target === null ? null : dirname(dirname(dirname(target)));
}

/** Whether there is such a name, also one that leads to a location that is not there now. */
export function isNamed(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Whether a name is a folder of the store, here or in a location that is there. */
export function isOwnFolder(folder: string): boolean {
  return lstatSync(movedFolder(folder) ?? folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The location that must come back before a folder of the store can be had; null when it can be had, or is not elsewhere. */
export function awayLocation(folder: string): string | null {
  const target = movedFolder(folder);
  return target !== null && statSync(target, { throwIfNoEntry: false }) === undefined ? dirname(dirname(dirname(target))) : null;
}

export function awayFailure(what: string, location: string): Failure {
  return new Failure('storage/location-away', `${what} lies in the storage location ${location}, which cannot be reached.`, {
    hint: 'Mount its disk at that place again. Nothing is lost: it is there again when the disk is.',
  });
}

/** What to say of a file of the store that is not there, when it lies in a location that cannot be reached; null when that is not why. */
export async function awayFileFailure(path: string, what: string): Promise<Failure | null> {
  const location = awayLocation(dirname(path));
  if (location !== null) return awayFailure(what, location);
  const image = await movedTo(path);
  if (image === null || statSync(dirname(image), { throwIfNoEntry: false })) return null;
  return awayFailure(what, dirname(dirname(image)));
}

/** @throws Failure `storage/location-away` */
export function mustBeReachable(folder: string, what: string): void {
  const location = awayLocation(folder);
  if (location !== null) throw awayFailure(what, location);
}

/**
 * Makes a folder of the store in a location, and its name in the store a link to it. One that is there already is left alone.
 * @throws Failure `store/full`, `store/not-writable`
 */
export function makeFolderIn(location: string | null, folder: string): void {
  try {
    makePrivateFolder(dirname(folder));
    if (location !== null && !isNamed(folder)) {
      const target = folderInLocation(location, folder);
      makePrivateFolder(target);
      symlinkSync(target, folder);
    } else makePrivateFolder(folder);
  } catch (thrown) {
    throw toWriteFailure(thrown, folder);
  }
}

/** Removes a folder of the store with all that is in it, wherever it lies. @throws Failure `storage/location-away` */
export async function removeOwnFolder(folder: string, what: string): Promise<void> {
  const target = movedFolder(folder);
  if (target === null) return rm(folder, { recursive: true, force: true });
  if (!statSync(dirname(dirname(target)), { throwIfNoEntry: false })) throw awayFailure(what, dirname(dirname(dirname(target))));
  await rm(target, { recursive: true, force: true });
  await rm(folder, { force: true });
}

/** Removes a folder of the store that is empty, wherever it lies; leaves one that is not, and one that cannot be reached. */
export function removeEmptyFolder(folder: string): void {
  const target = movedFolder(folder);
  try {
    rmdirSync(target ?? folder);
  } catch {
    if (target === null || lstatSync(target, { throwIfNoEntry: false }) || !statSync(dirname(target), { throwIfNoEntry: false })) return;
  }
  if (target !== null) unlinkSync(folder);
}

/** What a folder of the store is called while its other self takes its name, and the one whose name was taken until it is removed. */
export const comingOf = (folder: string): string => `${folder}.coming`;
export const leavingOf = (folder: string): string => `${folder}.leaving`;

/**
 * Gives the name of a folder of the store to what was made ready beside it ({@link comingOf}: a link, or a folder). In one go, so that nothing
 * else in this process ever sees the name missing; after a kill in the middle it can be done again.
 */
export function takeName(folder: string): void {
  const coming = comingOf(folder);
  if (!isNamed(coming)) return;
  const here = lstatSync(folder, { throwIfNoEntry: false });
  if (here?.isSymbolicLink()) unlinkSync(folder);
  else if (here) renameSync(folder, leavingOf(folder));
  renameSync(coming, folder);
}

/** Makes the link that {@link takeName} puts in place. */
export async function makeComingLink(folder: string, target: string): Promise<void> {
  await rm(comingOf(folder), { recursive: true, force: true });
  symlinkSync(target, comingOf(folder));
  await syncFolder(dirname(folder));
}
