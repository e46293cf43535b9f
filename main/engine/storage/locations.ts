/** Folders that the user named for images and guests: what may be one, and what is known of each. */
import { randomInt } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { realpath, rm, rmdir, stat, statfs, writeFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { Settings } from '../../../contract/settings.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { writeWhole } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { locationFolder } from '../files/moved-file.ts';
import { locationStore } from '../files/moved-folder.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { Database } from '../store/database.ts';
import { createLocationStore, type StoredLocation } from './store.ts';

/** In calls null stands for the data folder. */
export type Locations = {
  list(): StoredLocation[];
  /** By name or id. @throws Failure `storage/location-unknown` */
  find(wanted: string): StoredLocation;
  /** False while its disk is not mounted, and when another one is mounted in its place. */
  isReachable(location: StoredLocation): boolean;
  /** Folder of a location that can be written to now; null is the data folder. @throws Failure `storage/location-unknown`, `storage/location-away` */
  folderOf(wanted: string | null): string | null;
  /** Folder of the location that the settings name for new guests or images. @throws Failure `storage/location-away` */
  defaultFolder(what: 'guestLocation' | 'imageLocation'): string | null;
  /** @throws Failure `storage/location-invalid` */
  add(path: string, name: string): Promise<StoredLocation>;
  /** Marks those as its own that an earlier version named, which had no marks. */
  claim(): void;
  /** Forgets it; its own folders there go where they are empty. */
  remove(location: StoredLocation): Promise<void>;
};

/** Says whose the folder is: the id of the location, which no other data folder has. */
const markerOf = (path: string): string => join(path, locationStore, 'location');

export type LocationsDeps = {
  layout: Pick<Layout, 'home'>;
  database: Database;
  clock: Clock;
  settings: () => Pick<Settings, 'guestLocation' | 'imageLocation'>;
};

export function createLocations({ layout, database, clock, settings }: LocationsDeps): Locations {
  const store = createLocationStore(database);

  const find = (wanted: string): StoredLocation => {
    const found = store.list().find(({ id, name }) => id === wanted || name === wanted);
    if (found) return found;
    throw new Failure('storage/location-unknown', `There is no storage location “${wanted}”.`, {
      hint: 'See them with “guesthouse storage list”.',
    });
  };

  const isReachable = ({ id, path }: StoredLocation): boolean => {
    if (!statSync(join(path, locationFolder), { throwIfNoEntry: false })?.isDirectory()) return false;
    return readMarker(path) === id;
  };

  const folderOf = (wanted: string | null): string | null => {
    if (wanted === null) return null;
    const location = find(wanted);
    if (!isReachable(location)) {
      throw new Failure('storage/location-away', `The storage location “${location.name}” cannot be reached: ${location.path}.`, {
        hint: 'Mount its disk first.',
      });
    }
    return location.path;
  };

  return {
    list: () => store.list(),
    find,
    isReachable,
    folderOf,

    defaultFolder(what) {
      const wanted = settings()[what];
      return store.list().some(({ id }) => id === wanted) ? folderOf(wanted) : null;
    },

    async add(path, name) {
      if (store.list().some((location) => location.name === name))
        throw new Failure('storage/location-invalid', `Another storage location is called “${name}”.`, {
          hint: 'Choose another name.',
          path: 'name',
        });
      const real = await checkLocation(path, layout, store.list());
      const id = `s${randomInt(36 ** 6)
        .toString(36)
        .padStart(6, '0')}`;
      await writeWhole(markerOf(real), `${id}\n`);
      const location = { id, name, path: real, addedAt: instantNow(clock) };
      store.insert(location);
      return location;
    },

    claim() {
      for (const { id, path } of store.list()) {
        if (readMarker(path) !== null || !statSync(join(path, locationFolder), { throwIfNoEntry: false })?.isDirectory()) continue;
        try {
          makePrivateFolder(join(path, locationStore));
          writeFileSync(markerOf(path), `${id}\n`, { mode: 0o600 });
        } catch {
          // It cannot be written now, and so it cannot be used either.
        }
      }
    },

    async remove(location) {
      const reachable = isReachable(location);
      store.remove(location.id);
      if (!reachable) return;
      await rm(markerOf(location.path), { force: true });
      const ours = [join(locationStore, 'guests'), join(locationStore, 'layers'), locationStore, locationFolder];
      for (const folder of ours) await rmdir(join(location.path, folder)).catch(() => undefined);
    },
  };
}

function readMarker(path: string): string | null {
  try {
    return readFileSync(markerOf(path), 'utf8').trim();
  } catch {
    return null;
  }
}

/**
 * The path as it is stored; what is ours within it can be written.
 * @throws Failure `storage/location-invalid`
 */
async function checkLocation(path: string, layout: Pick<Layout, 'home'>, others: readonly StoredLocation[]): Promise<string> {
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
  if (readMarker(real) !== null) {
    throw refuse(
      'another data folder of Guesthouse keeps files there',
      `Choose another folder. If that data folder is gone, delete ${markerOf(real)}.`,
    );
  }
  try {
    for (const folder of [locationFolder, locationStore]) {
      makePrivateFolder(join(real, folder));
      const probe = join(real, folder, `.probe-${process.pid}`);
      await writeFile(probe, 'x', { mode: 0o600 });
      await rm(probe);
    }
  } catch (thrown) {
    throw refuse(
      `it cannot be written (${(thrown as NodeJS.ErrnoException).code ?? thrown})`,
      'Choose a folder of your own on a disk that is mounted for writing.',
    );
  }
  return real;
}

/** Free and all bytes of the disk on which a folder lies; nothing while it cannot be reached. */
export async function roomAt(path: string | null): Promise<{ freeBytes: number; totalBytes: number }> {
  const found = path === null ? null : await statfs(path).catch(() => null);
  return found ? { freeBytes: found.bavail * found.bsize, totalBytes: found.blocks * found.bsize } : { freeBytes: 0, totalBytes: 0 };
}
