/** Measures what lies in the data folder and in locations, and says whose it is. */
import { readdir, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { StorageLocation, StoragePlace, StoragePurpose, StorageReport, StoredDisk, StoredGuest } from '../../../contract/storage.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Layout } from '../files/layout.ts';
import { locationFolder, movedTo, pathInLocation } from '../files/moved-file.ts';
import { awayLocation, locationOfFolder, locationStore } from '../files/moved-folder.ts';
import type { Guests } from '../guests/guests.ts';
import type { Images } from '../images/images.ts';
import { readBases } from '../layers/disk-chain.ts';
import { readStoreDisks, type StoreDisk } from '../layers/layer-graph.ts';
import { type Locations, roomAt } from './locations.ts';
import { type Counted, measureFile, measureTree, noUse, sumUse } from './measure.ts';
import type { StoredLocation } from './store.ts';

export type ReportParts = {
  layout: Layout;
  guests: Pick<Guests, 'list' | 'listTrash'>;
  images: Pick<Images, 'list'>;
  locations: Locations;
  clock: Clock;
  keepFreeBytes(): number;
};

type KnownGuest = { guest: Guest; trashed: boolean; folder: string };

export function everyGuest({ layout, guests }: Pick<ReportParts, 'layout' | 'guests'>): KnownGuest[] {
  return [
    ...guests.list().map((guest) => ({ guest, trashed: false, folder: layout.guest(guest.id).folder })),
    ...guests.listTrash().map((guest) => ({ guest, trashed: true, folder: layout.guest(guest.id).trashFolder })),
  ];
}

/** What lies in a location, by name: images, guests, and guests elsewhere whose disks build upon layers there. */
export type InLocation = Pick<StorageLocation, 'images' | 'guests' | 'neededBy'> & {
  /** Nothing builds upon them that is known by name: they are kept for snapshots, or are about to go. */
  layers: number;
};

export async function whatLiesIn(parts: ReportParts, { path }: StoredLocation, disks: readonly StoreDisk[]): Promise<InLocation> {
  const { layout, images } = parts;
  const all = everyGuest(parts);
  const here = (folder: string) => locationOfFolder(folder) === path;
  const found = await Promise.all(
    images.list().map(async (image) => ((await movedTo(image.path)) === pathInLocation(path, image.path) ? image.name : null)),
  );
  const layers = (await namesIn(layout.layers)).map((name) => join(layout.layers, name)).filter(here);
  const builders = disks.filter(({ bases }) => bases?.some((base) => layers.includes(dirname(base)))).map((disk) => dirname(disk.path));
  const elsewhere = all.filter(({ folder }) => builders.includes(folder) && !here(folder));
  return {
    images: found.filter((name) => name !== null),
    guests: all.filter(({ folder }) => here(folder)).map(({ guest }) => guest.spec.name),
    neededBy: elsewhere.map(({ guest }) => guest.spec.name),
    layers: layers.length,
  };
}

export async function describePlace(locations: Locations, location: StoredLocation): Promise<StoragePlace> {
  const { id, name, path } = location;
  const reachable = locations.isReachable(location);
  return { id, name, path, reachable, ...(await roomAt(reachable ? path : null)) };
}

export async function makeReport(parts: ReportParts): Promise<Omit<StorageReport, 'orphans' | 'duplicates'>> {
  const { layout, images, locations, clock, keepFreeBytes } = parts;
  const { bavail, blocks, bsize } = await statfs(layout.home);
  const purposes = await measurePurposes(layout);
  const known = locations.list();
  const idOf = (path: string | null) => known.find((location) => location.path === path)?.id ?? null;
  const guests: StoredGuest[] = [];
  for (const one of everyGuest(parts)) guests.push(await describeGuest(layout, one, idOf(locationOfFolder(one.folder))));
  const disks = await readStoreDisks(layout);
  return {
    at: instantNow(clock),
    home: layout.home,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    keepFreeBytes: keepFreeBytes(),
    purposes,
    locations: await Promise.all(
      known.map(async (location) => {
        const { layers: _, ...lies } = await whatLiesIn(parts, location, disks);
        const files = await Promise.all([locationFolder, locationStore].map((folder) => measureTree(join(location.path, folder))));
        return { ...(await describePlace(locations, location)), ...lies, use: sumUse(files.flat()) };
      }),
    ),
    images: await Promise.all(
      images.list().map(async ({ id, name, path, usedBy, builtUponBy }) => {
        const real = await movedTo(path);
        return {
          id,
          name,
          path,
          use: (await measureFile(path))?.use ?? noUse,
          dependants: [...new Set([...usedBy, ...builtUponBy])],
          location: real === null ? null : idOf(dirname(dirname(real))),
        };
      }),
    ),
    guests,
  };
}

async function describeGuest(layout: Layout, { guest, trashed, folder }: KnownGuest, location: string | null): Promise<StoredGuest> {
  const files = layout.guest(guest.id);
  const disks = await Promise.all(
    guest.spec.disks.map(async ({ id, format, location: where, sizeBytes }): Promise<StoredDisk> => {
      const inPlace = where.kind === 'in-place';
      const path = inPlace ? where.path : join(folder, where.file);
      const bases = inPlace || format === 'raw' ? [] : await readBases(path, files.bases, path).catch(() => null);
      const below = await Promise.all((bases ?? []).map((base) => measureFile(base.path)));
      return {
        id,
        path,
        format,
        inPlace,
        virtualBytes: sizeBytes,
        use: (await measureFile(path))?.use ?? noUse,
        builtUpon: bases?.length ?? null,
        sharedRealBytes: below.reduce((sum, file) => sum + (file?.use.realBytes ?? 0), 0),
      };
    }),
  );
  const away = awayLocation(folder) === null ? null : 'Its storage location cannot be reached.';
  const trash = trashed ? 'It is in the trash.' : null;
  const agent = guest.state.run && !guest.state.run.qemuAgent ? 'While it runs, its guest agent is needed, and that does not run.' : null;
  const none = disks.some((disk) => !disk.inPlace) ? null : 'It has no disk in the store.';
  return {
    id: guest.id,
    name: guest.spec.name,
    trashed,
    use: sumUse(await measureTree(folder)),
    disks,
    removedDisks: await removedFrom(folder, basename(files.removedDisk(''))),
    location,
    moveReason: trash ?? guestCannot(guest.state, 'move') ?? away,
    reclaimReason: trash ?? guestCannot(guest.state, guest.state.run ? 'exec' : 'rebuild') ?? agent ?? none ?? away,
  };
}

async function removedFrom(folder: string, prefix: string): Promise<StoredGuest['removedDisks']> {
  const paths = (await namesIn(folder)).filter((name) => name.startsWith(prefix)).map((name) => join(folder, name));
  return Promise.all(paths.map(async (path) => ({ path, use: (await measureFile(path))?.use ?? noUse })));
}

async function measurePurposes(layout: Layout): Promise<StorageReport['purposes']> {
  const counted: Counted = new Set();
  const of: Record<Exclude<StoragePurpose, 'other' | 'database'>, string> = {
    images: layout.images,
    layers: layout.layers,
    guests: layout.guests,
    trash: layout.trash,
    downloads: layout.downloads,
    backups: layout.databaseBackups,
    cache: layout.cache,
    logs: layout.logs,
  };
  const rows: StorageReport['purposes'] = [];
  for (const [purpose, folder] of Object.entries(of)) {
    const files = await measureTree(folder, counted);
    rows.push({ purpose: purpose as StoragePurpose, use: sumUse(files), files: files.length });
  }
  const database = (await Promise.all(['', '-wal', '-shm'].map((end) => measureTree(`${layout.database}${end}`, counted)))).flat();
  rows.push({ purpose: 'database', use: sumUse(database), files: database.length });
  // Whatever else lies in the data folder; sockets take up nothing.
  const known = new Set([...Object.values(of), layout.run]);
  const rest: Awaited<ReturnType<typeof measureTree>> = [];
  for (const name of await readdir(layout.home).catch(() => [])) {
    const path = join(layout.home, name);
    if (!known.has(path)) rest.push(...(await measureTree(path, counted)));
  }
  rows.push({ purpose: 'other', use: sumUse(rest), files: rest.length });
  return rows;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
