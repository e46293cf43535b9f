/** The whole engine as a process of its own, run as the suite's set-up built it, so that a test can start, kill and watch it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { projectRoot } from '../../build/places.ts';
import { dataRootAt } from '../../contract/data-root.ts';
import { type StartLine, startLine } from '../../contract/handshake.ts';
import { version } from '../../contract/version.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { type ConnectEngineOptions, connectEngine, findEngineNode } from '../../main/client/start-engine.ts';
import { patienceMs, until } from './until.ts';

export const builtEngine = join(projectRoot, 'out', 'engine', 'index.js');

/** A data folder with a short path. Whatever runs in it ends with the test: the engine, and guests that it left. */
export async function engineHome(): Promise<string> {
  const home = await mkdtemp('/tmp/gh-');
  onTestFinished(async () => {
    const client = await connect(home, { version: '' }).catch(() => null);
    if (client) await endEngine(client);
    rmSync(home, { recursive: true, force: true });
  });
  return home;
}

type Overrides = Partial<Pick<ConnectEngineOptions, 'version' | 'deadlineMs'>> & { environment?: Record<string, string> };

function optionsFor(home: string, { environment = {}, ...more }: Overrides): ConnectEngineOptions {
  return {
    root: dataRootAt(home),
    node: findEngineNode(projectRoot),
    engineScript: builtEngine,
    version,
    client: 'test',
    callTimeoutMs: patienceMs,
    environment: { ...process.env, ...environment, GUESTHOUSE_HOME: home },
    ...more,
  };
}

/** As the app and the command line do it: finds the engine of `home` or starts one. */
export function connect(home: string, overrides: Overrides = {}): Promise<EngineClient> {
  // An empty version stands for "only if one runs already": nothing agrees with it, and nothing is started for a folder without a socket.
  if (overrides.version === '' && !existsSync(dataRootAt(home).engineSocket)) return Promise.reject(new Error('No engine runs.'));
  return connectEngine(optionsFor(home, overrides.version === '' ? { ...overrides, version } : overrides));
}

/** Forces off what runs and stops the engine. */
async function endEngine(client: EngineClient): Promise<void> {
  const { pid } = await client.call('engine.info', {});
  for (const guest of await client.call('guest.list', {})) if (guest.state.run) await client.call('guest.forceOff', { guest: guest.id });
  await client.call('engine.stop', {});
  client.close();
  await until('the engine to end', () => !processExists(pid));
}

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Kills the engine as a crash would, and waits until it is gone. */
export async function killEngine(client: EngineClient): Promise<void> {
  const { pid } = await client.call('engine.info', {});
  process.kill(pid, 'SIGKILL');
  client.close();
  await until('the engine to be gone', () => !processExists(pid));
}

export type StartedEngine = {
  child: ChildProcess;
  /** What it said first: ready, or why not. */
  said: Promise<StartLine>;
  exitCode: Promise<number | null>;
};

/** Runs the engine in the foreground of the test, without a client. */
export function spawnEngine(home: string, environment: Record<string, string> = {}): StartedEngine {
  const child = spawn(findEngineNode(projectRoot).executable, [builtEngine, '--home', home], {
    env: { ...process.env, GUESTHOUSE_HOME: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = new Promise<StartLine>((settle, fail) => {
    const words: string[] = [];
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input }).on('line', (line) => {
        words.push(line);
        try {
          settle(startLine.parse(JSON.parse(line)));
        } catch {
          // Not that line.
        }
      });
    }
    child.on('close', () => fail(new Error(`The engine ended without a word: ${words.join('\n')}`)));
  });
  said.catch(() => undefined);
  const exitCode = new Promise<number | null>((settle) => child.on('close', (code) => settle(code)));
  return { child, said, exitCode };
}
