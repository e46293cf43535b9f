/** Folders that the user named for images: what may be one, and what is known of each. */
import { access, constants, realpath, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { StorageLocation } from '../../../contract/storage.ts';
import type { Layout } from '../files/layout.ts';
import { locationFolder } from '../files/moved-file.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { StoredLocation } from './store.ts';

/**
 * The path as it is stored. @throws Failure `storage/location-invalid`
 */
export async function checkLocation(path: string, layout: Pick<Layout, 'home'>, others: readonly StoredLocation[]): Promise<string> {
  const refuse = (why: string, hint: string) =>
    new Failure('storage/location-invalid', `${path || 'The path'} cannot be a storage location: ${why}.`, { hint, path: 'path' });
  if (!isAbsolute(path)) throw refuse('it is no whole path', 'Give it from / on.');
  const real = await realpath(path).catch(() => null);
  if (real === null || !(await stat(real)).isDirectory()) throw refuse('there is no such folder', 'Make it first, or mount the disk.');
  const inside = (one: string, other: string) => {
    const way = relative(one, other);
    return way === '' || !(way.startsWith('..') || isAbsolute(way));
  };
  const home = await realpath(layout.home);
  if (inside(home, real) || inside(real, home))
    throw refuse('it and the data folder lie within each other', 'Choose a folder elsewhere, on another disk.');
  const taken = others.find((other) => inside(other.path, real) || inside(real, other.path));
  if (taken) throw refuse(`it and the location “${taken.name}” lie within each other`, 'Choose another folder.');
  try {
    makePrivateFolder(join(real, locationFolder));
    const probe = join(real, locationFolder, `.probe-${process.pid}`);
    await writeFile(probe, 'x', { mode: 0o600 });
    await rm(probe);
  } catch (thrown) {
    throw refuse(
      `it cannot be written (${(thrown as NodeJS.ErrnoException).code ?? thrown})`,
      'Choose a folder of your own on a disk that is mounted for writing.',
    );
  }
  return real;
}

export async function describeLocation({ id, name, path }: StoredLocation, images: readonly string[]): Promise<StorageLocation> {
  const there = await access(join(path, locationFolder), constants.R_OK).then(
    () => statfs(path),
    () => null,
  );
  return {
    id,
    name,
    path,
    reachable: there !== null,
    freeBytes: there ? there.bavail * there.bsize : 0,
    totalBytes: there ? there.blocks * there.bsize : 0,
    images: [...images],
  };
}
