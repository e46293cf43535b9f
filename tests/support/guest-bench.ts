/** Guests over a real database, real jobs, the real host and real QEMU, in a data root of their own; for tests of what happens to guests. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '../../build/places.ts';
import { ensureStarter } from '../../build/starter/make.ts';
import { Failure } from '../../contract/errors.ts';
import type { FeedEvent } from '../../contract/events.ts';
import type { GuestSpec } from '../../contract/guest-spec.ts';
import type { GuestState } from '../../contract/guest-state.ts';
import type { GuestId, ImageId } from '../../contract/ids.ts';
import { defaultSettings } from '../../contract/settings.ts';
import { type Clock, systemClock } from '../../main/engine/clock/clock.ts';
import { createClones, type GuestClones } from '../../main/engine/clones/guest-clones.ts';
import { createIdentityGiver } from '../../main/engine/clones/inner-identity.ts';
import { diskOf, specOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { createQemuDriver } from '../../main/engine/drivers/qemu/qemu-driver.ts';
import { type Layout, layoutOf } from '../../main/engine/files/layout.ts';
import { createGuests, type GuestRegistry } from '../../main/engine/guests/guest-registry.ts';
import type { HostCapabilities } from '../../main/engine/host/capabilities.ts';
import { createHostCapabilities } from '../../main/engine/host/host-capabilities.ts';
import type { ImportInput } from '../../main/engine/images/import-job.ts';
import type { JobDefinition } from '../../main/engine/jobs/job-definition.ts';
import { createJobRunner, type Jobs } from '../../main/engine/jobs/job-runner.ts';
import { createDiskWork } from '../../main/engine/layers/disk-work.ts';
import { createLineageLock } from '../../main/engine/layers/lineage-lock.ts';
import { type Log, silentLog } from '../../main/engine/log/log.ts';
import { createSnapshots, type SnapshotRegistry } from '../../main/engine/snapshots/snapshot-registry.ts';
import type { Database } from '../../main/engine/store/database.ts';
import { openDatabase } from '../../main/engine/store/open-database.ts';
import { createSeeds } from '../../main/engine/unattended/seed-registry.ts';
import { createSeedTools } from '../../main/engine/unattended/seed-tools.ts';
import type { Seeds } from '../../main/engine/unattended/seeds.ts';
import { SerialText } from './serial-text.ts';
import { until } from './until.ts';

export function layoutIn(home: string): Layout {
  return layoutOf({ home, run: join(home, 'run'), logs: join(home, 'logs'), engineSocket: join(home, 'run', 'engine.sock') });
}

export type GuestEngine = {
  guests: GuestRegistry;
  clones: GuestClones;
  snapshots: SnapshotRegistry;
  seeds: Seeds;
  jobs: Jobs;
  layout: Layout;
  events: Pick<FeedEvent, 'kind' | 'text'>[];
  /** Lets go of the guests and the database, as an engine that stops. */
  close(): Promise<void>;
};

/** The part of an engine that looks after guests, as `engine.ts` puts it together. */
export type EngineParts = {
  log?: Log;
  /** Changes what the guests are told of this computer. */
  host?: (real: HostCapabilities) => HostCapabilities;
  clock?: Clock;
  /** Changes how the database is reached. */
  database?: (real: Database) => Database;
};

export async function openGuestEngine(
  home: string,
  { log = silentLog, host: changeHost = (real) => real, clock = systemClock, database: changeDatabase = (real) => real }: EngineParts = {},
): Promise<GuestEngine> {
  const layout = layoutIn(home);
  await mkdir(layout.run, { recursive: true, mode: 0o700 });
  await mkdir(layout.guests, { recursive: true, mode: 0o700 });
  const database = changeDatabase(await openDatabase({ path: layout.database, backupsFolder: layout.databaseBackups, clock, log }));
  const events: Pick<FeedEvent, 'kind' | 'text'>[] = [];
  const feed = { record: (event: Pick<FeedEvent, 'kind' | 'text'>) => void events.push(event) };
  const jobs = createJobRunner({ database, changes: { job: () => undefined }, feed, clock, log });
  // Probing accelerators costs seconds and is tested elsewhere: what it found once on this computer is good for every test.
  const host = changeHost(
    createHostCapabilities({ layout: { home, cache: join(cacheDirectory(), 'test-probes') }, settings: () => defaultSettings }),
  );
  const identities = createIdentityGiver(() => guests, log);
  const lineageLock = createLineageLock();
  const diskWork = createDiskWork();
  const driver = createQemuDriver({ host, log });
  const seeds = createSeeds({ layout, database, tools: createSeedTools(), clock, log, guests: () => guests, memorySnapshot: () => null });
  const guests: GuestRegistry = createGuests({
    layout,
    database,
    driver,
    changes: { guest: (_, guest) => guest && identities.guestChanged(guest) },
    feed,
    jobs,
    log,
    settler: () => snapshots.settler,
    imagePath: (id: ImageId) => layout.image(id, 'iso'),
    seeds,
    defaultLocation: () => null,
  });
  const snapshots = createSnapshots({
    layout,
    database,
    guests: () => guests,
    driver,
    jobs,
    lineageLock,
    diskWork,
    qemuImgPath: () => host.qemuImgPath(),
    importDefinition: noImport,
    keepFreeBytes: () => 0,
    isBeingMoved: () => false,
    disposable: (from, by) => clones.disposable(from, by),
    forgetEdits: () => undefined,
    feed,
    clock,
    log,
  });
  const clones = createClones({
    locations: { forGuest: () => null },
    layout,
    jobs,
    guests,
    seeds,
    images: { list: () => [], show: noImage, lineageChanged: () => undefined },
    catalogue: { originOf: () => null, origin: () => ({ origin: null, facts: null }), recordOrigin: () => undefined },
    host,
    creation: { plan: noImage },
    lineageLock,
    diskWork,
    moments: () => snapshots.moments,
    tidyLayers: () => snapshots.tidyLayers(),
    feed,
    clock,
    log,
    settings: () => defaultSettings,
  });
  await jobs.recover([...guests.jobDefinitions, ...snapshots.jobDefinitions, ...clones.jobDefinitions], () => guests.adopt());
  await snapshots.settleLeftovers();
  guests.disposeOfRested();
  return {
    guests,
    snapshots,
    clones,
    seeds,
    jobs,
    layout,
    events,
    async close() {
      await jobs.interrupt(2000);
      await guests.release();
      database.close();
    },
  };
}

