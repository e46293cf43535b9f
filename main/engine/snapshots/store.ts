/** Snapshots in the database. What is about to be done stands there before it is done, so that any later engine can finish it or take it back. */
import { z } from 'zod';
import {
  defaultSnapshotSchedule,
  guestSnapshot,
  type SnapshotSchedule,
  snapshotReason,
  snapshotSchedule,
} from '../../../contract/guest-snapshot.ts';
import { deviceId, type GuestSpec } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId, layerId, type SnapshotId, snapshotId } from '../../../contract/ids.ts';
import { parseStoredSpec } from '../guests/spec-migrations.ts';
import { savedWith } from '../guests/store.ts';
import { freezePlan } from '../layers/freeze-disks.ts';
import type { Database } from '../store/database.ts';

const keptDisk = z.object({ id: deviceId, layer: layerId, sizeBytes: z.number() });

const keptFacts = z.object({
  reason: snapshotReason,
  guestWas: guestSnapshot.shape.guestWas,
  quiesced: z.boolean(),
  /** With what the memory was saved; null without memory. */
  memory: savedWith.nullable(),
  nvram: z.boolean(),
  tpm: z.boolean(),
  disks: z.array(keptDisk),
  /** The spec as text: its own version says how to read it. */
  spec: z.string(),
});

/** A snapshot on its way out of a guest or into one: whole, and of no guest. */
const carriedSnapshot = keptFacts.extend({
  id: snapshotId,
  parentId: snapshotId.nullable(),
  name: z.string(),
  note: z.string(),
  createdAt: z.string(),
});
/** All snapshots of a guest, each after its parent, with the place of the present among them. */
export const carriedTree = z.object({
  snapshots: z.array(carriedSnapshot),
  currentId: snapshotId.nullable(),
  schedule: snapshotSchedule,
});
export type CarriedTree = z.infer<typeof carriedTree>;

const making = z.object({
  /** Null as long as nothing was done. */
  plan: freezePlan.nullable(),
  wantsMemory: z.boolean(),
  /** The guest runs on afterwards, and its file systems may have been brought to rest. */
  wasRunning: z.boolean(),
});
export type Making = z.infer<typeof making>;

export type StoredSnapshot = Omit<z.infer<typeof keptFacts>, 'spec'> & {
  id: SnapshotId;
  guestId: GuestId;
  parentId: SnapshotId | null;
  name: string;
  note: string;
  createdAt: string;
  deletedAt: string | null;
  spec: GuestSpec;
  making: Making | null;
};

const reverting = z.object({
  guestId,
  jobId: z.string(),
  snapshotId,
  /** The new files of the disks, each upon its layer. */
  overlays: z.array(keptDisk.extend({ file: z.string() })),
  /** Files of the guest's folder that go when it is done. */
  leaves: z.array(z.string()),
  memory: z.boolean(),
  nvram: z.boolean(),
  tpm: z.boolean(),
  /** The spec names the new disks: from here on it is finished, before that it is taken back. */
  decided: z.boolean(),
});
export type Reverting = z.infer<typeof reverting>;

type Row = {
  id: string;
  guest_id: string;
  parent_id: string | null;
  name: string;
  note: string;
  created_at: string;
  deleted_at: string | null;
  kept: string;
  making: string | null;
};

export type SnapshotStore = {
  /** All of a guest, the deleted ones as well, the oldest first. */
  ofGuest(id: GuestId): StoredSnapshot[];
  /** Those that can be read; `unreadable` counts the others, whose layers nobody knows. */
  all(): { snapshots: StoredSnapshot[]; unreadable: number };
  find(id: SnapshotId): StoredSnapshot | null;
  save(snapshot: StoredSnapshot): void;
  remove(id: SnapshotId): void;
  /** Removes a snapshot for good: what came after it comes after its parent from then on. */
  removeFromTree(snapshot: Pick<StoredSnapshot, 'id' | 'guestId' | 'parentId'>): void;
  /** The job that took the guest back last, so that one that died after the deed is known to have done it. */
  revertedBy(id: GuestId): string | null;
  currentOf(id: GuestId): SnapshotId | null;
  setCurrent(id: GuestId, current: SnapshotId): void;
  /** As `setCurrent`, by a revert. */
  setReverted(id: GuestId, current: SnapshotId, jobId: string): void;
  scheduleOf(id: GuestId): SnapshotSchedule;
  setSchedule(id: GuestId, schedule: SnapshotSchedule): void;
  revertOf(id: GuestId): Reverting | null;
  saveRevert(revert: Reverting): void;
  endRevert(id: GuestId): void;
  /** Gives a guest that has none the snapshots of a tree. */
  addTree(id: GuestId, tree: CarriedTree): void;
  /** Forgets all of a guest. */
  removeGuest(id: GuestId): void;
  /** All that `work` stores, or nothing. */
  together(work: () => void): void;
};

