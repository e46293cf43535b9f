import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { dataRootAt } from '../../contract/data-root.ts';
import type { Failure } from '../../contract/errors.ts';
import type { EngineConnection } from '../../contract/shell.ts';
import { version } from '../../contract/version.ts';
import { EngineHost, type EngineHostOptions } from '../../main/engine-host/engine-host.ts';
import { compareVersions } from '../../main/engine-host/foreign-engine.ts';
import { freshHome, isAlive } from '../support/app.ts';
import { until } from '../support/until.ts';
import { builtEngine } from '../support/whole-engine.ts';

const place: EngineHostOptions['place'] = () => ({
  engineScript: builtEngine,
  node: { executable: process.execPath, environment: {} },
});

function hostOf(home: string, options: Partial<EngineHostOptions> = {}): { host: EngineHost; seen: EngineConnection[] } {
  const host = new EngineHost({
    root: dataRootAt(home),
    version,
    client: 'test',
    environment: { ...process.env, GUESTHOUSE_HOME: home },
    place,
    ...options,
  });
  const seen: EngineConnection[] = [];
  host.listen((connection) => seen.push(connection));
  onTestFinished(() => host.close());
  host.start();
  return { host, seen };
}

const states = (seen: EngineConnection[]) => seen.map(({ state }) => state);

test('an engine is started where none runs, and a second host attaches to it', async () => {
  const home = freshHome();
  const first = hostOf(home);
  await first.host.untilConnected();
  const second = hostOf(home);
  await second.host.untilConnected();
  const [one, two] = await Promise.all([first, second].map(({ host }) => host.client.call('engine.info', {})));
  expect(one?.pid).toBe(two?.pid);
  expect(states(first.seen)).toEqual(['starting', 'connected']);
});

test('an engine that is killed is replaced, and subscribers begin anew with a snapshot', async () => {
  const home = freshHome();
  const { host, seen } = hostOf(home);
  await host.untilConnected();
  const engines: string[] = [];
  const subscription = host.subscribe((message) => message.type === 'snapshot' && engines.push(message.snapshot.engine.instanceId));
  await until('the first snapshot', () => engines.length === 1);
  for (let kills = 1; kills <= 3; kills++) {
    const { pid } = await host.client.call('engine.info', {});
    process.kill(pid, 'SIGKILL');
    await until('the next snapshot', () => engines.length === kills + 1);
    await host.untilConnected();
  }
  subscription.close();
  expect(new Set(engines).size).toBe(4);
  expect(states(seen)).toEqual(['starting', 'connected', 'lost', 'connected', 'lost', 'connected', 'lost', 'connected']);
  expect(seen.filter(({ state }) => state === 'lost')).toMatchObject([{ retryInMs: 0 }, { retryInMs: 500 }, { retryInMs: 1000 }]);
});

test('what keeps an engine from starting is told with its remedy, and trying again begins anew', async () => {
  const home = freshHome();
  let engineScript = '/nonexistent/engine.js';
  const { host, seen } = hostOf(home, { place: () => ({ ...place(), engineScript }) });
  await expect(host.untilConnected()).rejects.toThrow('The engine is not built');
  expect(seen.at(-1)).toMatchObject({ state: 'failed', code: 'engine/unreachable', hint: 'Run “npm run build”.' });
  expect(await host.tryCall('engine.info', {})).toMatchObject({ ok: false, error: { code: 'engine/unreachable' } });
  engineScript = place().engineScript;
  host.retry();
  await until('it is connected', () => host.connection.state === 'connected');
  expect(states(seen)).toEqual(['starting', 'failed', 'starting', 'connected']);
});

test('a restart replaces the engine', async () => {
  const home = freshHome();
  const { host } = hostOf(home);
  await host.untilConnected();
  const { pid } = await host.client.call('engine.info', {});
  await host.restart();
  await until(
    'another engine answers',
    async () => (await host.client.call('engine.info', {}).catch(() => null))?.pid !== pid && host.connection.state === 'connected',
  );
  await until('the old one is gone', () => !isAlive(pid));
});

test('closing lets go of the engine and leaves it running', async () => {
  const home = freshHome();
  const { host } = hostOf(home);
  await host.untilConnected();
  const { pid } = await host.client.call('engine.info', {});
  await host.close();
  expect(isAlive(pid)).toBe(true);
});

/** What an engine of another version would answer; there is no such engine yet to be had. */
async function otherEngine(
  home: string,
  otherVersion: string,
  jobs: { title: string; state: string }[] = [],
): Promise<{ stops: () => number }> {
  const { run, engineSocket } = dataRootAt(home);
  mkdirSync(run, { recursive: true, mode: 0o700 });
  let stops = 0;
  const server = createServer((request, response) => {
    const call = request.url?.slice('/v1/'.length);
    const info = { version: otherVersion, pid: process.pid, startedAt: '', home, instanceId: 'other' };
    response.end(JSON.stringify({ ok: true, value: call === 'engine.info' ? info : call === 'job.list' ? jobs : {} }));
    if (call !== 'engine.stop') return;
    stops++;
    server.close();
    server.closeAllConnections();
  });
  new WebSocketServer({ server });
  await new Promise<void>((settle) => server.listen(engineSocket, settle));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { stops: () => stops };
}

test('an older engine makes room when it has nothing to do', async () => {
  const home = freshHome();
  const older = await otherEngine(home, '0.0.9');
  const { host } = hostOf(home);
  await host.untilConnected();
  expect(older.stops()).toBe(1);
  expect((await host.client.call('engine.info', {})).version).toBe(version);
});

test('an older engine at work, and a newer one in any case, are left alone', async () => {
  const busyHome = freshHome();
  const busy = await otherEngine(busyHome, '0.0.9', [{ title: 'Import Debian', state: 'running' }]);
  await expect(hostOf(busyHome).host.untilConnected()).rejects.toThrow('An older engine (0.0.9) is still at work: Import Debian.');
  const newerHome = freshHome();
  const newer = await otherEngine(newerHome, '99.0.0');
  await expect(hostOf(newerHome).host.untilConnected()).rejects.toMatchObject({ error: { code: 'engine/version-mismatch' } });
  expect([busy.stops(), newer.stops()]).toEqual([0, 0]);
});

test('versions are compared by their numbers', () => {
  expect(compareVersions('0.9.0', '0.10.0')).toBeLessThan(0);
  expect(compareVersions('1.0.0', '0.99.9')).toBeGreaterThan(0);
  expect(compareVersions('1.2.3', '1.2.3-beta')).toBe(0);
});

test('an engine that dies again and again is tried less and less often', async () => {
  const home = freshHome();
  const dying = join(home, 'dying.sh');
  writeFileSync(dying, '#!/bin/sh\nexit 7\n');
  chmodSync(dying, 0o755);
  let node = place().node;
  const { host, seen } = hostOf(home, { place: () => ({ ...place(), node }), pausesMs: [0, 50, 100] });
  await host.untilConnected();
  node = { executable: dying, environment: {} };
  const { pid } = await host.client.call('engine.info', {});
  process.kill(pid, 'SIGKILL');
  await until('several tries', () => seen.filter(({ state }) => state === 'lost').length >= 4);
  expect(seen.filter(({ state }) => state === 'lost').slice(0, 4)).toMatchObject([
    { retryInMs: 0 },
    { retryInMs: 50 },
    { retryInMs: 100 },
    { retryInMs: 100 },
  ]);
  expect(await host.client.call('engine.info', {}).catch((thrown: Failure) => thrown.error.code)).toBe('engine/unreachable');
  node = place().node;
  await host.untilConnected();
});
