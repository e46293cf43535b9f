/** The rooms of the engine that look after images and creation, put together over a real database, real jobs and a data root of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { Failure } from '../../contract/errors.ts';
import type { FeedEvent } from '../../contract/events.ts';
import { defaultSnapshotSchedule } from '../../contract/guest-snapshot.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { Image } from '../../contract/image.ts';
import { defaultSettings, type Settings } from '../../contract/settings.ts';
import { createCatalogue } from '../../main/engine/catalogue/image-catalogue.ts';
import { systemClock } from '../../main/engine/clock/clock.ts';
import { type CreationGuests, createCreation } from '../../main/engine/creation/guest-creation.ts';
import { createDownloads, type DownloadsDeps } from '../../main/engine/downloads/download-registry.ts';
import { createQemuDriver } from '../../main/engine/drivers/qemu/qemu-driver.ts';
import { type Layout, layoutOf } from '../../main/engine/files/layout.ts';
import type { HeldGuest } from '../../main/engine/guests/held-guest.ts';
import { createHostCapabilities } from '../../main/engine/host/host-capabilities.ts';
import { createImages } from '../../main/engine/images/image-registry.ts';
import { createJobRunner } from '../../main/engine/jobs/job-runner.ts';
import { createLineageLock } from '../../main/engine/layers/lineage-lock.ts';
import { silentLog } from '../../main/engine/log/log.ts';
import { createOsRecognition } from '../../main/engine/os/os-recognition.ts';
import type { Database } from '../../main/engine/store/database.ts';
import { createTransfer } from '../../main/engine/transfer/machine-transfer.ts';
import { createSeeds } from '../../main/engine/unattended/seed-registry.ts';
import { createSeedTools } from '../../main/engine/unattended/seed-tools.ts';
import { freshDatabase } from './fresh-database.ts';

/** What is true of the host stays true from one test to the next: probing its accelerators each time would take longer than the tests. */
const sharedCache = mkdtempSync('/tmp/gh-cache-');
afterAll(() => rmSync(sharedCache, { recursive: true, force: true }));

export type Rooms = Awaited<ReturnType<typeof openRooms>>;

type Options = {
  /** A data root that exists already, such as one on a small file system. */
  home?: string;
  settings?: Partial<Settings>;
  environment?: NodeJS.ProcessEnv;
  /** What a test of downloads sets: entries, deadlines, a certificate. */
  downloads?: Partial<DownloadsDeps>;
  /** The database of an engine before, to see what this one makes of it. */
  database?: Database;
};

