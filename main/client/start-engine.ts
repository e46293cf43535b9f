/** Finds the engine of a data folder, or starts one. The only place where an engine is started from. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { type DataRoot, dataRootOf } from '../../contract/data-root.ts';
import { Failure, toFailure } from '../../contract/errors.ts';
import type { EngineInfo } from '../../contract/events.ts';
import { type ClientKind, startLine, versionsAgree } from '../../contract/handshake.ts';
import { createEngineClient, type EngineClient, unreachable } from './engine-client.ts';

/**
 * The engine holds little and lives long: a young generation of 3 × 2 MB instead of 3 × 16 MB, and a heap that is collected before it
 * grows, keep it below 150 MB with a thousand guests, at no cost that could be measured (bench: many-guests, call-latency).
 */
const memoryFlags = ['--max-semi-space-size=2', '--optimize-for-size'];

/** An engine that cannot start says so at once: whoever waits that long waits for one that has begun, on a computer that is busy. */
const startDeadlineMs = 60_000;
/** How long to leave an engine alone that holds the folder and does not answer yet, before another one is tried. */
const heldPauseMs = 1500;

export type EngineNode = { executable: string; environment: Record<string, string> };

export type ConnectEngineOptions = {
  root: DataRoot;
  node: EngineNode;
  /** Absolute path of the engine's bundle. */
  engineScript: string;
  version: string;
  client: ClientKind;
  environment?: NodeJS.ProcessEnv;
  /** How long to wait for an engine to answer, its start included. */
  deadlineMs?: number;
  /** How long the client's calls may take that do not say otherwise. */
  callTimeoutMs?: number;
};

/** The data folder that the environment names. */
export function dataRootFromEnvironment(environment: NodeJS.ProcessEnv = process.env): DataRoot {
  const home = environment.GUESTHOUSE_HOME;
  return dataRootOf(home ? { GUESTHOUSE_HOME: resolve(home) } : environment, homedir());
}

/**
 * The Node that can run the engine. Its database module needs Node-API 10 (Node 22.14) and takes an older process down
 * with it, so an older Node, such as that of an old Electron, is never used for it.
 * @throws Failure `engine/unreachable` saying what to install
 */
export function findEngineNode(appRoot: string, environment: NodeJS.ProcessEnv = process.env): EngineNode {
  if (Number(process.versions.napi) >= 10) {
    return { executable: process.execPath, environment: 'electron' in process.versions ? { ELECTRON_RUN_AS_NODE: '1' } : {} };
  }
  if (environment.GUESTHOUSE_NODE) return { executable: environment.GUESTHOUSE_NODE, environment: {} };
  const fromPackages = join(appRoot, 'node_modules', '.bin', 'node');
  if (existsSync(fromPackages)) return { executable: fromPackages, environment: {} };
  throw new Failure('engine/unreachable', `No Node that can run the engine was found; this one is ${process.version}.`, {
    hint: 'Run “npm ci” in the checkout, or set GUESTHOUSE_NODE to Node 22.14 or later.',
  });
}

/**
 * Asks the engine on the socket who it is.
 * @throws Failure `engine/unreachable` when none answers, `engine/stopping` while one is on its way out
 */
export function askEngine(client: EngineClient): Promise<EngineInfo> {
  return client.call('engine.info', {}, { timeoutMs: 5000 });
}

/**
 * A client of the engine of `root`; an engine is started when none runs.
 * @throws Failure what kept the engine from starting (`database/damaged`, `store/not-writable`, …), `engine/version-mismatch`,
 *   `engine/unreachable` when it was not there within the deadline
 */
export async function connectEngine(options: ConnectEngineOptions): Promise<EngineClient> {
  const { root, version, client: kind, deadlineMs = startDeadlineMs } = options;
  const client = createEngineClient({ socketPath: root.engineSocket, version, client: kind }, options.callTimeoutMs);
  const deadline = Date.now() + deadlineMs;
  let held: Failure | null = null;
  let startAgainAt = 0;
  let last: Failure = unreachable(root.engineSocket, new Error('no answer in time'));
  try {
    while (Date.now() < deadline) {
      try {
        checkVersion(await askEngine(client), version);
        return client;
      } catch (thrown) {
        if (!(thrown instanceof Failure) || !['engine/unreachable', 'engine/stopping'].includes(thrown.error.code)) throw thrown;
        last = thrown;
      }
      if (last.error.code === 'engine/unreachable' && Date.now() >= startAgainAt) {
        try {
          await startEngine(options, deadline - Date.now());
          continue;
        } catch (thrown) {
          // Another engine holds the folder: one that is starting, or one that is about to leave. Both settle soon.
          if (!(thrown instanceof Failure) || thrown.error.code !== 'engine/held') throw thrown;
          held = thrown;
          startAgainAt = Date.now() + heldPauseMs;
        }
      }
      await pause(100);
    }
    throw held ?? last;
  } catch (thrown) {
    client.close();
    throw thrown;
  }
}

function checkVersion(info: EngineInfo, version: string): void {
  if (versionsAgree(info.version, version)) return;
  throw new Failure('engine/version-mismatch', `The engine that runs is version ${info.version}; this is version ${version}.`, {
    hint: 'Stop it with “guesthouse engine stop” (guests keep running) and try again.',
  });
}

/** Starts an engine that outlives this process; settles when it answers. @throws Failure what the engine said on its way out */
async function startEngine(options: ConnectEngineOptions, timeoutMs: number): Promise<void> {
  const { node, engineScript, environment = process.env } = options;
  if (!existsSync(engineScript)) {
    throw new Failure('engine/unreachable', `The engine is not built: ${engineScript} does not exist.`, { hint: 'Run “npm run build”.' });
  }
  const home = environment.GUESTHOUSE_HOME;
  const child = spawn(node.executable, [...memoryFlags, engineScript, ...(home ? ['--home', options.root.home] : [])], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...environment, ...node.environment },
  });
  const words: string[] = [];
  try {
    await new Promise<void>((settle, fail) => {
      const timer = setTimeout(
        () => fail(unreachable(options.root.engineSocket, new Error('the engine did not start in time'))),
        timeoutMs,
      );
      const settleOnce = (failure?: Failure) => {
        clearTimeout(timer);
        if (failure) fail(failure);
        else settle();
      };
      const listen = (line: string) => {
        const parsed = parseStartLine(line);
        if (!parsed) words.push(line);
        else if (parsed.ready) settleOnce();
        else settleOnce(toFailure(parsed.error));
      };
      createInterface({ input: child.stdout }).on('line', listen);
      createInterface({ input: child.stderr }).on('line', listen);
      child.on('error', (error) => settleOnce(unreachable(options.root.engineSocket, error)));
      child.on('close', (code, signal) =>
        settleOnce(
          new Failure('engine/unreachable', 'The engine ended while it was starting.', {
            hint: `The log may say more: ${options.root.logs}/engine.log`,
            detail: [signal ? `ended by ${signal}` : `exit status ${code}`, ...words.slice(-20)].join('\n'),
          }),
        ),
      );
    });
  } finally {
    child.removeAllListeners('close');
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }
}

function parseStartLine(line: string) {
  try {
    const parsed = startLine.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
