/**
 * One engine a data folder. The lock is SQLite's reserved lock on `engine.lock`: the operating system drops it with the
 * process however that ends, so nothing stale is ever left to clean up, and it lets others read who holds it.
 */
import Sqlite from 'better-sqlite3';
import { Failure } from '../../../contract/errors.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { toStoreFailure } from './database.ts';

export type EngineLock = { release(): void };

type Holder = { pid: number; since: string };

/**
 * Takes the lock or says who has it.
 * @throws Failure `engine/held` naming the process and since when; `store/not-writable`, `store/full`
 */
export function takeEngineLock(path: string, clock: Clock): EngineLock {
  let sqlite: Sqlite.Database | undefined;
  try {
    sqlite = new Sqlite(path, { timeout: 0 });
    sqlite.exec('BEGIN IMMEDIATE');
    sqlite.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL, since TEXT NOT NULL) STRICT; DELETE FROM holder');
    sqlite.prepare('INSERT INTO holder VALUES (?, ?)').run(process.pid, instantNow(clock));
    sqlite.exec('COMMIT');
    // From here on nothing is written: the transaction is only there to keep the lock, and readers see who has it.
    sqlite.exec('BEGIN IMMEDIATE');
  } catch (thrown) {
    const held = thrown instanceof Sqlite.SqliteError && thrown.code.startsWith('SQLITE_BUSY') && sqlite;
    const failure = held ? heldFailure(path, readHolder(sqlite)) : toStoreFailure(thrown, path, 'lock');
    sqlite?.close();
    throw failure;
  }
  const locked = sqlite;
  return { release: () => void locked.close() };
}

function readHolder(sqlite: Sqlite.Database | undefined): Holder | null {
  try {
    return (sqlite?.prepare('SELECT pid, since FROM holder').get() as Holder | undefined) ?? null;
  } catch {
    // It is being written at this very moment.
    return null;
  }
}

function heldFailure(path: string, holder: Holder | null): Failure {
  const who = holder ? `process ${holder.pid}, since ${holder.since.slice(0, 19).replace('T', ' ')} UTC` : 'one that is just starting';
  return new Failure('engine/held', `Another engine holds this data folder: ${who}.`, {
    hint: 'Use that one, stop it with “guesthouse engine stop”, or choose another folder with GUESTHOUSE_HOME.',
    detail: path,
  });
}
