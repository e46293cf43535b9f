/** Guests in the database: one row each. What is asked of a guest is written before it is done, so that any later engine can go on. */
import { z } from 'zod';
import { guestOrigin, innerIdentity } from '../../../contract/guest-lineage.ts';
import { acceleratorName, type GuestSpec } from '../../../contract/guest-spec.ts';
import { type Crash, crash } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Database } from '../store/database.ts';
import { parseStoredSpec } from './spec-migrations.ts';

const runFacts = z.object({
  arguments: z.array(z.string()),
  accelerator: acceleratorName,
  machine: z.string().nullable(),
  startedAt: z.string(),
  bootId: z.string(),
  process: z.object({ pid: z.number().int(), startTicks: z.number() }).nullable(),
  plugged: z.record(z.string(), z.string()).default({}),
});

/** A spec within another column, migrated as the guest's own is. Rows of a time before there was one have none. */
const specThere = z
  .unknown()
  .transform((value): GuestSpec | null => (value === undefined || value === null ? null : parseStoredSpec(JSON.stringify(value))));

/** A run that was begun and is not yet known to have ended. */
const runRecord = z.object({
  facts: runFacts,
  /** What was asked and must be carried on, or taken back, by an engine that finds it. */
  ask: z.enum(['forceOff', 'suspend']).nullable(),
  /** Whether the guest stood still before it was asked to suspend. */
  wasPaused: z.boolean(),
  /** The guest is loading its saved state: it has not run yet. */
  loading: z.boolean(),
  shutdown: z.object({ askedAt: z.string(), by: z.enum(['agent', 'acpi']), timeoutSeconds: z.number() }).nullable(),
  problems: z.array(z.string()),
  /** The hardware that it runs with; null when it is that of the guest's spec. */
  spec: specThere,
});
export type RunRecord = z.infer<typeof runRecord>;

export const savedWith = z.object({
  machine: z.string(),
  accelerator: acceleratorName,
  /** The hardware that the state was saved with, and that it goes on with; null when it is that of the guest's spec. */
  spec: specThere,
  plugged: z.record(z.string(), z.string()).default({}),
});
export type SavedRecord = z.infer<typeof savedWith>;

/** The column `run`: the run, and with what the saved state was made while there is one. */
const runColumn = z.object({ run: runRecord.nullable(), saved: savedWith.nullable() });

const lineage = z.object({
  /** Off for good, to make guests from. */
  template: z.boolean(),
  /** Goes with its disks when it ends. */
  disposable: z.boolean(),
  origin: guestOrigin.nullable(),
  identity: innerIdentity.nullable(),
});
export type Lineage = z.infer<typeof lineage>;
export const noLineage: Lineage = { template: false, disposable: false, origin: null, identity: null };

export type StoredGuest = {
  id: GuestId;
  spec: GuestSpec;
  createdAt: string;
  lastStartedAt: string | null;
  trashedAt: string | null;
  creating: boolean;
  run: RunRecord | null;
  /** Set while the guest is suspended to disk, and until it runs again. */
  saved: SavedRecord | null;
  crash: Crash | null;
  lineage: Lineage;
};

type Row = {
  id: string;
  spec: string;
  created_at: string;
  last_started_at: string | null;
  trashed_at: string | null;
  creating: number;
  run: string | null;
  crash: string | null;
  suspended: number;
  lineage: string | null;
};

export type GuestStore = {
  /** Every guest, and for each row that cannot be read the reason. */
  load(): { guests: StoredGuest[]; unreadable: { id: string; why: string }[] };
  /** Writes the whole row. @throws Failure `store/full`, `store/not-writable` */
  save(guest: StoredGuest): void;
  remove(id: GuestId): void;
};

export function createGuestStore(database: Database): GuestStore {
  const all = database.prepare<Row>('guests.all', 'SELECT * FROM guests ORDER BY created_at, id');
  const put = database.prepare(
    'guests.put',
    `INSERT INTO guests (id, spec, created_at, last_started_at, trashed_at, creating, run, crash, suspended, lineage)
     VALUES (@id, @spec, @createdAt, @lastStartedAt, @trashedAt, @creating, @run, @crash, @suspended, @lineage)
     ON CONFLICT (id) DO UPDATE SET spec = @spec, last_started_at = @lastStartedAt, trashed_at = @trashedAt,
       creating = @creating, run = @run, crash = @crash, suspended = @suspended, lineage = @lineage`,
  );
  const drop = database.prepare('guests.remove', 'DELETE FROM guests WHERE id = ?');
  return {
    load() {
      const guests: StoredGuest[] = [];
      const unreadable: { id: string; why: string }[] = [];
      for (const row of all.all()) {
        try {
          guests.push(parseRow(row));
        } catch (thrown) {
          unreadable.push({ id: row.id, why: thrown instanceof Error ? thrown.message : String(thrown) });
        }
      }
      return { guests, unreadable };
    },
    save(guest) {
      const { run, saved } = guest;
      put.run({
        id: guest.id,
        spec: JSON.stringify(guest.spec),
        createdAt: guest.createdAt,
        lastStartedAt: guest.lastStartedAt,
        trashedAt: guest.trashedAt,
        creating: guest.creating ? 1 : 0,
        run: run || saved ? JSON.stringify({ run, saved }) : null,
        crash: guest.crash ? JSON.stringify(guest.crash) : null,
        suspended: saved ? 1 : 0,
        lineage: guest.lineage === noLineage ? null : JSON.stringify(guest.lineage),
      });
    },
    remove(id) {
      drop.run(id);
    },
  };
}

function parseRow(row: Row): StoredGuest {
  const { run, saved } = row.run === null ? { run: null, saved: null } : runColumn.parse(JSON.parse(row.run));
  return {
    id: row.id as GuestId,
    spec: parseStoredSpec(row.spec),
    createdAt: row.created_at,
    lastStartedAt: row.last_started_at,
    trashedAt: row.trashed_at,
    creating: row.creating === 1,
    run,
    saved,
    crash: row.crash === null ? null : crash.parse(JSON.parse(row.crash)),
    lineage: row.lineage === null ? noLineage : lineage.parse(JSON.parse(row.lineage)),
  };
}
