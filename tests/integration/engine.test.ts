import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { defineGuests } from '../../bench/defined-guests.ts';
import { toGuesthouseError } from '../../contract/errors.ts';
import { engineExitCodes } from '../../contract/handshake.ts';
import { jobEnded } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { askEngine } from '../../main/client/start-engine.ts';
import { someGuest } from '../support/bare-engine.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine, processExists, spawnEngine } from '../support/whole-engine.ts';

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error('It succeeded.');
    },
    (thrown: unknown) => toGuesthouseError(thrown),
  );

const allEnded = (client: EngineClient) =>
  until('every job to end', async () => (await client.call('job.list', {})).every((job) => jobEnded.has(job.state)), 60_000);

test('of two engines started at once exactly one wins, and the other says who holds the folder and ends with a status of its own', async () => {
  const home = await engineHome();
  const started = [spawnEngine(home), spawnEngine(home), spawnEngine(home)];
  const said = await Promise.all(started.map((engine) => engine.said));
  const winners = said.filter((line) => line.ready);
  expect(winners).toHaveLength(1);
  for (const [index, line] of said.entries()) {
    if (line.ready) continue;
    expect(line.error.code).toBe('engine/held');
    expect(line.error.message).toMatch(/process \d+, since|just starting/);
    expect(await started[index]?.exitCode).toBe(engineExitCodes.held);
  }
});

test('many clients that come at once to a folder without an engine all end up with the same one', async () => {
  const home = await engineHome();
  const clients = await Promise.all(Array.from({ length: 4 }, () => connect(home)));
  const ids = await Promise.all(clients.map(async (client) => (await askEngine(client)).instanceId));
  expect(new Set(ids).size).toBe(1);
  for (const client of clients) client.close();
});

test('an engine that was killed leaves nothing in the way of the next one', async () => {
  const home = await engineHome();
  const first = await connect(home);
  const before = await askEngine(first);
  await killEngine(first);
  expect(existsSync(join(home, 'run', 'engine.sock'))).toBe(true);
  const second = await connect(home);
  expect((await askEngine(second)).instanceId).not.toBe(before.instanceId);
  second.close();
});

test('SIGTERM ends the engine cleanly: status 0, no socket, no write-ahead log', async () => {
  const home = await engineHome();
  const { child, said, exitCode } = spawnEngine(home);
  expect(await said).toMatchObject({ ready: true, socket: join(home, 'run', 'engine.sock') });
  child.kill('SIGTERM');
  expect(await exitCode).toBe(engineExitCodes.stopped);
  expect(existsSync(join(home, 'run', 'engine.sock'))).toBe(false);
  expect(existsSync(join(home, 'guesthouse.db-wal'))).toBe(false);
});

test('an engine with nothing to do leaves by itself', async () => {
  const home = await engineHome();
  const { said, exitCode } = spawnEngine(home, { GUESTHOUSE_ENGINE_IDLE_SECONDS: '1' });
  expect((await said).ready).toBe(true);
  expect(await exitCode).toBe(engineExitCodes.stopped);
});

test('what the engine writes is for its user only', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const open = execFileSync('find', [home, '-perm', '/077', '-not', '-type', 'l'], { encoding: 'utf8' }).trim();
  // The folder itself was made by the test.
  expect(open.split('\n').filter((path) => path !== '' && path !== home)).toEqual([]);
  client.close();
});

test('a data folder so deep that sockets do not fit is refused before anything is made', async () => {
  const home = await engineHome();
  const deep = join(home, 'x'.repeat(60), 'y'.repeat(60));
  const { said, exitCode } = spawnEngine(deep);
  expect(await said).toMatchObject({
    ready: false,
    error: { code: 'store/path-too-long', hint: expect.stringContaining('GUESTHOUSE_HOME') },
  });
  expect(await exitCode).toBe(engineExitCodes.store);
  expect(readdirSync(home)).toEqual([]);
});

test('a database cut in half keeps a client from connecting and tells it how to go back to the last good backup', async () => {
  const home = await engineHome();
  for (let start = 0; start < 2; start++) {
    const client = await connect(home);
    await client.call('settings.set', { theme: 'dark' });
    const { pid } = await askEngine(client);
    await client.call('engine.stop', {});
    client.close();
    await until('the engine to end', () => !processExists(pid));
  }
  const path = join(home, 'guesthouse.db');
  truncateSync(path, Math.floor(statSync(path).size / 2));
  const cut = readFileSync(path);
  const { said, exitCode } = spawnEngine(home);
  expect(await said).toMatchObject({ ready: false, error: { code: 'database/damaged' } });
  expect(await exitCode).toBe(engineExitCodes.database);
  const error = await errorOf(connect(home));
  expect(error.code).toBe('database/damaged');
  expect(readFileSync(path).equals(cut)).toBe(true);

  execFileSync('/bin/sh', ['-c', error.hint?.slice(error.hint.indexOf('mv ')) ?? '']);
  const client = await connect(home);
  expect((await client.call('settings.get', {})).theme).toBe('dark');
  client.close();
}, 180_000);

