/** What the hardware of guests was before each of their last edits. */
import { z } from 'zod';
import { keptEdits, type PastEdit, specDifference } from '../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { parseStoredSpec } from '../guests/spec-migrations.ts';
import type { Database } from '../store/database.ts';

/** An edit with the spec as it was before. */
export type StoredEdit = PastEdit & { spec: GuestSpec };

export type EditStore = {
  /** Newest first. */
  list(guest: GuestId): StoredEdit[];
  add(guest: GuestId, edit: Omit<StoredEdit, 'id'>): void;
  /** Forgets the edit and those after it. */
  forgetFrom(guest: GuestId, id: number): void;
};

type Row = { id: number; at: string; who: string; changes: string; spec: string };

export function createEditStore(database: Database): EditStore {
  const all = database.prepare<Row>(
    'edits.list',
    'SELECT id, at, who, changes, spec FROM hardware_edits WHERE guest_id = ? ORDER BY id DESC LIMIT ?',
  );
  const insert = database.prepare(
    'edits.add',
    'INSERT INTO hardware_edits (guest_id, at, who, changes, spec) VALUES (@guest, @at, @who, @changes, @spec)',
  );
  const prune = database.prepare(
    'edits.prune',
    'DELETE FROM hardware_edits WHERE guest_id = @guest AND id NOT IN (SELECT id FROM hardware_edits WHERE guest_id = @guest ORDER BY id DESC LIMIT @kept)',
  );
  const forget = database.prepare('edits.forget', 'DELETE FROM hardware_edits WHERE guest_id = ? AND id >= ?');
  return {
    list: (guest) =>
      all.all(guest, keptEdits).map(({ id, at, who, changes, spec }) => ({
        id,
        at,
        who,
        changes: z.array(specDifference).parse(JSON.parse(changes)),
        spec: parseStoredSpec(spec),
      })),
    add(guest, { at, who, changes, spec }) {
      insert.run({ guest, at, who, changes: JSON.stringify(changes), spec: JSON.stringify(spec) });
      prune.run({ guest, kept: keptEdits });
    },
    forgetFrom(guest, id) {
      forget.run(guest, id);
    },
  };
}
