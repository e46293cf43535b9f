import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { toGuesthouseError } from '../../../contract/errors.ts';
import { canMount, smallFileSystem } from '../../../tests/support/small-file-system.ts';
import { silentLog } from '../log/log.ts';
import { listBackups } from './backups.ts';
import type { Migration } from './migrations/all.ts';
import { type OpenDatabaseOptions, openDatabase } from './open-database.ts';

const one: Migration = { number: 1, name: 'one', sql: 'CREATE TABLE notes (text TEXT NOT NULL) STRICT' };
const two: Migration = { number: 2, name: 'two', sql: "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT 'white'" };
const failing: Migration = { number: 2, name: 'failing', sql: 'CREATE TABLE half (a TEXT) STRICT; INSERT INTO absent VALUES (1)' };

function freshOptions(migrations: readonly Migration[] = [one]) {
  const folder = mkdtempSync(join(tmpdir(), 'gh-db-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const time = { nowMs: Date.parse('2026-11-23T08:00:00Z') };
  const options: OpenDatabaseOptions = {
    path: join(folder, 'guesthouse.db'),
    backupsFolder: join(folder, 'database-backups'),
    clock: { nowMs: () => time.nowMs },
    log: silentLog,
    migrations,
  };
  return { folder, time, options };
}

/** A disk of 1 MiB with nothing on it. */
async function onSmallDisk() {
  const folder = await smallFileSystem(1);
  const { options } = freshOptions();
  return { folder, options: { ...options, path: join(folder, 'guesthouse.db'), backupsFolder: join(folder, 'database-backups') } };
}

async function addNote(options: OpenDatabaseOptions, text: string): Promise<void> {
  const database = await openDatabase(options);
  database.prepare('test.insert', 'INSERT INTO notes (text) VALUES (?)').run(text);
  database.close();
}

async function readNotes(options: OpenDatabaseOptions): Promise<string[]> {
  const database = await openDatabase(options);
  const notes = database.prepare<{ text: string }>('test.read', 'SELECT text FROM notes').all();
  database.close();
  return notes.map((note) => note.text);
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('It succeeded.');
    },
    (thrown: unknown) => toGuesthouseError(thrown),
  );

test('what is committed is there at the next open', async () => {
  const { options } = freshOptions();
  await addNote(options, 'kept');
  expect(await readNotes(options)).toEqual(['kept']);
});

test('every commit is flushed to the disk and foreign keys are enforced', async () => {
  const { options } = freshOptions();
  const database = await openDatabase(options);
  const pragma = (name: string) => database.prepare<Record<string, unknown>>('test.pragma', `PRAGMA ${name}`).get();
  expect(pragma('journal_mode')).toEqual({ journal_mode: 'wal' });
  expect(pragma('synchronous')).toEqual({ synchronous: 2 });
  expect(pragma('foreign_keys')).toEqual({ foreign_keys: 1 });
  database.close();
});

test('the database is backed up before a migration and the backup holds the old shape', async () => {
  const { options } = freshOptions();
  await addNote(options, 'before');
  const migrated = await openDatabase({ ...options, migrations: [one, two] });
  expect(migrated.prepare('test.read', 'SELECT text, colour FROM notes').all()).toEqual([{ text: 'before', colour: 'white' }]);
  migrated.close();
  const backup = listBackups(options.backupsFolder).find((candidate) => candidate.kind === 'migration');
  expect(backup?.version).toBe(1);
  const copy = new Sqlite(backup?.path ?? '', { readonly: true });
  expect(copy.prepare('SELECT * FROM notes').all()).toEqual([{ text: 'before' }]);
  copy.close();
});

test('a migration that fails leaves the database as it was', async () => {
  const { options } = freshOptions();
  await addNote(options, 'safe');
  expect((await errorOf(openDatabase({ ...options, migrations: [one, failing] }))).code).toBe('database/migration-failed');
  expect(await readNotes(options)).toEqual(['safe']);
  const database = await openDatabase(options);
  expect(database.prepare('test.tables', "SELECT name FROM sqlite_schema WHERE name = 'half'").all()).toEqual([]);
  database.close();
});

test('a newer database is refused, left as it is, and the backup from before is named', async () => {
  const { options } = freshOptions();
  await addNote(options, 'old');
  (await openDatabase({ ...options, migrations: [one, two] })).close();
  const bytes = readFileSync(options.path);
  const error = await errorOf(openDatabase(options));
  expect(error.code).toBe('database/newer');
  expect(error.hint).toContain('-v1-migration.db');
  expect(readFileSync(options.path).equals(bytes)).toBe(true);
});

test('a database cut in half is refused, left as it is, and the remedy that is given brings the backup back', async () => {
  const { options, time } = freshOptions();
  const database = await openDatabase(options);
  database.transaction(() => {
    const insert = database.prepare('test.insert', 'INSERT INTO notes (text) VALUES (?)');
    for (let index = 0; index < 2000; index++) insert.run(`note ${index} ${'x'.repeat(50)}`);
  });
  database.close();
  // The second start makes the daily backup.
  expect(await readNotes(options)).toHaveLength(2000);
  time.nowMs += 60_000;
  truncateSync(options.path, Math.floor(statSync(options.path).size / 2));
  const cut = readFileSync(options.path);

  const error = await errorOf(openDatabase(options));
  expect(error.code).toBe('database/damaged');
  const backup = listBackups(options.backupsFolder)[0]?.path ?? 'none';
  expect(error.hint).toContain(backup);
  expect(readFileSync(options.path).equals(cut)).toBe(true);

  const command = error.hint?.slice(error.hint.indexOf('mv ')) ?? '';
  execFileSync('/bin/sh', ['-c', command]);
  expect(await readNotes(options)).toHaveLength(2000);
  expect(readFileSync(`${options.path}.damaged`).equals(cut)).toBe(true);
});

test('a database that is text, empty or gone is refused as damaged when backups of it exist', async () => {
  const { options } = freshOptions();
  await addNote(options, 'first');
  (await openDatabase(options)).close();
  for (const spoil of [
    () => writeFileSync(options.path, 'This is a shopping list.\n'.repeat(400)),
    () => writeFileSync(options.path, ''),
    () => rmSync(options.path),
  ]) {
    spoil();
    expect((await errorOf(openDatabase(options))).code).toBe('database/damaged');
  }
});

test('a first start that was cut off before anything was stored begins anew', async () => {
  const { options } = freshOptions();
  writeFileSync(options.path, '');
  await addNote(options, 'first');
  expect(await readNotes(options)).toEqual(['first']);
});

test('a good backup is kept for each of the last five days on which the engine started, and no more', async () => {
  const { options, time } = freshOptions();
  await addNote(options, 'daily');
  for (let start = 0; start < 20; start++) {
    (await openDatabase(options)).close();
    time.nowMs += 12 * 60 * 60 * 1000;
  }
  const backups = listBackups(options.backupsFolder);
  expect(backups.map((backup) => backup.kind)).toEqual(Array(5).fill('daily'));
  expect(readdirSync(options.backupsFolder)).toHaveLength(5);
});

test('a transaction that throws stores nothing, also when it was joined by another', async () => {
  const { options } = freshOptions();
  const database = await openDatabase(options);
  const insert = database.prepare('test.insert', 'INSERT INTO notes (text) VALUES (?)');
  expect(() =>
    database.transaction(() => {
      database.transaction(() => insert.run('inner'));
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(database.prepare('test.read', 'SELECT * FROM notes').all()).toEqual([]);
  database.close();
});

test('a query that takes long is named in the log', async () => {
  const { options } = freshOptions();
  const lines: object[] = [];
  const database = await openDatabase({ ...options, log: { ...silentLog, warn: (fields) => lines.push(fields) } });
  database
    .prepare('test.count', 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n')
    .get();
  expect(lines).toEqual([{ query: 'test.count', tookMs: expect.any(Number) }]);
  database.close();
});

test('a disk that fills up during a migration leaves the database usable by the version before', async ({ skip }) => {
  if (!canMount) skip('only root may mount a file system');
  const { options } = await onSmallDisk();
  await addNote(options, 'precious');
  const big: Migration = {
    number: 2,
    name: 'big',
    sql: 'CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000) SELECT i, randomblob(1000) AS bytes FROM n',
  };
  expect((await errorOf(openDatabase({ ...options, migrations: [one, big] }))).code).toBe('store/full');
  expect(await readNotes(options)).toEqual(['precious']);
});

test('a database on a disk that is full already is said to have no room, and is whole once there is some', async ({ skip }) => {
  if (!canMount) skip('only root may mount a file system');
  const { folder, options } = await onSmallDisk();
  await addNote(options, 'precious');
  const ballast = join(folder, 'ballast');
  expect(() => writeFileSync(ballast, Buffer.alloc(2 * 1024 ** 2))).toThrow('ENOSPC');
  expect((await errorOf(openDatabase(options))).code).toBe('store/full');
  rmSync(ballast);
  expect(await readNotes(options)).toEqual(['precious']);
});
