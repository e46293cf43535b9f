import { execFileSync, fork, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { toGuesthouseError } from '../../contract/errors.ts';
import { bareRooms, freshHome, guestIdOf, newestDatabaseVersion, runningGuest, startBareEngine } from '../../tests/support/bare-engine.ts';
import { until } from '../../tests/support/until.ts';
import { takeEngineLock } from './store/engine-lock.ts';

const clock = { nowMs: () => Date.now() };
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('It succeeded.');
    },
    (thrown: unknown) => toGuesthouseError(thrown),
  );

test('an engine makes its data folder private, answers, and leaves neither socket nor lock when it stops', async () => {
  const home = join(freshHome(), 'new', 'data');
  const { engine, client } = await startBareEngine({ home });
  expect(await client.call('engine.info', {})).toEqual(engine.info);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  expect(statSync(join(home, 'run')).mode & 0o777).toBe(0o700);
  engine.stop('test');
  await engine.stopped;
  expect(existsSync(engine.socketPath)).toBe(false);
  expect(existsSync(join(home, 'guesthouse.db-wal'))).toBe(false);
  takeEngineLock(join(home, 'engine.lock'), clock).release();
});

test('a folder for sockets that was open to others is closed', async () => {
  const home = freshHome();
  mkdirSync(join(home, 'run'));
  chmodSync(join(home, 'run'), 0o777);
  await startBareEngine({ home });
  expect(statSync(join(home, 'run')).mode & 0o777).toBe(0o700);
});

test('a second engine of the same folder says which process holds it and since when', async () => {
  const home = freshHome();
  await startBareEngine({ home });
  const error = await errorOf(startBareEngine({ home }));
  expect(error.code).toBe('engine/held');
  expect(error.message).toContain(`process ${process.pid}, since 20`);
});

test('the lock of an engine that was killed is free at once, and the dead one’s socket is no obstacle', async () => {
  const home = freshHome();
  mkdirSync(join(home, 'run'), { recursive: true });
  // Another process takes the lock and is killed while it has it.
  const script = `
    import Sqlite from 'better-sqlite3';
    import { createServer } from 'node:net';
    // Global, since a lock that nothing refers to any more is closed by the garbage collector.
    globalThis.lock = new Sqlite(${JSON.stringify(join(home, 'engine.lock'))});
    globalThis.lock.exec('BEGIN IMMEDIATE');
    createServer().listen(${JSON.stringify(join(home, 'run', 'engine.sock'))}, () => process.send('held'));
  `;
  const file = join(import.meta.dirname, '..', '..', 'out', `.lock-${process.pid}.mjs`);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, script);
  const child = fork(file, { execArgv: [] });
  onTestFinished(() => {
    child.kill('SIGKILL');
    rmSync(file, { force: true });
  });
  await new Promise((settle) => child.once('message', settle));
  expect((await errorOf(startBareEngine({ home }))).code).toBe('engine/held');
  child.kill('SIGKILL');
  await new Promise((settle) => child.once('exit', settle));
  const { client } = await startBareEngine({ home });
  expect((await client.call('engine.info', {})).pid).toBe(process.pid);
});

test('an engine that has nothing to do leaves by itself, and one with a client stays', async () => {
  const { engine, client } = await startBareEngine({ idleSeconds: 0.5 });
  const events = client.openEvents();
  await new Promise((settle) => events.once('open', settle));
  const left = { yes: false };
  engine.stopped.then(() => {
    left.yes = true;
  });
  await new Promise((settle) => setTimeout(settle, 1200));
  expect(left.yes).toBe(false);
  events.terminate();
  await until('the engine to leave', () => left.yes);
});

test('an engine with a running guest stays', async () => {
  const bare = bareRooms(1);
  bare.guests.set(guestIdOf(0), runningGuest(0));
  const { client } = await startBareEngine({ bare, idleSeconds: 0.3 });
  await new Promise((settle) => setTimeout(settle, 1000));
  expect((await client.call('guest.list', {})).length).toBe(1);
});

