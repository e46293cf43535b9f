/** Snapshots that are made without being asked for: by a guest's schedule, and before a change of its hardware. */
import { toGuesthouseError } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import { cannotFreeze, planFreeze } from '../layers/freeze-disks.ts';
import type { Log } from '../log/log.ts';
import { expired, isDue } from './retention.ts';
import type { NewSnapshot } from './snapshots.ts';
import type { SnapshotStore, StoredSnapshot } from './store.ts';

const keptBeforeHardware = 5;

export type OwnAccordDeps = {
  layout: Layout;
  store: SnapshotStore;
  guests: () => Pick<Guests, 'list' | 'show'>;
  clock: Clock;
  log: Log;
  /** Whether a snapshot of the guest is being made, or it is on its way back to one. */
  isUnderWay(id: GuestId): boolean;
  /** Settles once the snapshot was made, or was not. */
  make(guest: Guest, wanted: NewSnapshot, by: string): Promise<void>;
  forget(row: StoredSnapshot): Promise<void>;
  tidy(): Promise<void>;
};

export type OwnAccord = {
  followSchedules(): Promise<void>;
  /** Never throws: a change of hardware does not wait for what was not asked for. */
  beforeHardwareChange(id: GuestId, by: string): Promise<void>;
};

export function createOwnAccord({ layout, store, guests, clock, log, isUnderWay, make, forget, tidy }: OwnAccordDeps): OwnAccord {
  const madeFor = (id: GuestId, reason: StoredSnapshot['reason']) =>
    store.ofGuest(id).filter((row) => row.reason === reason && row.deletedAt === null);
  const cannot = (guest: Guest): boolean =>
    isUnderWay(guest.id) || guestCannot(guest.state, 'snapshot') !== null || cannotFreeze(guest.spec) !== null;

  const isUnchanged = async (guest: Guest): Promise<boolean> => {
    if (guest.state.run || store.currentOf(guest.id) === null) return false;
    const plan = await planFreeze(guest.spec, { files: layout.guest(guest.id), running: false });
    return plan.every(({ overlay }) => overlay === null);
  };

  const forgetAll = async (rows: readonly StoredSnapshot[]): Promise<void> => {
    for (const row of rows) await forget(row);
    if (rows.length > 0) await tidy();
  };

  const followSchedule = async (guest: Guest): Promise<void> => {
    const schedule = store.scheduleOf(guest.id);
    const made = madeFor(guest.id, 'schedule');
    const lastMs = made.length > 0 ? Math.max(...made.map(({ createdAt }) => Date.parse(createdAt))) : null;
    if (!isDue(schedule, lastMs, clock.nowMs()) || cannot(guest)) return;
    if (await isUnchanged(guest)) return;
    const name = instantNow(clock).slice(0, 16).replace('T', ' ');
    await make(guest, { name: `${name} UTC`, reason: 'schedule' }, 'schedule');
    const whole = madeFor(guest.id, 'schedule').filter((row) => !row.making);
    await forgetAll(
      expired(
        schedule,
        whole.map((row) => ({ row, atMs: Date.parse(row.createdAt) })),
      ).map(({ row }) => row),
    );
  };

  return {
    async followSchedules() {
      for (const guest of guests().list()) {
        await followSchedule(guest).catch((thrown: unknown) =>
          log.warn({ guest: guest.id, error: toGuesthouseError(thrown) }, 'A schedule of snapshots could not be followed.'),
        );
      }
    },

    async beforeHardwareChange(id, by) {
      const guest = guests().show(id);
      if (!store.scheduleOf(id).beforeHardwareChange || cannot(guest)) return;
      try {
        await make(guest, { name: 'Before a change of hardware', reason: 'hardware' }, by);
        const whole = madeFor(id, 'hardware').filter((row) => !row.making);
        await forgetAll(whole.slice(0, Math.max(0, whole.length - keptBeforeHardware)));
      } catch (thrown) {
        log.warn({ guest: id, error: toGuesthouseError(thrown) }, 'No snapshot could be made before a change of hardware.');
      }
    },
  };
}
