/** Implements `snapshots.ts`: the rows, the jobs, and what an engine before left half-done. */
import { readFile, rm } from 'node:fs/promises';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { GuestSnapshot } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, SnapshotId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Clones } from '../clones/clones.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Feed } from '../feed/feed.ts';
import type { Layout } from '../files/layout.ts';
import { awayLocation, mustBeReachable } from '../files/moved-folder.ts';
import type { GuestSettler } from '../guests/guest-settler.ts';
import type { Guests } from '../guests/guests.ts';
import { demandSpace } from '../images/copy-medium.ts';
import type { ImportInput } from '../images/import-job.ts';
import type { JobDefinition, JobRunner } from '../jobs/job-definition.ts';
import type { DiskWork } from '../layers/disk-work.ts';
import { cannotFreeze, settleFreezes } from '../layers/freeze-disks.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Log } from '../log/log.ts';
import type { Database } from '../store/database.ts';
import { newSnapshotId } from '../store/new-id.ts';
import { createFromSnapshot } from './from-snapshot.ts';
import { type MakeParts, makeSnapshot, settleMaking } from './make-snapshot.ts';
import { createMoments } from './moments.ts';
import { createOwnAccord } from './own-accord.ts';
import { type RevertParts, revertGuest, settleRevert } from './revert-guest.ts';
import { snapshotJobs } from './snapshot-jobs.ts';
import { carriedTreeOf, livingAncestor, viewTree } from './snapshot-view.ts';
import type { NewSnapshot, Snapshots } from './snapshots.ts';
import { createSnapshotStore, type StoredSnapshot } from './store.ts';
import { createTidying } from './tidying.ts';

export type SnapshotsDeps = {
  layout: Layout;
  database: Database;
  /** Guests need snapshots and snapshots need guests, so this is asked only when something is done. */
  guests: () => Pick<Guests, 'list' | 'listTrash' | 'show' | 'hold' | 'forceOff' | 'isIdle' | 'liveDisks'>;
  driver: Pick<Driver, 'cannot' | 'dropSaved'>;
  jobs: Pick<JobRunner, 'start' | 'ended'>;
  lineageLock: LineageLock;
  diskWork: DiskWork;
  qemuImgPath(): Promise<string>;
  importDefinition: JobDefinition<ImportInput>;
  keepFreeBytes(): number;
  /** Clones need guests and guests snapshots, so this is asked only when one is made. */
  disposable: Clones['disposable'];
  /** Whether a guest is on its way to another storage location. */
  isBeingMoved(): boolean;
  /** Forgets the changes of a guest's hardware that could be undone. */
  forgetEdits(id: GuestId): void;
  feed: Feed;
  clock: Clock;
  log: Log;
};

export type SnapshotRegistry = Snapshots & {
  jobDefinitions: readonly JobDefinition<never>[];
  settler: GuestSettler;
  /** Paths of the layers that each guest's snapshots name; null when that is not known. */
  layersByGuest(): ReadonlyMap<GuestId, ReadonlySet<string>> | null;
  /** Forgets what belongs to no guest and removes what nothing needs; called once the jobs are recovered. */
  settleLeftovers(): Promise<void>;
};

/** How long a deleted snapshot can be brought back. */
const restorableMs = 5 * 60_000;