export function createSnapshotStore(database: Database): SnapshotStore {
  const ofGuest = database.prepare<Row>('snapshots.ofGuest', 'SELECT * FROM snapshots WHERE guest_id = ? ORDER BY created_at, rowid');
  const all = database.prepare<Row>('snapshots.all', 'SELECT * FROM snapshots ORDER BY created_at, rowid');
  const find = database.prepare<Row>('snapshots.find', 'SELECT * FROM snapshots WHERE id = ?');
  const put = database.prepare(
    'snapshots.put',
    `INSERT INTO snapshots (id, guest_id, parent_id, name, note, created_at, deleted_at, kept, making)
     VALUES (@id, @guestId, @parentId, @name, @note, @createdAt, @deletedAt, @kept, @making)
     ON CONFLICT (id) DO UPDATE SET parent_id = @parentId, name = @name, note = @note, deleted_at = @deletedAt, kept = @kept, making = @making`,
  );
  const remove = database.prepare('snapshots.remove', 'DELETE FROM snapshots WHERE id = ?');
  const adoptChildren = database.prepare('snapshots.adoptChildren', 'UPDATE snapshots SET parent_id = ? WHERE parent_id = ?');
  const moveCurrent = database.prepare('snapshots.moveCurrent', 'UPDATE snapshot_guests SET current_id = ? WHERE current_id = ?');
  const guest = database.prepare<{ current_id: string | null; schedule: string | null; reverted_by: string | null }>(
    'snapshots.guest',
    'SELECT current_id, schedule, reverted_by FROM snapshot_guests WHERE guest_id = ?',
  );
  const setCurrent = database.prepare(
    'snapshots.setCurrent',
    'INSERT INTO snapshot_guests (guest_id, current_id) VALUES (@id, @current) ON CONFLICT (guest_id) DO UPDATE SET current_id = @current',
  );
  const setReverted = database.prepare(
    'snapshots.setReverted',
    `INSERT INTO snapshot_guests (guest_id, current_id, reverted_by) VALUES (@id, @current, @jobId)
     ON CONFLICT (guest_id) DO UPDATE SET current_id = @current, reverted_by = @jobId`,
  );
  const setSchedule = database.prepare(
    'snapshots.setSchedule',
    'INSERT INTO snapshot_guests (guest_id, schedule) VALUES (@id, @schedule) ON CONFLICT (guest_id) DO UPDATE SET schedule = @schedule',
  );
  const revert = database.prepare<{ reverting: string }>('snapshots.revert', 'SELECT reverting FROM snapshot_reverts WHERE guest_id = ?');
  const putRevert = database.prepare(
    'snapshots.putRevert',
    'INSERT INTO snapshot_reverts (guest_id, reverting) VALUES (@id, @reverting) ON CONFLICT (guest_id) DO UPDATE SET reverting = @reverting',
  );
  const endRevert = database.prepare('snapshots.endRevert', 'DELETE FROM snapshot_reverts WHERE guest_id = ?');
  const removeAll = database.prepare('snapshots.removeAll', 'DELETE FROM snapshots WHERE guest_id = ?');
  const removeGuest = database.prepare('snapshots.removeGuest', 'DELETE FROM snapshot_guests WHERE guest_id = ?');

  const save = ({ id, guestId: ofId, parentId, name, note, createdAt, deletedAt, making: work, spec, ...kept }: StoredSnapshot) => {
    put.run({
      id,
      guestId: ofId,
      parentId,
      name,
      note,
      createdAt,
      deletedAt,
      kept: JSON.stringify({ ...kept, spec: JSON.stringify(spec) }),
      making: work ? JSON.stringify(work) : null,
    });
  };

  return {
    ofGuest: (id) => ofGuest.all(id).flatMap((row) => tryParse(row) ?? []),
    all() {
      const parsed = all.all().map(tryParse);
      const snapshots = parsed.filter((one) => one !== null);
      return { snapshots, unreadable: parsed.length - snapshots.length };
    },
    find(id) {
      const row = find.get(id);
      return row ? tryParse(row) : null;
    },
    save,
    remove: (id) => void remove.run(id),
    removeFromTree({ id, parentId }) {
      database.transaction(() => {
        adoptChildren.run(parentId, id);
        moveCurrent.run(parentId, id);
        remove.run(id);
      });
    },
    currentOf: (id) => (guest.get(id)?.current_id ?? null) as SnapshotId | null,
    revertedBy: (id) => guest.get(id)?.reverted_by ?? null,
    setCurrent: (id, current) => void setCurrent.run({ id, current }),
    setReverted: (id, current, jobId) => void setReverted.run({ id, current, jobId }),
    scheduleOf(id) {
      const text = guest.get(id)?.schedule;
      return text ? snapshotSchedule.parse({ ...defaultSnapshotSchedule, ...JSON.parse(text) }) : defaultSnapshotSchedule;
    },
    setSchedule: (id, schedule) => void setSchedule.run({ id, schedule: JSON.stringify(schedule) }),
    revertOf(id) {
      const row = revert.get(id);
      return row ? reverting.parse(JSON.parse(row.reverting)) : null;
    },
    saveRevert: (one) => void putRevert.run({ id: one.guestId, reverting: JSON.stringify(one) }),
    endRevert: (id) => void endRevert.run(id),
    addTree(id, { snapshots, currentId, schedule }) {
      database.transaction(() => {
        for (const { spec, ...one } of snapshots) save({ ...one, spec: parseStoredSpec(spec), guestId: id, deletedAt: null, making: null });
        if (currentId !== null) setCurrent.run({ id, current: currentId });
        setSchedule.run({ id, schedule: JSON.stringify(schedule) });
      });
    },
    removeGuest(id) {
      database.transaction(() => {
        removeAll.run(id);
        removeGuest.run(id);
        endRevert.run(id);
      });
    },
    together: (work) => database.transaction(work),
  };
}

/** Null for a row that an odd hand changed, or that a newer Guesthouse wrote. */
function tryParse(row: Row): StoredSnapshot | null {
  try {
    const { spec, ...kept } = keptFacts.parse(JSON.parse(row.kept));
    return {
      ...kept,
      id: row.id as SnapshotId,
      guestId: row.guest_id as GuestId,
      parentId: row.parent_id as SnapshotId | null,
      name: row.name,
      note: row.note,
      createdAt: row.created_at,
      deletedAt: row.deleted_at,
      spec: parseStoredSpec(spec),
      making: row.making === null ? null : making.parse(JSON.parse(row.making)),
    };
  } catch {
    return null;
  }
}
