/**
 * Images that lie in another storage location. Their name in the store is a link to the file there, which has the same name; whoever opens
 * the name in the store need not know. No other link in the store is followed.
 */
import { lstat, readlink, rename, symlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { removeFile, syncFolder } from './durable.ts';

/** The folder of ours within a location that the user named. */
export const locationFolder = 'guesthouse-images';

/** Where an image of this file name lies in a location. */
export const pathInLocation = (location: string, path: string): string => join(location, locationFolder, basename(path));

/** Where the file really is, or should be, when `path` is a name for one in another location; null when it is not. */
export async function movedTo(path: string): Promise<string | null> {
  const target = await readlink(path).catch(() => null);
  if (target === null || !isAbsolute(target)) return null;
  return basename(target) === basename(path) && basename(dirname(target)) === locationFolder ? target : null;
}

/** Whether `path` is a file, or a name for one in another location. */
export async function isOwnFile(path: string): Promise<boolean> {
  const found = await lstat((await movedTo(path)) ?? path).catch(() => null);
  return found?.isFile() ?? false;
}

/** Turns a name in the store into a link to the file of that name in another location, in one step. `beside` is used for a moment. */
export async function putLink(target: string, path: string, beside: string): Promise<void> {
  await removeFile(beside);
  await symlink(target, beside);
  await rename(beside, path);
  await syncFolder(dirname(path));
}

/** Removes a file of the store, and what lies in another location under its name. */
export async function removeWithMoved(path: string): Promise<void> {
  const target = await movedTo(path);
  if (target) await removeFile(target);
  await removeFile(path);
}
