/**
 * The database as the rest of the engine sees it: named statements and transactions, with SQLite's errors turned into
 * failures that say what to do. Only `store.ts` files, `jobs/` and `store/` import this.
 */
import Sqlite from 'better-sqlite3';
import { Failure } from '../../../contract/errors.ts';
import type { Log } from '../log/log.ts';

export type SqlValue = string | number | bigint | Buffer | null;

/** Positional values, or one object for `@name` parameters. */
export type SqlParameters = SqlValue[] | [Record<string, SqlValue>];

export type Statement<Row> = {
  get(...parameters: SqlParameters): Row | undefined;
  all(...parameters: SqlParameters): Row[];
  run(...parameters: SqlParameters): { changes: number; lastInsertId: number };
};

export type Database = {
  /** Prepares `sql` once; `name` ("guests.insert") is what the log calls it when it is slow. */
  prepare<Row = never>(name: string, sql: string): Statement<Row>;
  /** The same for a query whose first column alone is wanted: its values, without an object around each. */
  prepareColumn<Value extends SqlValue>(name: string, sql: string): Pick<Statement<Value>, 'all'>;
  /** Runs `work` in one transaction: all of it is stored, or none. Calls inside a transaction join it. */
  transaction<T>(work: () => T): T;
  /** Copies the whole database to `path` without stopping other work. */
  backup(path: string): Promise<void>;
  /** Folds the write-ahead log into the database file and closes. Idempotent. */
  close(): void;
};

/** A synchronous call longer than this can be felt by whoever waits for another answer. */
const slowQueryMs = 40;

export function wrapDatabase(sqlite: Sqlite.Database, log: Log): Database {
  const timed = <T>(name: string, work: () => T): T => {
    const began = performance.now();
    try {
      return work();
    } catch (thrown) {
      throw toStoreFailure(thrown, sqlite.name, name);
    } finally {
      const tookMs = performance.now() - began;
      if (tookMs > slowQueryMs) log.warn({ query: name, tookMs: Math.round(tookMs) }, `The query ${name} was slow.`);
    }
  };
  return {
    prepare<Row>(name: string, sql: string): Statement<Row> {
      const statement = timed(name, () => sqlite.prepare<(SqlValue | Record<string, SqlValue>)[], Row>(sql));
      return {
        get: (...parameters) => timed(name, () => statement.get(...parameters)),
        all: (...parameters) => timed(name, () => statement.all(...parameters)),
        run: (...parameters) => {
          const result = timed(name, () => statement.run(...parameters));
          return { changes: result.changes, lastInsertId: Number(result.lastInsertRowid) };
        },
      };
    },
    prepareColumn<Value extends SqlValue>(name: string, sql: string) {
      const statement = timed(name, () => sqlite.prepare<(SqlValue | Record<string, SqlValue>)[], Value>(sql).pluck());
      return { all: (...parameters: SqlParameters) => timed(name, () => statement.all(...parameters)) };
    },
    transaction<T>(work: () => T): T {
      if (sqlite.inTransaction) return work();
      try {
        return sqlite.transaction(work).immediate();
      } catch (thrown) {
        throw toStoreFailure(thrown, sqlite.name, 'transaction');
      }
    },
    async backup(path) {
      try {
        await sqlite.backup(path);
      } catch (thrown) {
        throw toStoreFailure(thrown, sqlite.name, 'backup');
      }
    },
    close() {
      if (!sqlite.open) return;
      // A full disk must not keep the engine from ending: what was committed is safe in the write-ahead log as well.
      try {
        sqlite.pragma('wal_checkpoint(TRUNCATE)');
      } catch (thrown) {
        log.warn({ error: String(thrown) }, 'The write-ahead log could not be folded into the database; the next start does it.');
      }
      sqlite.close();
    },
  };
}

/** SQLite's error as a {@link Failure} that says what to do; anything else as it is. */
export function toStoreFailure(thrown: unknown, path: string, what: string): unknown {
  if (!(thrown instanceof Sqlite.SqliteError)) return thrown;
  const detail = `${what}: ${thrown.code}: ${thrown.message}`;
  const because = { cause: thrown };
  // The index of the write-ahead log is made as large as it has to be when the database is opened, which only a full disk refuses.
  if (thrown.code === 'SQLITE_FULL' || thrown.code === 'SQLITE_IOERR_SHMSIZE')
    return new Failure('store/full', `There is no room left to write ${path}.`, { hint: 'Free some space on that disk.', detail }, because);
  if (thrown.code.startsWith('SQLITE_CORRUPT') || thrown.code === 'SQLITE_NOTADB')
    return new Failure(
      'database/damaged',
      `The database ${path} is damaged.`,
      { hint: 'Stop the engine and start it again: it then says how to go back to the last good backup.', detail },
      because,
    );
  if (
    thrown.code.startsWith('SQLITE_READONLY') ||
    thrown.code.startsWith('SQLITE_CANTOPEN') ||
    thrown.code.startsWith('SQLITE_IOERR') ||
    thrown.code === 'SQLITE_PERM'
  )
    return new Failure(
      'store/not-writable',
      `The database ${path} cannot be written.`,
      { hint: 'Check that the disk works and that the folder belongs to you.', detail },
      because,
    );
  return thrown;
}
