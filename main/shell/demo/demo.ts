/**
 * `--demo`: boots the starter guest, uses its console in the real window without anybody touching it, compares what the canvas shows with
 * QEMU's own screendump, and shuts the guest down. The exit status is 0 only if every pixel was equal.
 */

import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BrowserWindow } from 'electron';
import { toGuesthouseError } from '../../../contract/errors.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { createEngineClient, type EngineClient } from '../../client/engine-client.ts';
import { developmentRuntime } from '../development-runtime.ts';
import type { GuesthouseApp } from '../guesthouse-app.ts';
import { focusOnConsole, readConsole, type Shot, shotOf, typeKey } from './console-page.ts';
import { forceOff, prepareGuest, run, screenText, shutDown, untilBanner } from './demo-guest.ts';
import { compare, isBlank } from './pixels.ts';
import { Timings } from './timings.ts';
import { until } from './until.ts';

export type DemoOptions = {
  /** Folder for window.png and console.png. */
  out: string;
  /** The data folder, to be removed at the end; null when it is the user's. */
  throwawayHome: string | null;
};

/** A quiet machine needs a tenth of it. */
const bannerDeadlineMs = 120_000;
const answerDeadlineMs = 60_000;
const keyDeadlineMs = 15_000;
const betweenKeysMs = 30;
const shutdownDeadlineMs = 60_000;
/** A cursor that blinks makes two pictures taken one after the other differ now and then; more than this is no blinking. */
const comparisons = 60;

export async function runDemo(guesthouse: GuesthouseApp, { out, throwawayHome }: DemoOptions): Promise<void> {
  const timings = new Timings();
  let failure: string | null = null;
  try {
    await demonstrate(guesthouse, out, timings);
  } catch (thrown) {
    const { code, message, hint, detail } = toGuesthouseError(thrown);
    failure = code === 'engine/internal' && thrown instanceof Error ? thrown.message : [message, hint, detail].filter(Boolean).join(' ');
  }
  console.log(timings.format());
  console.log(`runtime: ${runtimeName()}`);
  console.log(failure === null ? 'demo passed: the canvas equals the screendump, pixel by pixel' : `demo failed: ${failure}`);
  if (throwawayHome) await removeHome(guesthouse, throwawayHome);
  guesthouse.leave(failure === null ? 0 : 1);
}

async function demonstrate(guesthouse: GuesthouseApp, out: string, timings: Timings): Promise<void> {
  const { host, windows } = guesthouse;
  const { client } = host;
  mkdirSync(out, { recursive: true });
  await host.untilConnected();
  timings.add('engine ready', performance.now());
  const window = await until('the window is visible', 30_000, async () =>
    windows.isMainReady && windows.main?.isVisible() ? windows.main : null,
  );
  timings.add('window ready', performance.now());
  const guest = await timings.measure('guest made', () => prepareGuest(client));
  try {
    await exercise(guest.id, window, guesthouse, out, timings);
    await timings.measure('guest shut down', () => shutDown(client, guest.id, shutdownDeadlineMs));
  } catch (thrown) {
    await saveWindow(window, out).catch(() => {});
    await forceOff(client, guest.id).catch(() => {});
    throw thrown;
  }
}

async function exercise(
  guest: GuestId,
  window: BrowserWindow,
  { host, windows }: GuesthouseApp,
  out: string,
  timings: Timings,
): Promise<void> {
  const { client } = host;
  await timings.measure('guest started', () => client.call('guest.start', { guest }));
  windows.showMain(`/guests/${guest}/console`);
  const banner = timings.measure('banner (after start)', () => untilBanner(client, guest, bannerDeadlineMs));
  const firstFrame = timings.measure('first frame (after start)', () =>
    until('the console shows a picture', bannerDeadlineMs, () => shownPicture(window)),
  );
  await Promise.all([banner, firstFrame]);
  await until('the guest’s agent answers', 30_000, async () => (await client.call('guest.show', { guest })).state.run?.qemuAgent);
  const expected = (await run(client, guest, 'uname', '-a')).trim();

  await until('the console has the keyboard', 10_000, () => focusOnConsole(window));
  await timings.measure('typing, key by key', () => typeLine(window, 'uname -a'));
  await timings.measure('key to answer', async () => {
    typeKey(window, '\n');
    await untilAnswered(client, guest, expected);
  });
  const equal = await timings.measure('equal pixels', () => untilEqual(client, guest, window));
  await saveWindow(window, out);
  await writeFile(join(out, 'console.png'), equal.png);
}

