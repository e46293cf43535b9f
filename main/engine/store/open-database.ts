/**
 * Opens the database: refuses what is damaged or newer and leaves it as it is, backs up before migrating, migrates one
 * transaction a step.
 *
 * Durability: WAL with synchronous=FULL, so that a commit is on the disk when it returns. NORMAL would keep the database
 * whole, but could lose the last commits at a power failure, and "QEMU was started" is written before QEMU is. The one
 * thing that is written every second, samples, is gathered and stored in batches instead.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Failure } from '../../../contract/errors.ts';
import type { Clock } from '../clock/clock.ts';
import type { Log } from '../log/log.ts';
import { listBackups, makeBackup, restoreCommand } from './backups.ts';
import { type Database, toStoreFailure, wrapDatabase } from './database.ts';
import { migrations as allMigrations, type Migration } from './migrations/all.ts';

export type OpenDatabaseOptions = {
  path: string;
  backupsFolder: string;
  clock: Clock;
  log: Log;
  migrations?: readonly Migration[];
};

const busyTimeoutMs = 5000;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * @throws Failure `database/damaged` naming the last good backup, `database/newer`, `database/migration-failed` (the
 * database is then as it was before), `store/full`, `store/not-writable`
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { path, backupsFolder, clock, log, migrations = allMigrations } = options;
  const newest = migrations.at(-1)?.number ?? 0;
  const version = inspectUnchanged(options, newest);

  const sqlite = openForWriting(path);
  const database = wrapDatabase(sqlite, log);
  try {
    if (version > 0 && version < newest) await makeBackup(database, backupsFolder, version, 'migration', new Date(clock.nowMs()));
    for (const migration of migrations) if (migration.number > version) migrate(sqlite, migration, log);
    if (version > 0) await keepDailyBackup(database, backupsFolder, newest, clock, log);
    return database;
  } catch (thrown) {
    sqlite.close();
    throw thrown;
  }
}

/** Looks at the database through a connection that cannot write. Answers its version; 0 when there is none yet. */
function inspectUnchanged({ path, backupsFolder }: OpenDatabaseOptions, newest: number): number {
  if (!existsSync(path) || statSync(path).size === 0) {
    if (listBackups(backupsFolder).length > 0)
      throw damaged(path, backupsFolder, existsSync(path) ? 'The file is empty.' : 'The file is missing.');
    return 0;
  }
  let sqlite: Sqlite.Database | undefined;
  try {
    sqlite = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    const verdict = sqlite.pragma('quick_check(5)') as { quick_check: string }[];
    if (verdict.length !== 1 || verdict[0]?.quick_check !== 'ok')
      throw damaged(path, backupsFolder, verdict.map((row) => row.quick_check).join('\n'));
    const version = Number(sqlite.pragma('user_version', { simple: true }));
    if (version > newest) throw newer(path, backupsFolder, version, newest);
    return version;
  } catch (thrown) {
    const failure = toStoreFailure(thrown, path, 'open');
    if (failure instanceof Failure && failure.error.code === 'database/damaged' && thrown !== failure)
      throw damaged(path, backupsFolder, thrown instanceof Error ? thrown.message : String(thrown));
    throw failure;
  } finally {
    sqlite?.close();
  }
}

function openForWriting(path: string): Sqlite.Database {
  try {
    const sqlite = new Sqlite(path, { timeout: busyTimeoutMs });
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('foreign_keys = ON');
    // Bounds the write-ahead log on disk after a burst, and what a page cache of its own costs in memory (KiB).
    sqlite.pragma('journal_size_limit = 8388608');
    sqlite.pragma('cache_size = -4096');
    return sqlite;
  } catch (thrown) {
    throw toStoreFailure(thrown, path, 'open');
  }
}

function migrate(sqlite: Sqlite.Database, migration: Migration, log: Log): void {
  try {
    sqlite
      .transaction(() => {
        sqlite.exec(migration.sql);
        sqlite.pragma(`user_version = ${migration.number}`);
      })
      .immediate();
  } catch (thrown) {
    const failure = toStoreFailure(thrown, sqlite.name, `migration ${migration.number}`);
    if (failure instanceof Failure && failure.error.code === 'store/full') throw failure;
    throw new Failure(
      'database/migration-failed',
      `The database could not be brought to version ${migration.number} (${migration.name}); it is as it was before.`,
      {
        hint: 'Start the version of Guesthouse that you used before, and report this.',
        detail: thrown instanceof Error ? thrown.message : String(thrown),
      },
      { cause: thrown },
    );
  }
  log.info({ migration: migration.number, name: migration.name }, `The database went to version ${migration.number}.`);
}

/** A backup that cannot be made is no reason not to work: it is said in the log and tried again at the next start. */
async function keepDailyBackup(database: Database, folder: string, version: number, clock: Clock, log: Log): Promise<void> {
  const last = listBackups(folder)[0];
  if (last && clock.nowMs() - last.at.getTime() < dayMs) return;
  try {
    await makeBackup(database, folder, version, 'daily', new Date(clock.nowMs()));
  } catch (thrown) {
    log.warn({ error: thrown instanceof Error ? thrown.message : String(thrown) }, 'The daily backup of the database could not be made.');
  }
}

function damaged(path: string, backupsFolder: string, detail: string): Failure {
  const last = listBackups(backupsFolder)[0];
  return new Failure('database/damaged', `The database ${path} is damaged or missing. It was left as it is.`, {
    hint: last
      ? `The last good backup is ${last.path}, of ${last.at.toISOString().slice(0, 16).replace('T', ' ')} UTC. To go back to it: ${restoreCommand(path, last.path)}`
      : `There is no backup in ${backupsFolder} yet. To begin with an empty library, keep the file elsewhere: mv ${path} ${dirname(path)}/guesthouse.db.damaged. Disks of guests stay in ${dirname(path)}/guests.`,
    detail,
  });
}

function newer(path: string, backupsFolder: string, version: number, newest: number): Failure {
  const usable = listBackups(backupsFolder).find((backup) => backup.version <= newest);
  return new Failure(
    'database/newer',
    `The database ${path} is of version ${version}; this Guesthouse knows version ${newest}. It was left as it is.`,
    {
      hint: usable
        ? `Use the newer Guesthouse, or go back to the backup from before the change: ${restoreCommand(path, usable.path)}`
        : 'Use the newer Guesthouse.',
    },
  );
}
