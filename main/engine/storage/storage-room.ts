/** Implements `storage.ts`: measures the data folder, and runs the jobs that give back room. */
import { randomInt } from 'node:crypto';
import { readdir, rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { Settings } from '../../../contract/settings.ts';
import type { StoragePurpose, StorageReport, StoredDisk, StoredGuest } from '../../../contract/storage.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { listKept } from '../downloads/kept-download.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import { movedTo, pathInLocation } from '../files/moved-file.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import { readBases } from '../layers/disk-chain.ts';
import { buildersUpon, readStoreDisks } from '../layers/layer-graph.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Database } from '../store/database.ts';
import { createDuplicateFinder } from './duplicates.ts';
import { checkLocation, describeLocation } from './locations.ts';
import { type Counted, measureFile, measureTree, noUse, sumUse } from './measure.ts';
import { defineMoveImage } from './move-image-job.ts';
import { findOrphans } from './orphans.ts';
import { defineReclaimGuest, defineReclaimImage } from './reclaim-jobs.ts';
import type { Storage } from './storage.ts';
import { createLocationStore, type StoredLocation } from './store.ts';

export type StorageDeps = {
  layout: Layout;
  database: Database;
  jobs: Pick<JobRunner, 'start'>;
  guests: Pick<Guests, 'list' | 'listTrash' | 'show' | 'hold' | 'trim'>;
  images: Pick<Images, 'list' | 'show'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  lineageLock: LineageLock;
  feed: Feed;
  clock: Clock;
  settings: () => Pick<Settings, 'keepFreeMiB'>;
};

export type StorageRoom = Storage & { jobDefinitions: readonly JobDefinition<never>[] };

export function createStorage(deps: StorageDeps): StorageRoom {
  const { layout, guests, images, clock } = deps;
  const openedAtMs = clock.nowMs();
  const keepFreeBytes = () => deps.settings().keepFreeMiB * 1024 ** 2;
  const parts = { layout, guests, images, host: deps.host, feed: deps.feed, keepFreeBytes };
  const reclaimGuest = defineReclaimGuest(parts);
  const reclaimImage = defineReclaimImage(parts);
  const moveImage = defineMoveImage(parts);
  const locations = createLocationStore(deps.database);
  const finder = createDuplicateFinder();
  let duplicates: StorageReport['duplicates'] = null;
  const findDuplicates: JobDefinition<object> = {
    kind: 'storage.findDuplicates',
    parseInput: (value) => z.object({}).parse(value),
    afterCrash: 'undo',
    cancellable: true,
    steps: [
      {
        name: 'Compare files of the same size',
        weight: 1,
        async run({ signal, progress }) {
          const inPlace = guests
            .list()
            .flatMap(({ spec }) => spec.disks.flatMap(({ location }) => (location.kind === 'in-place' ? [location.path] : [])));
          const folders = [layout.images, layout.layers, layout.guests, layout.trash, layout.downloads];
          const files = (await Promise.all(folders.map((folder) => measureTree(folder)))).flat().map((file) => file.path);
          duplicates = { at: instantNow(clock), found: await finder.find([...files, ...inPlace], signal, progress) };
        },
      },
    ],
  };

  /** The location in which an image's file lies; null for the data folder. */
  const locationOf = async (path: string): Promise<StoredLocation | null> => {
    const real = await movedTo(path);
    return locations.list().find((location) => real === pathInLocation(location.path, path)) ?? null;
  };
  const findLocation = (wanted: string): StoredLocation => {
    const found = locations.list().find(({ id, name }) => id === wanted || name === wanted);
    if (found) return found;
    throw new Failure('storage/location-unknown', `There is no storage location “${wanted}”.`, {
      hint: 'See them with “guesthouse storage list”.',
    });
  };
  const imagesIn = async (location: StoredLocation): Promise<string[]> => {
    const all = await Promise.all(
      images.list().map(async ({ name, path }) => ((await locationOf(path))?.id === location.id ? name : null)),
    );
    return all.filter((name) => name !== null);
  };

  const orphans = async () =>
    findOrphans(layout, {
      images: new Set(images.list().map((image) => `${image.id}.${image.format}`)),
      guests: new Set(guests.list().map((guest) => guest.id)),
      trashed: new Set(guests.listTrash().map((guest) => guest.id)),
      downloads: new Set((await listKept(layout)).map((kept) => kept.key)),
      beforeMs: openedAtMs,
    });

  const describeGuest = async (guest: Guest, trashed: boolean): Promise<StoredGuest> => {
    const files = layout.guest(guest.id);
    const folder = trashed ? files.trashFolder : files.folder;
    const disks = await Promise.all(
      guest.spec.disks.map(async ({ id, format, location, sizeBytes }): Promise<StoredDisk> => {
        const inPlace = location.kind === 'in-place';
        const path = inPlace ? location.path : join(folder, location.file);
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
    const reason = trashed ? 'It is in the trash.' : guestCannot(guest.state, guest.state.run ? 'exec' : 'rebuild');
    const agent = guest.state.run && !guest.state.run.qemuAgent ? 'While it runs, its guest agent is needed, and that does not run.' : null;
    const none = disks.some((disk) => !disk.inPlace) ? null : 'It has no disk in the store.';
    return {
      id: guest.id,
      name: guest.spec.name,
      trashed,
      use: sumUse(await measureTree(folder)),
      disks,
      reclaimReason: reason ?? agent ?? none,
    };
  };

  const measurePurposes = async (): Promise<StorageReport['purposes']> => {
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
  };

  return {
    jobDefinitions: [reclaimGuest, reclaimImage, moveImage, findDuplicates] as unknown as JobDefinition<never>[],

    async report() {
      const { bavail, blocks, bsize } = await statfs(layout.home);
      const purposes = await measurePurposes();
      const all = [...guests.list().map((guest) => [guest, false] as const), ...guests.listTrash().map((guest) => [guest, true] as const)];
      const described: StoredGuest[] = [];
      for (const [guest, trashed] of all) described.push(await describeGuest(guest, trashed));
      return {
        at: instantNow(clock),
        home: layout.home,
        freeBytes: bavail * bsize,
        totalBytes: blocks * bsize,
        keepFreeBytes: keepFreeBytes(),
        purposes,
        locations: await Promise.all(locations.list().map(async (location) => describeLocation(location, await imagesIn(location)))),
        images: await Promise.all(
          images.list().map(async ({ id, name, path, usedBy, builtUponBy }) => ({
            id,
            name,
            path,
            use: (await measureFile(path))?.use ?? noUse,
            dependants: [...new Set([...usedBy, ...builtUponBy])],
            location: (await locationOf(path))?.id ?? null,
          })),
        ),
        guests: described,
        orphans: await orphans(),
        duplicates,
      };
    },

    findDuplicates: (by) =>
      deps.jobs.start(findDuplicates, {
        title: 'Find files with the same content',
        target: { kind: 'store', id: null, name: 'Storage' },
        input: {},
        startedBy: by,
      }),

    deleteOrphan: (path) =>
      deps.lineageLock(async () => {
        const found = (await orphans()).find((orphan) => orphan.path === path);
        if (!found) {
          throw new Failure('storage/not-an-orphan', `${path} is not a file that nobody refers to.`, { hint: 'Look at the report again.' });
        }
        const whole = resolve(layout.home, found.path);
        const disks = await readStoreDisks(layout);
        const files = (await measureTree(whole)).map((file) => file.path);
        const builders = files.flatMap((file) => buildersUpon(disks, file)).filter((builder) => !files.includes(builder));
        if (builders.length > 0) {
          throw new Failure(
            'image/in-use',
            `${path} cannot go: ${builders.length === 1 ? 'a disk builds' : `${builders.length} disks build`} upon it.`,
            {
              detail: builders.join('\n'),
            },
          );
        }
        await rm(whole, { recursive: true, force: true });
        deps.feed.record({ severity: 'info', kind: 'storage.orphanDeleted', text: `${path} was deleted: nobody referred to it.` });
      }),

    async addLocation(path, name) {
      if (locations.list().some((location) => location.name === name))
        throw new Failure('storage/location-invalid', `Another storage location is called “${name}”.`, {
          hint: 'Choose another name.',
          path: 'name',
        });
      const real = await checkLocation(path, layout, locations.list());
      const location = {
        id: `s${randomInt(36 ** 6)
          .toString(36)
          .padStart(6, '0')}`,
        name,
        path: real,
        addedAt: instantNow(clock),
      };
      locations.insert(location);
      return describeLocation(location, []);
    },

    async removeLocation(id) {
      const location = findLocation(id);
      const inUse = await imagesIn(location);
      if (inUse.length > 0) {
        throw new Failure('storage/location-in-use', `In “${location.name}” lie ${inUse.map((name) => `“${name}”`).join(', ')}.`, {
          hint: 'Move them elsewhere first.',
        });
      }
      locations.remove(location.id);
    },

    async moveImage(id, wanted, by) {
      const image = images.show(id);
      const to = wanted === null ? null : findLocation(wanted);
      if (to && !(await describeLocation(to, [])).reachable) {
        throw new Failure('storage/location-invalid', `The storage location “${to.name}” cannot be reached: ${to.path}.`, {
          hint: 'Mount its disk first.',
        });
      }
      return deps.jobs.start(moveImage, {
        title: `Move ${image.name}`,
        target: { kind: 'image', id: image.id, name: image.name },
        input: {
          imageId: image.id,
          path: image.path,
          from: (await movedTo(image.path)) ?? image.path,
          to: to?.path ?? null,
          toName: to ? `“${to.name}”` : 'the data folder',
        },
        startedBy: by,
      });
    },

    reclaimGuest(id, by) {
      const guest = guests.show(id);
      const { name } = guest.spec;
      const reason = guestCannot(guest.state, guest.state.run ? 'exec' : 'rebuild');
      if (reason !== null) throw new Failure('guest/denied', reason);
      if (guest.state.run && !guest.state.run.qemuAgent) {
        throw new Failure(
          'guest/agent-absent',
          `The guest agent does not run in ${name}, and without it it cannot be asked to give back room.`,
          {
            hint: 'Install qemu-guest-agent in it, or shut it down first.',
          },
        );
      }
      return deps.jobs.start(reclaimGuest, {
        title: `Give back room of ${name}`,
        target: { kind: 'guest', id, name },
        input: { guestId: id },
        startedBy: by,
      });
    },

    reclaimImage(id, by) {
      const { name, id: found } = images.show(id);
      return deps.jobs.start(reclaimImage, {
        title: `Give back room of ${name}`,
        target: { kind: 'image', id: found, name },
        input: { imageId: found },
        startedBy: by,
      });
    },
  };
}
