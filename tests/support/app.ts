/**
 * The real app for end-to-end tests: real Electron on the display that build/test/app-set-up.ts found or made, with a data folder of its own.
 *
 * Whatever a test started ends with it: the app, its engine and the engine's guests, each by its process id. When the test failed, a
 * picture of every window and the logs are kept in out/test-failures/.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { projectRoot } from '../../build/places.ts';
import { planLaunch } from '../../build/setup/electron-launch.ts';
import { ensureElectronRuntime } from '../../build/setup/electron-runtime.ts';
import type { CallInput, CallName, CallOutput } from '../../contract/calls.ts';
import { dataRootAt } from '../../contract/data-root.ts';
import type { GuesthouseBridge } from '../../contract/shell.ts';
import { version } from '../../contract/version.ts';
import { createEngineClient, type EngineClient } from '../../main/client/engine-client.ts';
import { patienceMs, until } from './until.ts';

declare global {
  interface Window {
    guesthouse: GuesthouseBridge;
  }
}

export type LaunchOptions = {
  /** A data folder to be used again; a fresh one otherwise. */
  home?: string;
  /** Words after the app's folder. */
  words?: string[];
  environment?: Record<string, string>;
};

export type TestApp = {
  electron: ElectronApplication;
  /** The main window's page. */
  page: Page;
  home: string;
  client: EngineClient;
  call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<CallOutput<Name>>;
  /** Ends the app as the system would, without a question; engine and guests stay. */
  close(): Promise<void>;
};

/** A fresh data folder with a short path, removed with all that runs on it when the test ends. */
export function freshHome(): string {
  const home = mkdtempSync('/tmp/gh-');
  onTestFinished(async () => {
    await endEngine(home);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  });
  return home;
}

/** How the app is started here: for tests that start it themselves. */
export async function appCommand(
  home: string,
  words: string[] = [],
): Promise<{ executable: string; words: string[]; environment: Record<string, string> }> {
  const runtime = await ensureElectronRuntime(() => {});
  const launch = planLaunch(runtime, process.env.GUESTHOUSE_PRIVATE_DISPLAY === '1');
  const inherited = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return {
    executable: runtime.executablePath,
    words: [...launch.switches, projectRoot, ...words],
    environment: { ...inherited, ...launch.environment, GUESTHOUSE_HOME: home },
  };
}

/** The app's folder with a script before it that holds the app back until Playwright looks. */
const heldApp = join(import.meta.dirname, 'held-app');

/** What a window and its page take at most on a computer that has much else to do. */
const windowDeadlineMs = 60_000;

/** The window that the app opens next. */
export function nextWindow(electron: ElectronApplication): Promise<Page> {
  return electron.waitForEvent('window', { timeout: windowDeadlineMs });
}

/** Starts the app and settles when its window shows the page. */
export async function launchApp({ home = freshHome(), words = [], environment = {} }: LaunchOptions = {}): Promise<TestApp> {
  const command = await appCommand(home, words);
  const electron = await _electron.launch({
    executablePath: command.executable,
    args: command.words.map((word) => (word === projectRoot ? heldApp : word)),
    env: { ...command.environment, ...environment },
    timeout: windowDeadlineMs,
  });
  electron.context().setDefaultTimeout(windowDeadlineMs);
  // Playwright does not know it any more once it was killed.
  const child = electron.process();
  const said: string[] = [];
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  electron.on('window', (page) => page.on('console', (message) => said.push(`[page] ${message.type()}: ${message.text()}\n`)));
  const client = createEngineClient({ socketPath: dataRootAt(home).engineSocket, version, client: 'test' }, patienceMs);
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    client.close();
    await endApp(child);
  };
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') await keepEvidence(task.name, open ? electron : null, home, said.join(''));
    await close();
  });
  const page = await electron.firstWindow({ timeout: windowDeadlineMs });
  // Drawn by the page's own script: what is done to a page before that may be lost with its first redirection.
  await page.locator('#content').waitFor({ state: 'attached' });
  return { electron, page, home, client, close, call: (name, input) => client.call(name, input) };
}

/** The main process leaves on SIGTERM without a question; one that does not is killed. */
async function endApp(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((settle) => child.once('exit', () => settle()));
  child.kill('SIGTERM');
  const outcome = await Promise.race([ended.then(() => 'ended'), pause(40_000, 'hangs', { ref: false })]);
  if (outcome === 'hangs') {
    child.kill('SIGKILL');
    await ended;
  }
}

/** Ends the engine of a data folder and every guest it runs. Does nothing where none runs. */
export async function endEngine(home: string): Promise<void> {
  const client = createEngineClient({ socketPath: dataRootAt(home).engineSocket, version, client: 'test' }, patienceMs);
  try {
    const { pid } = await client.call('engine.info', {});
    const guests = await client.call('guest.list', {});
    for (const { id, state } of guests) if (state.run) await client.call('guest.forceOff', { guest: id }).catch(() => {});
    await client.call('engine.stop', {}).catch(() => {});
    await until('the engine has left', () => !isAlive(pid), 40_000).catch(() => process.kill(pid, 'SIGKILL'));
    for (const { state } of guests) if (state.run && isAlive(state.run.pid)) process.kill(state.run.pid, 'SIGKILL');
  } catch {
    // No engine: it left by itself, or never was there.
  } finally {
    client.close();
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie answers, and is none the less gone.
    return !existsSync(`/proc/${pid}/stat`) || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Settles when the page has the engine's first snapshot, and gives the engine's process id. */
export async function untilConnected({ client }: Pick<TestApp, 'client'>): Promise<number> {
  return (await until('the engine answers', () => client.call('engine.info', {}).catch(() => null))).pid;
}

/** Settles when the window has been told that the guest of this name runs; what it draws is the business of other tests. */
export async function untilShown({ page }: Pick<TestApp, 'page'>, name: string): Promise<void> {
  await page.evaluate(
    (wanted) =>
      new Promise<void>((settle) => {
        const stop = window.guesthouse.subscribe((message) => {
          const guests =
            message.type === 'snapshot' ? message.snapshot.guests : message.type === 'guest' && message.guest ? [message.guest] : [];
          if (!guests.some(({ spec, state }) => spec.name === wanted && state.status === 'running')) return;
          stop();
          settle();
        });
      }),
    name,
  );
}

/** Runs a program to its end. */
export function runProgram(
  executable: string,
  words: string[],
  environment: Record<string, string>,
  timeoutMs: number,
): Promise<{ status: number; output: string }> {
  return new Promise((settle) => {
    execFile(executable, words, { env: environment, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 }, (error, stdout, stderr) => {
      const status = error ? (typeof error.code === 'number' ? error.code : -1) : 0;
      settle({ status, output: stdout + stderr });
    });
  });
}

async function keepEvidence(name: string, electron: ElectronApplication | null, home: string, said: string): Promise<void> {
  const folder = join(projectRoot, 'out', 'test-failures', name.replace(/[^\w-]+/g, '-').slice(0, 80));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'app-output.txt'), said);
  for (const [index, page] of (electron?.windows() ?? []).entries())
    await page.screenshot({ path: join(folder, `window-${index}.png`), timeout: 5000 }).catch(() => {});
  const logs = join(home, 'logs');
  if (existsSync(logs)) for (const file of readdirSync(logs)) cpSync(join(logs, file), join(folder, file));
}