test('a stopping engine refuses new work and finishes what it was answering', async () => {
  const { engine, client } = await startBareEngine();
  const answered = client.call('engine.stop', {});
  expect(await answered).toEqual({});
  expect(['engine/stopping', 'engine/unreachable']).toContain((await errorOf(client.call('guest.list', {}))).code);
  await engine.stopped;
});

test('a database that is newer or cut in half keeps the engine from starting and is left as it is', async () => {
  const home = freshHome();
  for (let start = 0; start < 2; start++) {
    const { engine } = await startBareEngine({ home });
    engine.stop('test');
    await engine.stopped;
  }
  const path = join(home, 'guesthouse.db');
  const whole = readFileSync(path);
  const sqlite = new Sqlite(path);
  sqlite.pragma(`user_version = ${newestDatabaseVersion + 1}`);
  sqlite.close();
  expect((await errorOf(startBareEngine({ home }))).code).toBe('database/newer');

  const half = whole.subarray(0, whole.length / 2);
  writeFileSync(path, half);
  const error = await errorOf(startBareEngine({ home }));
  expect(error.code).toBe('database/damaged');
  expect(error.hint).toContain(join(home, 'database-backups', 'guesthouse-'));
  expect(readFileSync(path).equals(half)).toBe(true);
  // The refusal gave the folder back.
  writeFileSync(path, whole);
  await startBareEngine({ home });
});

test('a data folder that is a file, or below one, is refused in plain words', async () => {
  const home = freshHome();
  writeFileSync(join(home, 'file'), '');
  for (const path of [join(home, 'file'), join(home, 'file', 'below'), '/proc/guesthouse']) {
    const error = await errorOf(startBareEngine({ home: path }));
    expect([path, error.code]).toEqual([path, 'store/not-writable']);
    expect(error.message).toContain(path);
  }
});

/** A small file system of its own; null where this user may not mount. */
function mountSmall(options: string): string | null {
  const folder = freshHome();
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder], { stdio: 'ignore' }).status !== 0) return null;
  onTestFinished(() => void spawnSync('umount', ['-l', folder], { stdio: 'ignore' }));
  return folder;
}

test('a full file system is named as such', async ({ skip }) => {
  const folder = mountSmall('size=256k');
  if (!folder) return skip('mounting is not allowed here');
  try {
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(512 * 1024));
  } catch {
    // It is full now, which was the point.
  }
  const error = await errorOf(startBareEngine({ home: join(folder, 'home') }));
  expect(error.code).toBe('store/full');
});

test('a read-only file system is named as such', async ({ skip }) => {
  const folder = mountSmall('size=1m');
  if (!folder) return skip('mounting is not allowed here');
  mkdirSync(join(folder, 'home'));
  execFileSync('mount', ['-o', 'remount,ro', folder]);
  const error = await errorOf(startBareEngine({ home: join(folder, 'home') }));
  expect(error.code).toBe('store/not-writable');
  expect(error.message).toContain('read-only');
});

test('a disk that fills up while the engine runs fails the call and not the engine', async ({ skip }) => {
  const folder = mountSmall('size=3m');
  if (!folder) return skip('mounting is not allowed here');
  const { client } = await startBareEngine({ home: join(folder, 'home') });
  try {
    for (let file = 0; ; file++) writeFileSync(join(folder, `ballast-${file}`), Buffer.alloc(64 * 1024));
  } catch {
    // Full.
  }
  let code = '';
  for (let count = 0; count < 50 && code === ''; count++) {
    const answer = await client.tryCall('settings.set', { theme: count % 2 ? 'dark' : 'light' });
    if (!answer.ok) code = answer.error.code;
  }
  expect(code).toBe('store/full');
  for (const name of readdirSync(folder).filter((each) => each.startsWith('ballast'))) rmSync(join(folder, name));
  expect((await client.call('settings.set', { theme: 'dark' })).theme).toBe('dark');
});
