/** Who asked for what, and what came of it. Bounded in number. */
import type { AuditEntry } from '../../../contract/events.ts';
import type { Database } from '../store/database.ts';

export type AuditStore = {
  record(entry: Omit<AuditEntry, 'id'>): void;
  /** Newest first. */
  list(filter: { beforeId?: number | undefined; limit: number }): AuditEntry[];
};

const keptEntries = 100_000;
const pruneEvery = 500;

type Row = Omit<AuditEntry, 'errorCode'> & { error_code: string | null };

export function createAuditStore(database: Database): AuditStore {
  const insert = database.prepare(
    'audit.insert',
    'INSERT INTO audit (at, who, call, target, outcome, error_code) VALUES (@at, @who, @call, @target, @outcome, @errorCode)',
  );
  const list = database.prepare<Row>('audit.list', 'SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?');
  const prune = database.prepare('audit.prune', 'DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?');
  let untilPrune = 0;
  return {
    record(entry) {
      insert.run(entry);
      if (untilPrune-- > 0) return;
      untilPrune = pruneEvery;
      prune.run(keptEntries);
    },
    list: ({ beforeId = Number.MAX_SAFE_INTEGER, limit }) =>
      list.all(beforeId, limit).map(({ error_code, ...entry }) => ({ ...entry, errorCode: error_code })),
  };
}
