/**
 * The life of one engine: what is started in which order, when it leaves, and how it ends.
 *
 * ```
 *   folders ─► lock ─► log ─► database ─► moves settled ─► undo of dead jobs ─► adoption of guests ─► jobs go on ─► starter image
 *     ─► listen ─► "ready" ─► autostart ─► … ─► refuse new work ─► jobs interrupted ─► guests let go ─► database closed
 * ```
 * Guests are QEMU processes of their own: neither the end of this process nor its death touches them.
 */
import { randomUUID } from 'node:crypto';
import { toGuesthouseError } from '../../contract/errors.ts';
import type { EngineInfo, Snapshot } from '../../contract/events.ts';
import { version } from '../../contract/version.ts';
import type { Services } from './api/handlers.ts';
import { type ApiServer, createApiServer } from './api/server.ts';
import { createAuditStore } from './audit/store.ts';
import type { Catalogue } from './catalogue/catalogue.ts';
import { type Clock, instantNow } from './clock/clock.ts';
import type { Clones } from './clones/clones.ts';
import type { Creation } from './creation/creation.ts';
import type { Downloads } from './downloads/downloads.ts';
import { type ChangesHub, createChangesHub } from './feed/changes-hub.ts';
import { createFeedRecorder, type FeedRecorder } from './feed/feed-recorder.ts';
import { createEventStore } from './feed/store.ts';
import { prepareDataFolders } from './files/data-folders.ts';
import type { Layout } from './files/layout.ts';
import type { Guests } from './guests/guests.ts';
import type { Hardware } from './hardware/hardware.ts';
import type { HostCapabilities } from './host/capabilities.ts';
import type { Images } from './images/images.ts';
import type { JobDefinition } from './jobs/job-definition.ts';
import { createJobRunner, type Jobs } from './jobs/job-runner.ts';
import { createEngineLog } from './log/engine-log.ts';
import type { Log } from './log/log.ts';
import { createSampler } from './samples/sampler.ts';
import { createSampleStore } from './samples/store.ts';
import { createSettingsStore, type SettingsStore } from './settings/store.ts';
import type { Snapshots } from './snapshots/snapshots.ts';
import type { Storage } from './storage/storage.ts';
import type { Database } from './store/database.ts';
import { takeEngineLock } from './store/engine-lock.ts';
import { openDatabase } from './store/open-database.ts';
import type { Transfer } from './transfer/transfer.ts';
import type { Seeds } from './unattended/seeds.ts';

/** What every room of the engine is built on. */
export type Foundation = {
  layout: Layout;
  database: Database;
  changes: ChangesHub;
  feed: FeedRecorder;
  jobs: Jobs;
  settings: SettingsStore;
  clock: Clock;
  log: Log;
};

export type Rooms = {
  guests: Guests;
  snapshots: Snapshots;
  images: Images;
  downloads: Downloads;
  storage: Storage;
  catalogue: Catalogue;
  creation: Creation;
  clones: Clones;
  hardware: Hardware;
  transfer: Transfer;
  seeds: Seeds;
  host: HostCapabilities;
  /** Every kind of job that may be found unfinished. */
  jobDefinitions: readonly JobDefinition<unknown>[];
  /** Puts guests that an engine before was moving on one side or the other; called before anything else looks at their files. */
  settleMoves(): Promise<void>;
  /** Removes what dead jobs left and no job cares for; called once the jobs are recovered. */
  settleLeftovers(): Promise<void>;
};

export type EngineOptions = {
  layout: Layout;
  clock: Clock;
  compose: (foundation: Foundation) => Rooms;
  /** Leaves when nobody was connected and nothing ran for this long. */
  idleSeconds: number;
  /** Also log to stderr. */
  foreground: boolean;
};

export type Engine = {
  info: EngineInfo;
  socketPath: string;
  log: Log;
  /** Ends the engine and leaves guests alone. Idempotent. */
  stop(reason: string): void;
  /** Settles when the engine has ended and let go of its data folder. */
  stopped: Promise<void>;
};

const callsGraceMs = 5000;
const jobsGraceMs = 5000;
/** Whatever hangs on the way out, the process ends: the next engine finds everything as after a crash. */
const endsAtLatestMs = 20_000;
const hourMs = 60 * 60 * 1000;

/** @throws Failure what keeps the engine from starting: `engine/held`, `store/*`, `database/*` */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { layout, clock, foreground } = options;
  prepareDataFolders(layout);
  const lock = takeEngineLock(layout.engineLock, clock);
  const log = createEngineLog({ path: layout.engineLog, foreground });
  let database: Database | undefined;
  try {
    log.info({ version, home: layout.home, node: process.version }, 'The engine starts.');
    database = await openDatabase({
      path: layout.database,
      backupsFolder: layout.databaseBackups,
      clock,
      log: log.child({ room: 'store' }),
    });
    return await openForWork(options, database, log, async () => {
      await log.close();
      lock.release();
    });
  } catch (thrown) {
    log.error({ error: thrown }, 'The engine could not start.');
    database?.close();
    await log.close();
    lock.release();
    throw thrown;
  }
}