export function createSnapshots(deps: SnapshotsDeps): SnapshotRegistry {
  const { layout, guests, driver, jobs, feed, clock } = deps;
  const log = deps.log.child({ room: 'snapshots' });
  const store = createSnapshotStore(deps.database);
  const makeParts: MakeParts = { layout, store, lineageLock: deps.lineageLock, log };
  const revertParts: RevertParts = {
    layout,
    store,
    driver,
    lineageLock: deps.lineageLock,
    forgetEdits: deps.forgetEdits,
  };
  /** Snapshots that this engine is making or reverting to, by their guests. */
  const underWay = new Map<GuestId, { kind: 'make' | 'revert'; snapshotId: SnapshotId }>();
  const asked = new Set<SnapshotId>();
  /** Guests whose layers are being read by an export. */
  const untouched = new Set<GuestId>();
  const filesOf = (id: GuestId) => layout.guest(id);

  const layersByGuest = (): Map<GuestId, Set<string>> | null => {
    const { snapshots, unreadable } = store.all();
    if (unreadable > 0) return null;
    const held = new Map<GuestId, Set<string>>();
    for (const { guestId: id, disks } of snapshots) {
      const layers = held.get(id) ?? new Set();
      for (const { layer } of disks) layers.add(layout.layer(layer));
      held.set(id, layers);
    }
    return held;
  };

  const definitions = snapshotJobs({
    store,
    isOurs: (id) => asked.delete(id),
    make: async ({ input, signal, progress }) => {
      await guests().hold(input.guestId, 'snapshot', async (held) => {
        await demandSpace(held.files.disk('any'), 0, deps.keepFreeBytes());
        await makeSnapshot(makeParts, held, rowOf(input.snapshotId), signal, progress);
      });
      const { name, memory } = rowOf(input.snapshotId);
      const what = memory ? `The snapshot “${name}” was made, with memory.` : `The snapshot “${name}” was made.`;
      feed.record({ severity: 'info', kind: 'snapshot.made', text: `${nameOf(input.guestId)}: ${what}`, guestId: input.guestId });
    },
    revert: async ({ input, jobId, signal, progress }) => {
      if (input.forceOff && guests().show(input.guestId).state.run) await guests().forceOff(input.guestId);
      await guests().hold(input.guestId, 'revert', async (held) => {
        const snapshot = rowOf(input.snapshotId);
        if (input.keepAs) await makeSnapshot(makeParts, held, rowOf(input.keepAs), signal, progress);
        await revertGuest(revertParts, held, snapshot, jobId, signal);
      });
      const { name } = rowOf(input.snapshotId);
      feed.record({
        severity: 'info',
        kind: 'snapshot.reverted',
        text: `${nameOf(input.guestId)} is what it was in the snapshot “${name}”.`,
        guestId: input.guestId,
      });
      await tidying.tidy();
    },
    mergeAll: (context) => tidying.mergeAll(context),
  });
  const fromSnapshot = createFromSnapshot({
    ...deps,
    row: (id) => rowOf(id),
    livingRow: (id) => livingRow(id),
    nameOf: (id) => nameOf(id),
  });
  const tidying = createTidying({
    ...deps,
    log,
    heldLayers: () => {
      const held = layersByGuest();
      return held && new Set([...held.values()].flatMap((layers) => [...layers]));
    },
    isRead: () => untouched.size > 0 || deps.isBeingMoved(),
    definition: () => definitions.tidy,
  });

  const moments = createMoments({
    layout,
    store,
    makeParts,
    guests,
    underWay,
    tidy: () => tidying.tidy(),
    newRow(id, name, stays) {
      const guest = guests().show(id);
      mustBePossible(guest, 'snapshot');
      const refusal = cannotFreeze(guest.spec);
      if (refusal) throw refusal;
      return newRow(guest, { name, reason: stays ? 'user' : 'clone' });
    },
  });

  const nameOf = (id: GuestId): string => guests().show(id).spec.name;
  const rowOf = (id: SnapshotId): StoredSnapshot => {
    const row = store.find(id);
    if (!row) throw new Failure('snapshot/not-found', `There is no snapshot ${id}.`, { hint: 'It may have been deleted.' });
    return row;
  };
  /** One that was not deleted. */
  const livingRow = (id: SnapshotId): StoredSnapshot => {
    const row = rowOf(id);
    if (row.deletedAt !== null) {
      throw new Failure('snapshot/not-found', `The snapshot “${row.name}” was deleted.`, {
        hint: 'For some minutes it can be brought back.',
      });
    }
    return row;
  };
  const viewOf = (row: StoredSnapshot): GuestSnapshot => {
    const found = viewTree(store.ofGuest(row.guestId), filesOf(row.guestId), layout).find(({ id }) => id === row.id);
    if (!found) throw new Failure('snapshot/not-found', `There is no snapshot ${row.id}.`);
    return found;
  };
  const tell = (kind: string, guestId: GuestId, text: string) =>
    feed.record({ severity: 'info', kind: `snapshot.${kind}`, text: `${nameOf(guestId)}: ${text}`, guestId });

  /** @throws Failure `guest/denied`, `layer/not-freezable` */
  const mustBePossible = (guest: Guest, verb: 'snapshot' | 'revert') => {
    if (guest.trashedAt !== null) throw new Failure('guest/denied', `${guest.spec.name} is in the trash.`, { hint: 'Restore it first.' });
    const busy = underWay.get(guest.id);
    if (busy) {
      const what = busy.kind === 'make' ? 'A snapshot of the guest is being made.' : 'The guest is being taken back to a snapshot.';
      throw new Failure('guest/denied', what, { hint: 'Wait until that is done.' });
    }
    const reason = guestCannot(guest.state, verb);
    if (reason) throw new Failure('guest/denied', reason);
  };
  const memoryProblem = (guest: Guest): string | null => {
    const { status, pause } = guest.state;
    if (status === 'suspended') return null;
    if (status !== 'running' && status !== 'paused') return 'The guest is off, so there is no memory to keep.';
    if (status === 'paused' && pause && pause.kind !== 'user') return `${pause.text} Memory can be kept once it runs again.`;
    return driver.cannot(guest.spec, 'suspend');
  };

  const newRow = (guest: Guest, wanted: NewSnapshot): StoredSnapshot => ({
    id: newSnapshotId(),
    guestId: guest.id,
    parentId: store.currentOf(guest.id),
    name: wanted.name ?? `Snapshot ${store.ofGuest(guest.id).length + 1}`,
    note: wanted.note ?? '',
    createdAt: instantNow(clock),
    deletedAt: null,
    reason: wanted.reason ?? 'user',
    guestWas: 'off',
    quiesced: false,
    memory: null,
    nvram: false,
    tpm: false,
    disks: [],
    spec: guest.spec,
    making: { plan: null, wantsMemory: wanted.memory ?? false, wasRunning: false },
  });

  const targetOf = ({ id, spec }: Guest): Job['target'] => ({ kind: 'guest', id, name: spec.name });

  /** When the job has ended, whatever came of it: rows of snapshots that did not come to be go, unless they still have to be settled. */
  const afterJob = (guestId: GuestId, job: Job, rows: readonly SnapshotId[]) => {
    const end = () => {
      underWay.delete(guestId);
      try {
        for (const id of rows) {
          asked.delete(id);
          if (store.find(id)?.making?.plan === null) store.remove(id);
        }
      } catch (thrown) {
        log.warn(
          { error: toGuesthouseError(thrown), guest: guestId },
          'A snapshot that was not made is still listed; the next engine removes it.',
        );
      }
    };
    return jobs.ended(job.id).then(end, end);
  };

  const startMaking = (guest: Guest, wanted: NewSnapshot, by: string): { row: StoredSnapshot; job: Job; ended: Promise<void> } => {
    const row = newRow(guest, wanted);
    store.save(row);
    underWay.set(guest.id, { kind: 'make', snapshotId: row.id });
    asked.add(row.id);
    try {
      const job = jobs.start(definitions.create, {
        title: `Snapshot “${row.name}” of ${guest.spec.name}`,
        target: targetOf(guest),
        input: { guestId: guest.id, snapshotId: row.id },
        startedBy: by,
      });
      return { row, job, ended: afterJob(guest.id, job, [row.id]) };
    } catch (thrown) {
      underWay.delete(guest.id);
      store.remove(row.id);
      throw thrown;
    }
  };

  const forget = async (row: StoredSnapshot): Promise<void> => {
    // What is being read goes another time.
    if (untouched.has(row.guestId)) return;
    store.removeFromTree(row);
    await rm(filesOf(row.guestId).snapshot(row.id).folder, { recursive: true, force: true });
  };

  /** Forgets the deleted ones that cannot be brought back any more, and what nothing needs then. */
  const forgetDeleted = async (): Promise<void> => {
    const { snapshots } = store.all();
    const old = snapshots.filter(({ deletedAt }) => deletedAt !== null && clock.nowMs() - Date.parse(deletedAt) >= restorableMs);
    // Of a guest that is being moved, or whose location is not there, nothing can be removed now.
    const busy = new Set(
      guests()
        .list()
        .flatMap(({ id, state }) => (state.busy === undefined ? [] : [id])),
    );
    const gone = old.filter(({ guestId: id }) => !busy.has(id) && awayLocation(filesOf(id).folder) === null);
    for (const row of gone) await forget(row);
    if (gone.length > 0) await tidying.tidy();
  };

  const ownAccord = createOwnAccord({
    layout,
    store,
    guests,
    clock,
    log,
    isUnderWay: (id) => underWay.has(id),
    make: (guest, wanted, by) => startMaking(guest, wanted, by).ended,
    forget,
    tidy: () => tidying.tidy(),
  });

  const settleAll = async (held: Parameters<GuestSettler['afterAdoption']>[0], how: 'finish' | 'take back'): Promise<void> => {
    for (const row of store.ofGuest(held.id)) {
      if (!row.making || underWay.get(held.id)?.snapshotId === row.id) continue;
      await settleMaking(makeParts, held, row, how);
      if (store.find(row.id)) {
        tell('made', held.id, `The snapshot “${row.name}” was made, although the engine ended meanwhile.`);
      } else tell('undone', held.id, `The snapshot “${row.name}” was not made, because the engine ended meanwhile.`);
    }
  };

  return {
    jobDefinitions: [
      definitions.create,
      definitions.revert,
      definitions.tidy,
      fromSnapshot.exportDefinition,
    ] as unknown as JobDefinition<never>[],

    settler: {
      // What is half-done with disks that cannot be reached is settled before the guest runs again, which is not before they can be.
      async beforeAdoption(held) {
        if (awayLocation(held.files.folder) === null) await settleRevert(revertParts, held);
      },
      async afterAdoption(held) {
        if (awayLocation(held.files.folder) !== null) return;
        await settleAll(held, 'finish');
        // A guest that does not answer yet has its disks looked at before they are worked with again.
        await held.run
          ?.settleLayers()
          .catch((thrown: unknown) => log.warn({ guest: held.id, error: thrown }, 'Layers could not be settled.'));
        if (!held.stored.creating) await settleFreezes(held.stored.spec, { layout, files: held.files });
      },
      async beforeRun(held) {
        mustBeReachable(held.files.folder, held.stored.spec.name);
        await deps.diskWork.giveWay(held.id);
        await settleRevert(revertParts, held);
        await settleAll(held, 'take back');
      },
      giveWay: (id) => deps.diskWork.giveWay(id),
      async purged(id) {
        store.removeGuest(id);
        await tidying.tidy();
      },
    },

    layersByGuest,

    async settleLeftovers() {
      const known = new Set([...guests().list(), ...guests().listTrash()].map(({ id }) => id));
      for (const row of store.all().snapshots) if (!known.has(row.guestId)) store.removeGuest(row.guestId);
      await forgetDeleted();
      await tidying.mend();
      await tidying.tidy();
    },

    tree(guestId) {
      const guest = guests().show(guestId);
      const all = store.ofGuest(guestId);
      const refusal = cannotFreeze(guest.spec)?.error;
      return {
        snapshots: viewTree(all, filesOf(guestId), layout),
        currentId: livingAncestor(store.currentOf(guestId), all),
        cannot: refusal ? { message: refusal.message, hint: refusal.hint ?? null } : null,
        cannotMemory: memoryProblem(guest),
        schedule: store.scheduleOf(guestId),
      };
    },

    show: (id) => viewOf(livingRow(id)),

    async create(guestId, wanted, by) {
      const guest = guests().show(guestId);
      mustBePossible(guest, 'snapshot');
      const refusal = cannotFreeze(guest.spec);
      if (refusal) throw refusal;
      const problem = wanted.memory ? memoryProblem(guest) : null;
      if (problem) throw new Failure('guest/denied', problem, { path: 'memory', hint: 'Make the snapshot without memory.' });
      const { row, job } = startMaking(guest, wanted, by);
      return { snapshot: viewOf(row), job };
    },

    async revert(id, { keepPresent, forceOff }, by) {
      const snapshot = livingRow(id);
      const guest = guests().show(snapshot.guestId);
      const off = forceOff && guest.state.run !== undefined;
      mustBePossible(off ? { ...guest, state: { ...guest.state, status: 'off' } } : guest, 'revert');
      if (snapshot.making) throw new Failure('guest/denied', `The snapshot “${snapshot.name}” is still being made.`);
      const refusal = keepPresent ? cannotFreeze(guest.spec) : null;
      if (refusal) throw refusal;
      const kept = keepPresent ? newRow(guest, { name: `Before going back to “${snapshot.name}”`.slice(0, 120), reason: 'revert' }) : null;
      if (kept) store.save(kept);
      underWay.set(guest.id, { kind: 'revert', snapshotId: kept?.id ?? snapshot.id });
      asked.add(snapshot.id);
      try {
        const job = jobs.start(definitions.revert, {
          title: `Take ${guest.spec.name} back to “${snapshot.name}”`,
          target: targetOf(guest),
          input: { guestId: guest.id, snapshotId: snapshot.id, keepAs: kept?.id ?? null, forceOff },
          startedBy: by,
        });
        void afterJob(guest.id, job, kept ? [kept.id] : []).then(() => asked.delete(snapshot.id));
        return job;
      } catch (thrown) {
        underWay.delete(guest.id);
        if (kept) store.remove(kept.id);
        throw thrown;
      }
    },

    export: fromSnapshot.export,

    moments,

    open: fromSnapshot.open,

    delete(id) {
      const row = livingRow(id);
      const busy = underWay.get(row.guestId);
      if (row.making || busy?.kind === 'revert') {
        const what = row.making ? `The snapshot “${row.name}” is still being made.` : 'The guest is being taken back to a snapshot.';
        throw new Failure('guest/denied', what, { hint: 'Wait until that is done.' });
      }
      store.save({ ...row, deletedAt: instantNow(clock) });
      tell('deleted', row.guestId, `The snapshot “${row.name}” was deleted.`);
    },

    restore(id) {
      const row = rowOf(id);
      if (row.deletedAt !== null) {
        store.save({ ...row, deletedAt: null });
        tell('restored', row.guestId, `The snapshot “${row.name}” is back.`);
      }
      return viewOf(rowOf(id));
    },

    edit(id, { name, note }) {
      const row = livingRow(id);
      store.save({ ...row, name: name ?? row.name, note: note ?? row.note });
      tell(
        'edited',
        row.guestId,
        name && name !== row.name ? `The snapshot “${row.name}” is now called “${name}”.` : `The note of “${row.name}” was changed.`,
      );
      return viewOf(livingRow(id));
    },

    setSchedule(guestId, change) {
      guests().show(guestId);
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const schedule = { ...store.scheduleOf(guestId), ...given };
      store.setSchedule(guestId, schedule);
      tell('schedule', guestId, schedule.enabled ? 'Snapshots are made by themselves.' : 'No snapshots are made by themselves any more.');
      return schedule;
    },

    async thumbnail(id) {
      const { guestId } = livingRow(id);
      return readFile(filesOf(guestId).snapshot(id).thumbnail).catch(() => null);
    },

    carried: (guestId) => carriedTreeOf(store.ofGuest(guestId), store.currentOf(guestId), store.scheduleOf(guestId)),

    async whileUntouched(guestId, work) {
      untouched.add(guestId);
      try {
        await deps.diskWork.giveWay(null);
        return await work();
      } finally {
        untouched.delete(guestId);
        void tidying.tidy();
      }
    },

    adopt: (guestId, tree, place) =>
      deps.lineageLock(async () => {
        await place();
        store.addTree(guestId, tree);
      }),

    async forsake(guestId) {
      store.removeGuest(guestId);
      await tidying.tidy();
    },

    beforeHardwareChange: ownAccord.beforeHardwareChange,

    tidyLayers: () => tidying.tidy(),

    async tick() {
      await forgetDeleted();
      await tidying.goOn();
      await ownAccord.followSchedules();
    },
  };
}
