/**
 * One process at a time. The lock is SQLite's reserved lock on a file of its own: the operating system drops it with the process however that
 * ends, so that a dead holder needs no taking over, and it lets others read who holds it. The file stays; deleting it would let two in.
 */
import Sqlite from 'better-sqlite3';

export type LockHolder = { pid: number; since: string };

/** `holder` is null when it is just writing down who it is. */
export type LockAttempt = { isTaken: true; release(): void } | { isTaken: false; holder: LockHolder | null };

/**
 * Takes the lock on `path`, which is made if need be, or says who has it. Whoever holds it keeps a reference to what is returned: a lock that
 * nothing refers to is given up by the garbage collector.
 * @param since now, in ISO 8601, for others to read
 * @throws SqliteError when the file cannot be written or is none of SQLite's
 */
export function takeProcessLock(path: string, since: string): LockAttempt {
  const sqlite = new Sqlite(path, { timeout: 0 });
  try {
    sqlite.exec('BEGIN IMMEDIATE');
    sqlite.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL, since TEXT NOT NULL) STRICT; DELETE FROM holder');
    sqlite.prepare('INSERT INTO holder VALUES (?, ?)').run(process.pid, since);
    sqlite.exec('COMMIT');
    // From here on nothing is written: the transaction is only there to keep the lock, and readers see who has it.
    sqlite.exec('BEGIN IMMEDIATE');
    return { isTaken: true, release: () => void sqlite.close() };
  } catch (thrown) {
    const isHeld = thrown instanceof Sqlite.SqliteError && thrown.code.startsWith('SQLITE_BUSY');
    const holder = isHeld ? readHolder(sqlite) : null;
    sqlite.close();
    if (!isHeld) throw thrown;
    return { isTaken: false, holder };
  }
}

function readHolder(sqlite: Sqlite.Database): LockHolder | null {
  try {
    return (sqlite.prepare('SELECT pid, since FROM holder').get() as LockHolder | undefined) ?? null;
  } catch {
    // It is being written at this very moment.
    return null;
  }
}