/** From an open database to an engine that answers. `letGo` gives back what {@link startEngine} took. */
async function openForWork(options: EngineOptions, database: Database, log: Log, letGo: () => Promise<void>): Promise<Engine> {
  const { layout, clock } = options;
  const info: EngineInfo = { version, pid: process.pid, startedAt: instantNow(clock), home: layout.home, instanceId: randomUUID() };
  const changes = createChangesHub(log);
  const feed = createFeedRecorder({ store: createEventStore(database), tell: changes.event, clock, log });
  const settings = createSettingsStore({ database, changes, log });
  const jobs = createJobRunner({ database, changes, feed, clock, log: log.child({ room: 'jobs' }) });
  const rooms = options.compose({ layout, database, changes, feed, jobs, settings, clock, log });
  const { guests, images, jobDefinitions } = rooms;

  await rooms.settleMoves();
  await jobs.recover(jobDefinitions, () => guests.adopt());
  await rooms.settleLeftovers();
  guests.disposeOfRested();
  await images.ensureBuiltIn().catch((thrown: unknown) => {
    log.warn({ error: thrown }, 'The starter image could not be put on the list.');
  });

  await rooms.clones.tellOfChangedBases().catch((thrown: unknown) => {
    log.warn({ error: thrown }, 'It could not be looked at whether what disks build upon has changed.');
  });

  const sampler = createSampler({
    store: createSampleStore(database),
    running: () => guests.list().flatMap((guest) => (guest.state.run ? [guest.id] : [])),
    measure: (id) => guests.measure(id),
    watched: () => changes.watched(),
    tell: (samples) => changes.samples(samples),
    clock,
    log: log.child({ room: 'samples' }),
  });

  const { promise: stopped, resolve: settleStopped } = Promise.withResolvers<void>();
  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ reason }, 'The engine stops.');
    server.refuseNewWork();
    setTimeout(settleStopped, endsAtLatestMs).unref();
    // After the answer to the call that asked for it.
    setImmediate(() => {
      end()
        .catch((thrown: unknown) => log.error({ error: thrown }, 'The engine did not stop cleanly.'))
        .finally(settleStopped);
    });
  };

  const services: Services = {
    ...rooms,
    info,
    jobs,
    feed,
    settings,
    sampler,
    audit: createAuditStore(database),
    hub: changes,
    stop: () => stop('A client asked for it.'),
  };
  const snapshot = (): Snapshot => ({
    engine: info,
    guests: guests.list(),
    images: images.list(),
    jobs: jobs.list().filter((job) => job.endedAt === null || Date.parse(job.endedAt) > clock.nowMs() - hourMs),
    settings: settings.get(),
  });
  const server = createApiServer({ services, snapshot, clock, log: log.child({ room: 'api' }) });

  const everySecond = setInterval(() => void sampler.tick(), 1000);
  const everyMinute = setInterval(() => {
    rooms.snapshots.tick().catch((thrown: unknown) => log.error({ error: thrown }, 'The schedules of snapshots could not be followed.'));
  }, 60_000);
  const leaveWhenIdle = watchIdleness(
    options.idleSeconds,
    () => isBusy(server, guests, jobs),
    clock,
    () => stop('Nothing to do.'),
  );

  const end = async () => {
    clearInterval(everySecond);
    clearInterval(everyMinute);
    leaveWhenIdle.close();
    await server.close(callsGraceMs);
    await jobs.interrupt(jobsGraceMs);
    await guests.release();
    sampler.flush();
    database.close();
    log.info({}, 'The engine has stopped.');
    await letGo();
  };

  await server.listen(layout.engineSocket);
  log.info({ socket: layout.engineSocket, guests: guests.list().length, running: guests.runningCount() }, 'The engine answers.');
  guests.autostart().catch((thrown: unknown) => {
    log.error({ error: thrown }, 'Guests could not be started automatically.');
    feed.record({ severity: 'problem', kind: 'engine.autostartFailed', text: toGuesthouseError(thrown).message });
  });
  return { info, socketPath: layout.engineSocket, log, stop, stopped };
}

function isBusy(server: ApiServer, guests: Guests, jobs: Jobs): boolean {
  const { calls, sockets } = server.busyCount();
  return calls > 0 || sockets > 0 || guests.runningCount() > 0 || jobs.activeCount() > 0;
}

/** Calls `leave` once `isBusy` has been false for `idleSeconds`. */
function watchIdleness(idleSeconds: number, isBusy: () => boolean, clock: Clock, leave: () => void): { close(): void } {
  let busyAtMs = clock.nowMs();
  const everyMs = Math.min(5000, Math.max(100, idleSeconds * 250));
  const timer = setInterval(() => {
    if (isBusy()) busyAtMs = clock.nowMs();
    else if (clock.nowMs() - busyAtMs >= idleSeconds * 1000) leave();
  }, everyMs);
  return { close: () => clearInterval(timer) };
}
