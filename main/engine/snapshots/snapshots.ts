/** All that the rest of the engine can ask about snapshots. Implemented by `snapshot-registry.ts`. */
import type { GuestSnapshot, SnapshotReason, SnapshotSchedule, SnapshotTree } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, LayerId, SnapshotId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import type { ByteProgress } from '../drivers/driver.ts';
import type { CarriedTree } from './store.ts';

export type NewSnapshot = {
  name?: string | undefined;
  note?: string | undefined;
  memory?: boolean | undefined;
  reason?: SnapshotReason;
};

/** What a snapshot kept of a guest's disks and firmware. Paths; null when it had none. */
export type KeptDisks = { layers: Readonly<Record<string, LayerId>>; nvram: string | null; tpmState: string | null };

/** The present of a guest, kept for clones of it. Each method can be called again after any engine died. */
export type Moments = {
  /** @throws Failure `guest/denied`, `layer/not-freezable` when there can be none now */
  begin(guest: GuestId, name: string, stays: boolean): SnapshotId;
  /** Keeps the present, or answers what was kept. @throws Failure also `snapshot/not-made` */
  make(id: SnapshotId, signal: AbortSignal, progress: ByteProgress): Promise<KeptDisks>;
  /** Removes what was kept unless it stays. Idempotent. */
  end(id: SnapshotId, stays: boolean): Promise<void>;
};

/** Methods throw `Failure`: `guest/not-found`, `snapshot/not-found`, `guest/denied` where `guest-can.ts` says so, `layer/not-freezable`. */
export type Snapshots = {
  tree(guest: GuestId): SnapshotTree;
  show(snapshot: SnapshotId): GuestSnapshot;
  create(guest: GuestId, wanted: NewSnapshot, by: string): Promise<{ snapshot: GuestSnapshot; job: Job }>;
  /** @throws Failure also `snapshot/incomplete` when something that it kept is gone */
  revert(snapshot: SnapshotId, how: { keepPresent: boolean; forceOff: boolean }, by: string): Promise<Job>;
  /** @throws Failure also `snapshot/incomplete` for a disk that it does not have */
  export(snapshot: SnapshotId, what: { disk?: string | undefined; name?: string | undefined }, by: string): Promise<Job>;
  /** A disposable guest upon the snapshot's disks; with `memory` it goes on from the moment of the snapshot. */
  open(snapshot: SnapshotId, memory: boolean, by: string): Promise<{ guest: Guest; job: Job }>;
  moments: Moments;
  /** What others need of it stays. It can be brought back for some minutes. */
  delete(snapshot: SnapshotId): void;
  /** @throws Failure `snapshot/not-found` when it is gone for good */
  restore(snapshot: SnapshotId): GuestSnapshot;
  edit(snapshot: SnapshotId, change: { name?: string | undefined; note?: string | undefined }): GuestSnapshot;
  setSchedule(guest: GuestId, change: { [Key in keyof SnapshotSchedule]?: SnapshotSchedule[Key] | undefined }): SnapshotSchedule;
  thumbnail(snapshot: SnapshotId): Promise<Buffer | null>;
  /** All snapshots of a guest as they would be in another Guesthouse; the deleted ones are left out. */
  carried(guest: GuestId): CarriedTree;
  /** Does `work` while no layer is changed or removed, whatever goes meanwhile. */
  whileUntouched<T>(guest: GuestId, work: () => Promise<T>): Promise<T>;
  /**
   * Gives a guest that is being made the snapshots of a tree. `place` puts their layers and the guest's disks where they belong; before the
   * rows are there nothing is tidied away.
   * @throws Failure of `place`: then no row is there
   */
  adopt(guest: GuestId, tree: CarriedTree, place: () => Promise<void>): Promise<void>;
  /** Takes back what {@link adopt} did, when the guest's disks are gone. Idempotent. */
  forsake(guest: GuestId): Promise<void>;
  /**
   * To be called before the hardware of a guest is changed: keeps what it is now, unless its schedule says not to or it can have no
   * snapshots. Settles when that is done; a failure is told in the feed and does not keep the change from being made.
   */
  beforeHardwareChange(guest: GuestId, by: string): Promise<void>;
  /** Removes layers that nothing needs any more, and begins to merge what can be. Never throws. */
  tidyLayers(): Promise<void>;
  /** Makes and forgets what schedules say; called about once a minute. */
  tick(): Promise<void>;
};