/** Without a `GUESTHOUSE_STARTER` of its own a test never sees the one in the cache of set-up. */
export async function openRooms({ home, settings = {}, environment = {}, downloads: downloadOptions = {}, database }: Options = {}) {
  const root = home ?? (await mkdtemp('/tmp/gh-'));
  const layout = {
    ...layoutOf({ home: root, run: join(root, 'run'), logs: join(root, 'logs'), engineSocket: join(root, 'run', 'engine.sock') }),
    cache: sharedCache,
  };
  const env = { ...process.env, GUESTHOUSE_STARTER: join(root, 'no-starter'), ...environment };
  const events: Pick<FeedEvent, 'kind' | 'text'>[] = [];
  const toldImages: Image[] = [];
  const feed = { record: (event: Pick<FeedEvent, 'kind' | 'text'>) => void events.push(event) };
  const clock = systemClock;
  const db = database ?? (await freshDatabase());
  const jobs = createJobRunner({ database: db, changes: { job: () => undefined }, feed, clock, log: silentLog });
  const host = createHostCapabilities({ layout, settings: () => ({ ...defaultSettings, ...settings }), environment: env });
  const recognition = createOsRecognition({ layout, environment: env });
  const guests = memoryGuests(layout);
  const lineageLock = createLineageLock();
  const catalogue = createCatalogue({
    database: db,
    clock,
    feed,
    jobs,
    host,
    recognition,
    images: () => images,
    guests: () => ({
      ...guests,
      exec: () => Promise.reject(new Error('These guests have no agent.')),
      hold: (id, _verb, work) => work(asHeld(layout, guests.show(id))),
    }),
    importDefinition: () => images.importDefinition,
    settings: () => ({ ...defaultSettings, ...settings }),
    layout,
  });
  const images = createImages({
    locations: { forImages: () => null, reachable: () => [] },
    layout,
    database: db,
    jobs,
    changes: { image: (_id, image) => void (image && toldImages.push(image)), images: (images) => void toldImages.push(...images) },
    feed,
    clock,
    log: silentLog,
    settings: () => ({ ...defaultSettings, ...settings }),
    host,
    recognition,
    guests: () => guests,
    lineageLock,
    originOf: catalogue.originOf,
    resourcesFolder: null,
    environment: env,
  });
  const seeds = createSeeds({
    layout,
    database: db,
    tools: createSeedTools(env),
    clock,
    log: silentLog,
    guests: () => guests,
    memorySnapshot: () => null,
  });
  const creation = createCreation({
    locations: { forGuest: () => null },
    layout,
    jobs,
    guests,
    images,
    catalogue,
    seeds,
    host,
    recognition,
    lineageLock,
    log: silentLog,
    settings: () => ({ ...defaultSettings, ...settings }),
  });
  const downloads = createDownloads({
    layout,
    database: db,
    jobs,
    images,
    importDefinition: images.importDefinition,
    feed,
    clock,
    log: silentLog,
    settings: () => ({ ...defaultSettings, ...settings }),
    environment: {},
    ...downloadOptions,
  });
  const transfer = createTransfer({
    layout,
    jobs,
    guests: { ...guests, hold: () => Promise.reject(new Error('Guests in memory are not held.')) },
    snapshots: {
      carried: () => ({ snapshots: [], currentId: null, schedule: defaultSnapshotSchedule }),
      whileUntouched: (_, work) => work(),
      adopt: (_, __, place) => place(),
      forsake: async () => undefined,
    },
    images,
    driver: createQemuDriver({ host, log: silentLog }),
    host,
    recognition,
    windowsDrivers: () => null,
    feed,
    log: silentLog,
    settings: () => ({ ...defaultSettings, ...settings }),
  });
  return {
    home: root,
    downloads,
    layout,
    seeds,
    database: db,
    jobs,
    host,
    images,
    catalogue,
    guests,
    creation,
    transfer,
    events,
    toldImages,
    async close() {
      await jobs.interrupt(5000);
      if (home === undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

/** A guest of these tests never runs, so that holding it is no more than knowing where its disks are. */
function asHeld(layout: Layout, { id, spec, state }: Guest): HeldGuest {
  const held: Pick<HeldGuest, 'id' | 'files' | 'state' | 'sayBusy'> & { stored: Pick<HeldGuest['stored'], 'spec'> } = {
    id,
    files: layout.guest(id),
    state,
    stored: { spec },
    sayBusy: () => undefined,
  };
  return held as HeldGuest;
}

/** Guests as creation sees them, without QEMU: kept in memory, with their folders on the disk. */
function memoryGuests(layout: Layout): CreationGuests & { put(guest: Guest): void; show(id: GuestId): Guest } {
  const all = new Map<GuestId, Guest>();
  const guestOf = (id: GuestId, spec: Guest['spec'], status: 'creating' | 'off'): Guest => ({
    id,
    spec,
    state: { status, since: new Date().toISOString(), problems: [] },
    createdAt: new Date().toISOString(),
    lastStartedAt: null,
    trashedAt: null,
  });
  const keep = (guest: Guest) => {
    all.set(guest.id, guest);
    return guest;
  };
  return {
    list: () => [...all.values()],
    listTrash: () => [],
    nameTaken: (name, except) => [...all.values()].some((guest) => guest.spec.name === name && guest.id !== except),
    beginCreation: (id, spec) => keep(guestOf(id, spec, 'creating')),
    finishCreation: (id, spec) => keep(guestOf(id, spec, 'off')),
    async abandonCreation(id) {
      all.delete(id);
      await rm(layout.guest(id).folder, { recursive: true, force: true });
    },
    put: keep,
    show(id) {
      const guest = all.get(id);
      if (!guest) throw new Failure('guest/not-found', `There is no guest ${id}.`);
      return guest;
    },
  };
}