/** There is no library here to bring an image into; what does that is tested with the whole engine. */
const noImport: JobDefinition<ImportInput> = {
  kind: 'image.import',
  parseInput: noImage,
  steps: [{ name: 'Add it', weight: 1, run: async () => noImage() }],
  afterCrash: 'resume',
  cancellable: true,
};

function noImage(): never {
  throw new Failure('image/not-found', 'This engine has no images.');
}

export type Bench = GuestEngine & {
  home: string;
  /** Ends this engine in good order and begins another; what is read from the bench is the new one from then on. */
  reopen(): Promise<void>;
  /** Stops every guest that the bench started and removes the data root. */
  dispose(): Promise<void>;
};

/** A data root with an engine over it. */
export async function openBench(options: { home?: string } & EngineParts = {}): Promise<Bench> {
  const home = options.home ?? (await mkdtemp('/tmp/gh-'));
  let engine = await openGuestEngine(home, options);
  return {
    home,
    get guests() {
      return engine.guests;
    },
    get clones() {
      return engine.clones;
    },
    get snapshots() {
      return engine.snapshots;
    },
    get seeds() {
      return engine.seeds;
    },
    get jobs() {
      return engine.jobs;
    },
    get layout() {
      return engine.layout;
    },
    get events() {
      return engine.events;
    },
    close: () => engine.close(),
    async reopen() {
      await engine.close();
      engine = await openGuestEngine(home, options);
    },
    async dispose() {
      for (const { id } of engine.guests.list()) await engine.guests.forceOff(id).catch(() => undefined);
      await engine.close();
      if (!options.home) await rm(home, { recursive: true, force: true });
    },
  };
}

let nextGuest = 0;

/** A guest without disks: QEMU runs, the firmware finds nothing to boot. Cheap, for what does not need an operating system. */
export function blankSpec(more: Partial<GuestSpec> = {}): GuestSpec {
  return specOf({
    uuid: crypto.randomUUID(),
    name: `Blank ${++nextGuest}`,
    accelerator: 'tcg',
    cpu: { model: 'auto', sockets: 1, cores: 1, threads: 1, online: null, pins: [] },
    memoryMiB: 64,
    disks: [],
    nics: [],
    ...more,
  });
}

export function newGuestId(): GuestId {
  return `g${Math.random().toString(36).slice(2, 11).padEnd(9, '0')}` as GuestId;
}

export async function addGuest(engine: GuestEngine, spec: GuestSpec): Promise<GuestId> {
  const id = newGuestId();
  engine.guests.beginCreation(id, spec);
  await mkdir(engine.layout.guest(id).folder, { recursive: true });
  engine.guests.finishCreation(id, spec);
  return id;
}

export async function starterDisk(): Promise<string> {
  return (await ensureStarter(cacheDirectory(), () => undefined)).diskPath;
}

/** The starter guest with a disk of its own. */
export async function addStarter(engine: GuestEngine, more: Partial<GuestSpec> = {}): Promise<GuestId> {
  const spec = blankSpec({ memoryMiB: 256, disks: [diskOf({ sizeBytes: 2 ** 30 })], ...more });
  const id = newGuestId();
  engine.guests.beginCreation(id, spec);
  const files = engine.layout.guest(id);
  await mkdir(files.folder, { recursive: true });
  await copyFile(await starterDisk(), files.disk('disk0.qcow2'));
  engine.guests.finishCreation(id, spec);
  return id;
}

export async function untilStatus(
  engine: GuestEngine,
  id: GuestId,
  status: GuestState['status'],
  deadlineMs = 60_000,
): Promise<GuestState> {
  return until(
    `the guest is ${status}`,
    () => {
      const { state } = engine.guests.show(id);
      return state.status === status ? state : null;
    },
    deadlineMs,
  );
}

/** Collects what a guest prints on its serial console. */
export function readSerial(engine: GuestEngine, id: GuestId) {
  let text = '';
  const said = new SerialText(() => text);
  const attachment = engine.guests.attachSerial(id, {
    data: (bytes) => {
      text += bytes.toString('utf8');
    },
    closed: () => undefined,
  });
  return {
    says: (wanted: string) => said.says(wanted),
    until: (wanted: string, deadlineMs?: number) => said.until(wanted, deadlineMs),
    send: (line: string) => attachment.write(Buffer.from(`${line}\n`)),
    detach: () => attachment.detach(),
  };
}

export const shellPrompt = 'root@starter';

/** Waits for the starter's shell on the serial console. */
export async function untilBooted(engine: GuestEngine, id: GuestId) {
  const serial = readSerial(engine, id);
  await serial.until(shellPrompt, 240_000);
  return serial;
}
