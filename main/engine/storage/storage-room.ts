/** Implements `storage.ts`: measures the data folder, and runs the jobs that give back room. */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { StorageReport } from '../../../contract/storage.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { listKept } from '../downloads/kept-download.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import { locationFolder, movedTo } from '../files/moved-file.ts';
import { locationOfFolder, locationStore, mustBeReachable } from '../files/moved-folder.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import type { Images } from '../images/images.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import { clearViews } from '../layers/chain-view.ts';
import { buildersUpon, readStoreDisks } from '../layers/layer-graph.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { SettingsStore } from '../settings/store.ts';
import type { Database } from '../store/database.ts';
import { createDuplicateFinder } from './duplicates.ts';
import { type Locations, roomAt } from './locations.ts';
import { measureTree } from './measure.ts';
import { type MoveParts, placesOf, settleMove } from './move-guest.ts';
import { defineMoveGuest } from './move-guest-job.ts';
import { defineMoveImage } from './move-image-job.ts';
import { findOrphans } from './orphans.ts';
import { defineReclaimGuest, defineReclaimImage } from './reclaim-jobs.ts';
import type { Storage } from './storage.ts';
import { describePlace, everyGuest, makeReport, whatLiesIn } from './storage-report.ts';
import { createMoveStore } from './store.ts';

export type StorageDeps = {
  layout: Layout;
  database: Database;
  jobs: Pick<JobRunner, 'start'>;
  guests: Pick<Guests, 'list' | 'listTrash' | 'show' | 'hold' | 'trim'>;
  images: Pick<Images, 'list' | 'show'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  locations: Locations;
  lineageLock: LineageLock;
  layersByGuest: MoveParts['layersByGuest'];
  giveWay: MoveParts['giveWay'];
  /** Who builds upon what is another since. */
  lineageChanged(): void;
  feed: Feed;
  clock: Clock;
  settings: SettingsStore;
};

export type StorageRoom = Storage & {
  jobDefinitions: readonly JobDefinition<never>[];
  /** Whether anything is being copied that must not change meanwhile. */
  isMoving(): boolean;
  /** Finishes or takes back what an engine before left of moves; called before guests are taken over. */
  settleMoves(): Promise<void>;
};

export function createStorage(deps: StorageDeps): StorageRoom {
  const { layout, guests, images, locations, clock } = deps;
  const openedAtMs = clock.nowMs();
  const keepFreeBytes = () => deps.settings.get().keepFreeMiB * 1024 ** 2;
  const parts = { layout, guests, images, locations, clock, host: deps.host, feed: deps.feed, keepFreeBytes };
  const moves = createMoveStore(deps.database);
  const { lineageLock, layersByGuest, giveWay, lineageChanged } = deps;
  const moveGuest = defineMoveGuest({
    ...parts,
    moves,
    lineageLock,
    layersByGuest,
    giveWay,
    folderOf: locations.folderOf,
    moved: lineageChanged,
  });
  const reclaimGuest = defineReclaimGuest(parts);
  const reclaimImage = defineReclaimImage(parts);
  const moveImage = defineMoveImage(parts);
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
          const elsewhere = locations.list().flatMap(({ path }) => [join(path, locationFolder), join(path, locationStore)]);
          const folders = [layout.images, layout.layers, layout.guests, layout.trash, layout.downloads, ...elsewhere];
          const files = (await Promise.all(folders.map((folder) => measureTree(folder)))).flat().map((file) => file.path);
          duplicates = { at: instantNow(clock), found: await finder.find([...files, ...inPlace], signal, progress) };
        },
      },
    ],
  };

  const nameOf = (wanted: string | null): string => (wanted === null ? 'the data folder' : `“${locations.find(wanted).name}”`);

  const orphans = async () =>
    findOrphans(layout, {
      images: new Set(images.list().map((image) => `${image.id}.${image.format}`)),
      guests: new Set(guests.list().map((guest) => guest.id)),
      trashed: new Set(guests.listTrash().map((guest) => guest.id)),
      downloads: new Set((await listKept(layout)).map((kept) => kept.key)),
      locations: locations.list().filter(locations.isReachable),
      moving: new Set(moves.list().flatMap(({ folders }) => folders.flatMap(placesOf))),
      beforeMs: openedAtMs,
    });

  return {
    jobDefinitions: [reclaimGuest, reclaimImage, moveImage, moveGuest, findDuplicates] as unknown as JobDefinition<never>[],

    isMoving: () => moves.list().some(({ switched }) => !switched),

    async settleMoves() {
      locations.claim();
      await clearViews(layout);
      for (const { guestId: id } of moves.list()) if (moves.find(id)?.switched) await settleMove({ layout, moves }, id);
    },

    report: async () => ({ ...(await makeReport(parts)), orphans: await orphans(), duplicates }),

    async places() {
      const known = locations.list();
      const lies = everyGuest(parts).flatMap(({ guest, folder }) => {
        const location = known.find(({ path }) => path === locationOfFolder(folder));
        return location ? [[guest.id, location.id] as const] : [];
      });
      return {
        home: { path: layout.home, ...(await roomAt(layout.home)) },
        locations: await Promise.all(known.map((location) => describePlace(locations, location))),
        guests: Object.fromEntries(lies),
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

    addLocation: async (path, name) => describePlace(locations, await locations.add(path, name)),

    async removeLocation(wanted) {
      const location = locations.find(wanted);
      const lies = await whatLiesIn(parts, location, await readStoreDisks(layout));
      const names = [...lies.images, ...lies.guests, ...lies.neededBy];
      if (names.length > 0 || lies.layers > 0) {
        const what = names.length > 0 ? names.map((name) => `“${name}”`).join(', ') : 'frozen disks that snapshots need';
        throw new Failure('storage/location-in-use', `In “${location.name}” lies what belongs to ${what}.`, {
          hint: 'Move them elsewhere first.',
        });
      }
      await locations.remove(location);
      const { guestLocation, imageLocation } = deps.settings.get();
      if (guestLocation === location.id) deps.settings.set({ guestLocation: null });
      if (imageLocation === location.id) deps.settings.set({ imageLocation: null });
    },

    mustBeKnown(change) {
      for (const path of ['guestLocation', 'imageLocation'] as const) {
        const id = change[path];
        if (id == null || locations.list().some((location) => location.id === id)) continue;
        throw new Failure('storage/location-unknown', `There is no storage location “${id}”.`, { path });
      }
    },

    async moveImage(id, wanted, by) {
      const image = images.show(id);
      const folder = locations.folderOf(wanted);
      return deps.jobs.start(moveImage, {
        title: `Move ${image.name}`,
        target: { kind: 'image', id: image.id, name: image.name },
        input: { imageId: image.id, path: image.path, from: (await movedTo(image.path)) ?? image.path, to: folder, toName: nameOf(wanted) },
        startedBy: by,
      });
    },

    async moveGuest(id, wanted, by) {
      const guest = guests.show(id);
      const { name } = guest.spec;
      const reason = guest.trashedAt === null ? guestCannot(guest.state, 'move') : `${name} is in the trash.`;
      if (reason !== null) throw new Failure('guest/denied', reason);
      mustBeReachable(layout.guest(id).folder, name);
      const location = wanted === null ? null : locations.find(wanted).id;
      locations.folderOf(location);
      return deps.jobs.start(moveGuest, {
        title: `Move ${name} to ${nameOf(wanted)}`,
        target: { kind: 'guest', id, name },
        input: { guestId: id, location, toName: nameOf(wanted) },
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