/**
 * Types as a person does, who sees each letter before the next: the keyboard controller that QEMU emulates holds 16 bytes, and a guest on a
 * busy computer that is typed to any faster loses letters.
 */
async function typeLine(window: BrowserWindow, line: string): Promise<void> {
  for (const character of line) {
    const before = await shownPicture(window);
    typeKey(window, character);
    await until(`“${character}” is on the canvas`, keyDeadlineMs, async () => differs(before, await shownPicture(window)), 10);
    await pause(betweenKeysMs);
  }
}

/** The prompt with what was typed, and below it what the guest says when its agent asks the same. */
async function untilAnswered(client: EngineClient, guest: GuestId, expected: string): Promise<void> {
  let screen = '';
  const isAnswered = async () => {
    screen = await screenText(client, guest);
    const typedAt = screen.lastIndexOf('uname -a');
    return typedAt >= 0 && screen.indexOf(expected, typedAt) > typedAt;
  };
  await until('the answer is on the guest’s screen', answerDeadlineMs, isAnswered, 20).catch((thrown: Error) => {
    throw new Error(`${thrown.message}; “${expected}” was awaited, and the screen ended in: ${screen.trimEnd().slice(-200)}`);
  });
}

async function shownPicture(window: BrowserWindow): Promise<Shot | null> {
  const shot = await readConsole(window);
  return shot && !isBlank(shot.picture) ? shot : null;
}

function differs(before: Shot | null, now: Shot | null): boolean {
  return before === null || (now !== null && compare(before.picture, now.picture) !== null);
}

/** A picture of the canvas that equals a screendump taken right after it. Throws what differed when there was none. */
async function untilEqual(client: EngineClient, guest: GuestId, window: BrowserWindow): Promise<Shot> {
  let last = 'the console shows nothing';
  for (let attempt = 0; attempt < comparisons; attempt++) {
    const shown = await readConsole(window);
    const dumped = shotOf(Buffer.from((await client.call('guest.screenshot', { guest })).pngBase64, 'base64'));
    const difference = shown && compare(shown.picture, dumped.picture);
    if (shown && difference === null && !isBlank(shown.picture)) return shown;
    if (difference) last = difference.text;
    await pause(37);
  }
  throw new Error(`the canvas did not equal the screendump in ${comparisons} comparisons: ${last}`);
}

async function saveWindow(window: BrowserWindow, out: string): Promise<void> {
  const picture = await window.webContents.capturePage();
  await writeFile(join(out, 'window.png'), picture.toPNG());
}

function runtimeName(): string {
  const development = developmentRuntime();
  return development ? `development ${development}` : `Electron ${process.versions.electron}`;
}

const removeAfter = 'for turn in $(seq 100); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done; rm -rf -- "$2"';

/** Ends the engine, which nobody needs any more, and removes its data. */
async function removeHome({ host }: GuesthouseApp, home: string): Promise<void> {
  const client = createEngineClient(host.client.address);
  await host.close();
  await client.call('engine.stop', {}).catch(() => {});
  await until('the engine has left', 10_000, () =>
    client.call('engine.info', {}, { timeoutMs: 1000 }).then(
      () => false,
      () => true,
    ),
  ).catch(() => {});
  client.close();
  // Chromium still writes while it ends, so the folder goes when this process is gone.
  spawn('/bin/sh', ['-c', removeAfter, 'sh', String(process.pid), home], { detached: true, stdio: 'ignore' }).unref();
}