test('a client of another version does not talk to the engine that runs', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const error = await errorOf(connect(home, { version: '99.1.0' }));
  expect(error).toMatchObject({ code: 'engine/version-mismatch', hint: expect.stringContaining('guesthouse engine stop') });
  client.close();
});

test('an engine that is killed while it imports an image finishes the import or leaves nothing of it', async () => {
  const home = await engineHome();
  mkdirSync(join(home, 'outside'));
  const file = join(home, 'outside', 'disk.raw');
  // Random bytes with a partition table's signature: a raw disk that takes a moment to copy.
  const bytes = randomBytes(96 * 1024 * 1024);
  bytes[510] = 0x55;
  bytes[511] = 0xaa;
  writeFileSync(file, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  for (const killAfterMs of [5, 60, 160, 320]) {
    const client = await connect(home);
    const before = await client.call('image.list', {});
    for (const image of before.filter((one) => !one.builtIn)) await client.call('image.delete', { image: image.id });
    await client.call('image.import', { path: file });
    await pause(killAfterMs);
    await killEngine(client);

    const next = await connect(home);
    await allEnded(next);
    const [job] = await next.call('job.list', {});
    const images = (await next.call('image.list', {})).filter((one) => !one.builtIn);
    expect(['succeeded', 'failed']).toContain(job?.state);
    expect(images.map((image) => image.sha256)).toEqual(job?.state === 'succeeded' ? [sha256] : []);
    const files = readdirSync(join(home, 'images'));
    expect(files.sort()).toEqual((await next.call('image.list', {})).map((image) => image.path.slice(home.length + 8)).sort());
    for (const image of images) expect(createHash('sha256').update(readFileSync(image.path)).digest('hex')).toBe(sha256);
    next.close();
  }
  expect(readFileSync(file).equals(bytes)).toBe(true);
}, 180_000);

test('an engine that is told to stop while it imports an image lets the next one go on with it', async () => {
  const home = await engineHome();
  const file = join(home, 'disk.raw');
  const bytes = randomBytes(64 * 1024 * 1024);
  bytes[510] = 0x55;
  bytes[511] = 0xaa;
  writeFileSync(file, bytes);
  const client = await connect(home);
  const { pid } = await askEngine(client);
  const { id } = await client.call('image.import', { path: file, name: 'Interrupted' });
  await client.call('engine.stop', {});
  client.close();
  await until('the engine to end', () => !processExists(pid));

  const next = await connect(home);
  await allEnded(next);
  expect((await next.call('job.show', { job: id })).state).toBe('succeeded');
  const image = (await next.call('image.list', {})).find((one) => one.name === 'Interrupted');
  expect(image?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  next.close();
}, 120_000);

test('an engine that is killed while it makes a guest finishes the guest or leaves nothing of it', async () => {
  const home = await engineHome();
  for (const killAfterMs of [0, 30, 90, 200, 400]) {
    const client = await connect(home);
    const starter = (await client.call('image.list', {})).find((image) => image.builtIn);
    if (!starter) throw new Error('Set-up has not built the starter guest.');
    const name = `Killed after ${killAfterMs}`;
    await client.call('guest.create', { source: { kind: 'image', imageId: starter.id }, choices: { name, diskGiB: 4 } });
    await pause(killAfterMs);
    await killEngine(client);

    const next = await connect(home);
    await allEnded(next);
    const guest = (await next.call('guest.list', {})).find((one) => one.spec.name === name);
    const [job] = await next.call('job.list', {});
    const folders = readdirSync(join(home, 'guests'));
    expect(folders.sort()).toEqual((await next.call('guest.list', {})).map((one) => one.id as string).sort());
    if (guest) {
      expect([job?.state, guest.state.status]).toEqual(['succeeded', 'off']);
      const disk = join(home, 'guests', guest.id, readdirSync(join(home, 'guests', guest.id)).find((one) => one.startsWith('disk')) ?? '');
      expect(spawnSync('qemu-img', ['check', disk]).status).toBe(0);
    } else expect(job?.state).toBe('failed');
    next.close();
  }
}, 180_000);

test('a thousand guests are listed in a moment, and the engine stays small', async () => {
  const home = await engineHome();
  const first = await connect(home);
  const { pid } = await askEngine(first);
  await first.call('engine.stop', {});
  first.close();
  await until('the engine to end', () => !processExists(pid));
  defineGuests(join(home, 'guesthouse.db'), someGuest(0).spec, 1000);

  const client = await connect(home);
  const times: number[] = [];
  for (let round = 0; round < 20; round++) {
    const began = performance.now();
    expect(await client.call('guest.list', {})).toHaveLength(1000);
    times.push(performance.now() - began);
  }
  const rssMiB = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${(await askEngine(client)).pid}/status`, 'utf8'))?.[1]) / 1024;
  // The aims are 20 ms and 150 MB (bench/); here is room for a busy machine.
  expect(Math.min(...times)).toBeLessThan(60);
  expect(rssMiB).toBeLessThan(220);
  client.close();
});
