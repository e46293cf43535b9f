/**
 * Copies of the database in `database-backups/`. Each is written under a temporary name, checked, flushed to the disk and
 * only then renamed, so that whatever bears the name of a backup is a good one.
 */
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Failure } from '../../../contract/errors.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { Database } from './database.ts';

/** Why a backup was made; each kind is kept for itself, so that daily copies never push out the one before a migration. */
export type BackupKind = 'daily' | 'migration';
export type BackupFile = { path: string; at: Date; version: number; kind: BackupKind };

const keptOfEachKind = 5;
const namePattern = /^guesthouse-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-v(\d+)-(daily|migration)\.db$/;

export function backupName(at: Date, version: number, kind: BackupKind): string {
  return `guesthouse-${at.toISOString().replace(/[-:]|\.\d+/g, '')}-v${version}-${kind}.db`;
}

/** The backups, newest first. Files of other names are left alone. */
export function listBackups(folder: string): BackupFile[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name): BackupFile[] => {
      const match = namePattern.exec(name);
      if (!match) return [];
      const [, year, month, day, hour, minute, second, version, kind] = match;
      const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
      return [{ path: join(folder, name), at, version: Number(version), kind: kind as BackupKind }];
    })
    .sort((a, b) => b.at.getTime() - a.at.getTime());
}

/** Copies the database and removes what is older than the newest five of its kind. @throws Failure `store/full` and others. */
export async function makeBackup(database: Database, folder: string, version: number, kind: BackupKind, at: Date): Promise<string> {
  makePrivateFolder(folder);
  const path = join(folder, backupName(at, version, kind));
  const unfinished = `${path}.unfinished`;
  rmSync(unfinished, { force: true });
  try {
    await database.backup(unfinished);
    checkCopy(unfinished);
    flushFile(unfinished);
    renameSync(unfinished, path);
    flushFile(folder);
  } catch (thrown) {
    rmSync(unfinished, { force: true });
    throw thrown;
  }
  for (const old of listBackups(folder)
    .filter((backup) => backup.kind === kind)
    .slice(keptOfEachKind))
    rmSync(old.path, { force: true });
  return path;
}

/** Makes the copy one self-contained file and reads all of it. */
function checkCopy(path: string): void {
  const copy = new Sqlite(path, { fileMustExist: true });
  try {
    copy.pragma('journal_mode = DELETE');
    const verdict = copy.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok')
      throw new Failure('database/damaged', `The backup ${basename(path)} could not be read back, so it was not kept.`, {
        detail: String(verdict),
      });
  } finally {
    copy.close();
  }
}

function flushFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The commands with which a person goes back to `backup`; the damaged files are kept beside it. */
export function restoreCommand(databasePath: string, backup: string): string {
  const quoted = (path: string) => `'${path.replaceAll("'", `'\\''`)}'`;
  const aside = join(dirname(databasePath), `${basename(databasePath)}.damaged`);
  return `mv ${quoted(databasePath)} ${quoted(aside)}; rm -f ${quoted(`${databasePath}-wal`)} ${quoted(`${databasePath}-shm`)}; cp ${quoted(backup)} ${quoted(databasePath)}`;
}
