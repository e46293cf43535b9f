/** Every guest of this engine, each behind its actor; see `guests.ts` for what each method promises. */
import { Failure } from '../../../contract/errors.ts';
import { guestNameProblem } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import { jobEnded } from '../../../contract/job.ts';
import { type Driver, portKey } from '../drivers/driver.ts';
import type { Changes, Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import { isNamed, makeFolderIn, mustBeReachable, removeOwnFolder } from '../files/moved-folder.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { Log } from '../log/log.ts';
import type { Database } from '../store/database.ts';
import type { GuestSeeds } from './first-start.ts';
import { GuestActor } from './guest-actor.ts';
import { adoptGuest } from './guest-adoption.ts';
import { moveFolder } from './guest-folders.ts';
import { guestJobs } from './guest-jobs.ts';
import { freeName, nameKey } from './guest-names.ts';
import type { GuestSettler } from './guest-settler.ts';
import type { Wish } from './guest-wish.ts';
import { words } from './guest-words.ts';
import type { Guests } from './guests.ts';
import { restingStatus } from './resting-status.ts';
import { createGuestStore, noLineage, type StoredGuest } from './store.ts';
import { chordsOf } from './typed-text.ts';

export type GuestsParts = {
  layout: Layout;
  database: Database;
  driver: Driver;
  changes: Pick<Changes, 'guest'>;
  feed: Feed;
  jobs: Pick<JobRunner, 'start' | 'ended'>;
  log: Log;
  /** Guests need snapshots and snapshots need guests, so this is asked only when something is settled. */
  settler: () => GuestSettler;
  /** Path of an image in the store. @throws Failure `image/not-found` */
  imagePath(id: ImageId): string;
  seeds: GuestSeeds;
  /** Folder of the storage location for new guests; null for the data folder. @throws Failure `storage/location-away` */
  defaultLocation(): string | null;
};

export type GuestRegistry = Guests & { jobDefinitions: readonly JobDefinition<never>[] };

/** Reads the guests from the database; nothing is touched before `adopt`. */
export function createGuests(parts: GuestsParts): GuestRegistry {
  const { layout, driver, changes, feed, jobs, log } = parts;
  const store = createGuestStore(parts.database);
  const actors = new Map<GuestId, GuestActor>();
  const purging = new Set<GuestId>();
  const suspendJobs = new Map<GuestId, Job>();
  const asked = new Set<GuestId>();

  const actorOf = (stored: StoredGuest): GuestActor => {
    const actor = new GuestActor(stored, {
      driver,
      store,
      feed,
      // Who lists the guests does not list those in the trash.
      changes: { guest: (id, guest) => changes.guest(id, guest?.trashedAt === null ? guest : null) },
      log: log.child({ guest: stored.id }),
      files: layout.guest(stored.id),
      imagePath: parts.imagePath,
      seeds: parts.seeds,
      settler: { beforeRun: (held) => parts.settler().beforeRun(held), giveWay: (id) => parts.settler().giveWay(id) },
      portHolders: () => portHolders(stored.id),
      ended: () => dispose(stored.id),
    });
    actors.set(stored.id, actor);
    return actor;
  };

  /** A disposable guest goes when it has ended, whatever ended it. */
  const dispose = (id: GuestId): void => {
    const actor = actors.get(id);
    if (!actor?.record.now.lineage.disposable || actor.record.now.creating) return;
    const { name } = actor;
    void actor.cleared
      .then(() => abandon(id))
      .then(() => {
        feed.record(words.disposed(name));
        return parts.settler().purged(id);
      })
      // The next engine finds it at rest and tries again.
      .catch((thrown: unknown) => log.warn({ guest: id, error: String(thrown) }, 'A disposable guest could not be removed.'));
  };

  const abandon = async (id: GuestId): Promise<void> => {
    const actor = actors.get(id);
    await removeOwnFolder(layout.guest(id).folder, actor?.name ?? id);
    store.remove(id);
    actor?.release();
    actors.delete(id);
    changes.guest(id, null);
  };

  const find = (id: GuestId): GuestActor => {
    const actor = actors.get(id);
    if (!actor) throw new Failure('guest/not-found', `There is no guest ${id}.`);
    return actor;
  };

  const isTaken = (name: string, except?: GuestId): boolean => {
    const key = nameKey(name);
    for (const { record } of actors.values()) {
      if (record.now.id !== except && record.now.trashedAt === null && nameKey(record.now.spec.name) === key) return true;
    }
    return false;
  };

  const checkName = (name: string, except?: GuestId): void => {
    const problem = guestNameProblem(name);
    if (problem) throw new Failure('guest/name-invalid', problem, { path: 'name' });
    if (isTaken(name, except)) {
      throw new Failure('guest/name-taken', `Another guest is called ${name}.`, { hint: 'Choose another name.', path: 'name' });
    }
  };

  function portHolders(except: GuestId): ReadonlyMap<string, string> {
    const holders = new Map<string, string>();
    for (const actor of actors.values()) {
      const { id, spec } = actor.record.now;
      if (id === except || !actor.run) continue;
      for (const forward of (actor.record.runsWith ?? spec).nics.flatMap((nic) => nic.forwards)) holders.set(portKey(forward), spec.name);
    }
    return holders;
  }

  const askOf = async (id: GuestId, wish: Wish): Promise<Guest> => {
    const actor = find(id);
    await actor.ask(wish);
    return actor.view();
  };

  const removeTrashed = async (id: GuestId): Promise<void> => {
    const actor = actors.get(id);
    if (actor?.record.now.trashedAt == null) return;
    purging.add(id);
    try {
      await removeOwnFolder(actor.files.trashFolder, actor.name);
    } catch (thrown) {
      purging.delete(id);
      throw thrown;
    }
    await parts.settler().purged(id);
    store.remove(id);
    actor.release();
    actors.delete(id);
    purging.delete(id);
    feed.record(words.purged(actor.name));
  };

  const definitions = guestJobs({ actor: find, isOurs: (id) => asked.delete(id), removeTrashed });
  const targetOf = (actor: GuestActor): Job['target'] => ({ kind: 'guest', id: actor.record.now.id, name: actor.name });

  const { guests, unreadable } = store.load();
  for (const stored of guests) actorOf(stored);
  for (const { id, why } of unreadable) {
    log.error({ guest: id, why }, 'A guest cannot be read from the database and is left out.');
    feed.record({ severity: 'problem', kind: 'guest.unreadable', text: `The guest ${id} cannot be read from the database: ${why}` });
  }

  /** The row says where the folder belongs; an engine that was killed between the two left it elsewhere. */
  const settleFolder = async ({ files, record }: GuestActor): Promise<void> => {
    const [from, to] = record.now.trashedAt === null ? [files.trashFolder, files.folder] : [files.folder, files.trashFolder];
    if (isNamed(from) && !isNamed(to)) await moveFolder(from, to);
  };

  return {
    jobDefinitions: [definitions.suspend, definitions.purge] as unknown as JobDefinition<never>[],

    async adopt() {
      await Promise.all(
        [...actors.values()].map(async (actor) => {
          try {
            await settleFolder(actor);
            const { signal } = new AbortController();
            const isHere = actor.record.now.trashedAt === null;
            if (isHere) await parts.settler().beforeAdoption(actor.held(signal));
            await adoptGuest(actor, driver, log);
            if (isHere) await parts.settler().afterAdoption(actor.held(signal));
          } catch (thrown) {
            log.error({ guest: actor.record.now.id, error: thrown }, 'A guest could not be taken over.');
            actor.problem(
              `What ${actor.name} was doing when the engine ended is not known: ${thrown instanceof Error ? thrown.message : thrown}`,
            );
          }
        }),
      );
    },

    disposeOfRested() {
      for (const { record, run } of actors.values()) if (run === null && !record.now.saved) dispose(record.now.id);
    },

    async autostart() {
      for (const actor of actors.values()) {
        const { spec, trashedAt, creating } = actor.record.now;
        if (!spec.autostart || trashedAt !== null || creating) continue;
        // One after the other: guests that all boot at once are slower than in turn. A failure is in the feed already.
        await actor.ask({ verb: 'start' }).catch((thrown: unknown) => {
          const why = thrown instanceof Error ? thrown.message : String(thrown);
          log.warn({ guest: actor.record.now.id, why }, 'A guest could not be started automatically.');
          actor.say({
            severity: 'problem',
            kind: 'guest.autostartFailed',
            text: `${actor.name} could not be started automatically: ${why}`,
          });
        });
      }
    },

    async release() {
      for (const actor of actors.values()) actor.release();
    },

    list: () => [...actors.values()].filter(({ record }) => record.now.trashedAt === null).map((actor) => actor.view()),
    listTrash: () => [...actors.values()].filter(({ record }) => record.now.trashedAt !== null).map((actor) => actor.view()),
    show: (id) => find(id).view(),
    runningCount: () => [...actors.values()].filter((actor) => actor.run !== null).length,

    start: (id) => askOf(id, { verb: 'start' }),
    pause: (id) => askOf(id, { verb: 'pause' }),
    resume: (id) => askOf(id, { verb: 'resume' }),
    shutdown: (id, timeoutSeconds) => askOf(id, { verb: 'shutdown', timeoutSeconds }),
    forceOff: (id) => askOf(id, { verb: 'forceOff' }),
    reset: (id) => askOf(id, { verb: 'reset' }),

    async suspend(id, by) {
      const actor = find(id);
      const underWay = suspendJobs.get(id);
      if (underWay) return underWay;
      actor.check('suspend');
      const reason = driver.cannot(actor.record.now.spec, 'suspend');
      if (reason) throw new Failure('guest/denied', reason);
      asked.add(id);
      const job = jobs.start(definitions.suspend, {
        title: `Suspend ${actor.name}`,
        target: targetOf(actor),
        input: { guestId: id },
        startedBy: by,
      });
      if (!jobEnded.has(job.state)) suspendJobs.set(id, job);
      const forget = () => {
        suspendJobs.delete(id);
        asked.delete(id);
      };
      void jobs.ended(job.id).then(forget, forget);
      return job;
    },

    async hold(id, verb, work) {
      let answer: { value: Awaited<ReturnType<typeof work>> } | null = null;
      await find(id).ask({
        verb,
        work: async (held) => {
          mustBeReachable(held.files.folder, held.stored.spec.name);
          await parts.settler().giveWay(id);
          answer = { value: await work(held) };
        },
      });
      if (!answer) throw new Failure('guest/denied', 'The guest could not be held.');
      return (answer as { value: Awaited<ReturnType<typeof work>> }).value;
    },

    async delete(id) {
      await find(id).ask({ verb: 'delete' });
    },

    async restore(id) {
      const actor = find(id);
      if (purging.has(id)) throw new Failure('guest/denied', `${actor.name} is being deleted for good.`);
      await actor.restore((name) => freeName(name, (one) => isTaken(one, id)));
      return actor.view();
    },

    async purge(id, by) {
      const actor = find(id);
      if (actor.record.now.trashedAt === null) {
        throw new Failure('guest/not-in-trash', `${actor.name} is not in the trash.`, { hint: 'Delete it first.' });
      }
      purging.add(id);
      return jobs.start(definitions.purge, {
        title: `Delete ${actor.name} for good`,
        target: targetOf(actor),
        input: { guestId: id },
        startedBy: by,
      });
    },

    async rename(id, name) {
      const actor = find(id);
      const { spec } = actor.record.now;
      if (spec.name === name) return actor.view();
      actor.check('rename');
      checkName(name, id);
      actor.record.save({ spec: { ...spec, name } });
      actor.publish();
      actor.say(words.renamed(spec.name, name));
      return actor.view();
    },

    async annotate(id, change) {
      const actor = find(id);
      actor.record.save({ spec: { ...actor.record.now.spec, ...change } });
      actor.publish();
      return actor.view();
    },

    runsWith: (id) => find(id).record.runsWith,

    isIdle: (id) => find(id).isIdle,

    liveDisks(id) {
      const { run, isIdle, state } = find(id);
      return run && isIdle && (state.status === 'running' || state.pause?.kind === 'user') ? run : null;
    },

    async sharesOf(id) {
      const { record, run } = find(id);
      return driver.shares(record.runsWith ?? record.startsWith, run?.facts ?? null);
    },

    // Also of what is left of a guest that was moved: whoever moved it by hand may have to bring it back.
    expert: (id, command, argumentsOf) => promised(() => find(id).running('console').expert(command, argumentsOf)),

    async screenshot(id) {
      const actor = find(id);
      actor.running('screenshot');
      return actor.frames.take();
    },

    async thumbnail(id, maxAgeMs) {
      const actor = find(id);
      return actor.run ? actor.frames.recent(maxAgeMs) : actor.frames.last();
    },

    exec: (id, command, timeoutSeconds) =>
      promised(() =>
        find(id)
          .running('exec')
          .exec(command, timeoutSeconds * 1000),
      ),
    trim: (id) => promised(() => find(id).running('exec').trim()),
    type: (id, text, layout) =>
      promised(() => {
        const { keyboard, os } = find(id).record.now.spec;
        return find(id)
          .running('type')
          .pressKeys(chordsOf(text, layout ?? keyboard.layout, os.family === 'windows'));
      }),
    sendKeys: (id, keys) => promised(() => find(id).running('type').pressKeys([keys])),
    async keysRead(id) {
      const actor = find(id);
      return actor.state.pause?.kind === 'moved' ? null : actor.running('type').keysRead();
    },

    consoles(id) {
      const { run, state } = find(id);
      const moved = run?.movedSpiceSocketPath ?? null;
      return {
        // Whoever comes to a guest that was moved comes to where it is.
        spiceSocketPath: state.pause?.kind === 'moved' ? moved : (run?.spiceSocketPath ?? null),
        movedSpiceSocketPath: moved,
        serial: run?.hasSerial ?? false,
      };
    },

    async arguments(id) {
      const actor = find(id);
      return actor.run?.facts.arguments ?? driver.describe(actor.launchRequest());
    },

    attachSerial(id, listener) {
      const actor = find(id);
      const run = actor.running('console');
      if (!run.hasSerial) throw new Failure('console/unavailable', `${actor.name} has no serial console.`);
      return run.attachSerial(listener);
    },

    async measure(id) {
      const { run } = find(id);
      return run ? run.measure().catch(() => null) : null;
    },

    nameTaken: isTaken,

    beginCreation(id, spec, lineage = noLineage, location = parts.defaultLocation()) {
      checkName(spec.name);
      const stored: StoredGuest = {
        id,
        spec,
        createdAt: new Date().toISOString(),
        lastStartedAt: null,
        trashedAt: null,
        creating: true,
        run: null,
        saved: null,
        crash: null,
        lineage,
      };
      store.save(stored);
      try {
        if (location !== null) makeFolderIn(location, layout.guest(id).folder);
      } catch (thrown) {
        store.remove(id);
        throw thrown;
      }
      const actor = actorOf(stored);
      actor.publish();
      return actor.view();
    },

    finishCreation(id, spec, saved = null) {
      const actor = find(id);
      // Renamed meanwhile it keeps its new name.
      actor.record.save({ creating: false, spec: { ...spec, name: actor.name }, saved });
      actor.show(restingStatus(actor.record.now));
      return actor.view();
    },

    abandonCreation: abandon,

    async abandonUnlessRun(id) {
      const record = actors.get(id)?.record.now;
      if (record && (record.creating || (record.lineage.disposable && record.run === null))) await abandon(id);
    },

    setTemplate(id, template) {
      const actor = find(id);
      const { lineage } = actor.record.now;
      actor.check(template ? 'makeTemplate' : 'makeGuest');
      if (lineage.template === template) return actor.view();
      actor.record.save({ lineage: { ...lineage, template }, crash: null });
      actor.show(template ? 'template' : 'off');
      actor.say(template ? words.madeTemplate(actor.name) : words.madeGuest(actor.name));
      return actor.view();
    },

    setIdentity(id, identity) {
      const actor = find(id);
      actor.record.save({ lineage: { ...actor.record.now.lineage, identity } });
      actor.publish();
    },

    keep(id) {
      const actor = find(id);
      const { lineage } = actor.record.now;
      if (!lineage.disposable) return actor.view();
      actor.record.save({ lineage: { ...lineage, disposable: false } });
      actor.publish();
      actor.say(words.kept(actor.name));
      return actor.view();
    },
  };
}

/** Runs `work` so that what it throws at once is a rejection as well. */
async function promised<T>(work: () => Promise<T>): Promise<T> {
  return work();
}
