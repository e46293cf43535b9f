/** A console whose connection is lost while its QEMU lives: what was seen stays, and everything comes back by itself. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { launchApp, type TestApp, untilConnected } from '../support/app.ts';
import { absence, canvasPixels, goToConsole, runInGuest, typeBlindly, typeKeys, untilEqual, untilLive } from '../support/console-page.ts';
import { type CuttableSpice, makeCuttable } from '../support/cuttable-spice.ts';
import { differingPixels } from '../support/png.ts';
import { coloursIn } from '../support/recorded-colours.ts';
import { listensForSpice, makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { askFolders, foldersRequest } from '../support/webdavd.ts';

const shown = '.console:not([hidden])';
const frame = `${shown} canvas[data-console-frame]`;
const screen = `${shown} .console-screen`;
const shots = process.env.GUESTHOUSE_SHOTS;

type Cuttable = TestApp & { guest: GuestId; spice: CuttableSpice; run(script: string): Promise<string> };

/** The app with a running guest in its window, whose connection can be cut. `share`: a folder that goes over it. */
async function withCuttable(share: string | null): Promise<Cuttable> {
  const app = await launchApp();
  await untilConnected(app);
  const { page, client } = app;
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  if (share !== null) {
    mkdirSync(join(app.home, share));
    await client.call('guest.edit', { guest, change: { shares: [{ path: join(app.home, share), via: 'webdav' }] } });
  }
  await app.call('guest.start', { guest });
  await untilStatus(client, guest, 'running');
  const { spiceSocketPath } = await client.call('guest.consoles', { guest });
  const spice = await makeCuttable(spiceSocketPath ?? '');
  await goToConsole(page, guest);
  await untilLive(page, 60_000);
  await untilAgent(client, guest);
  const run = (script: string) => runInGuest(client, guest, script);
  await run('echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  return { ...app, guest, spice, run };
}

/** A file into which the guest's shell on the screen writes what is typed. */
async function readTyped({ page, run }: Pick<Cuttable, 'page' | 'run'>, name: string): Promise<() => Promise<string>> {
  await page.locator(screen).focus();
  await typeKeys(page, run, `dd bs=1 of=/tmp/${name}\n`);
  await until(
    'the guest reads',
    () =>
      run(`cat /tmp/${name} >/dev/null && echo there`).then(
        (said) => said.includes('there'),
        () => false,
      ),
    40_000,
  );
  return async () => {
    await page.keyboard.press('Enter');
    return until('it was typed', async () => /^.*\n/s.exec(await run(`cat /tmp/${name}`))?.[0].trim(), 40_000);
  };
}

const words = (page: Page) => absence(page).textContent();

test('what was seen stays while the connection is cut, dimmed and with words, and keys, recording, agent and folders come back with it', {
  timeout: 300_000,
}, async () => {
  const app = await withCuttable('papers');
  const { page, client, electron, guest, spice, run, home } = app;
  writeFileSync(join(home, 'papers', 'letter'), 'Dear guest');
  await run(listensForSpice);
  await until('the agent hears the window', async () => (await run('wc -c < /tmp/agent-heard')).trim() !== '0', 40_000);
  const channels = spice.open();
  const video = join(home, 'cut.webm');
  await electron.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath });
  }, video);
  await page.locator(shown).getByRole('button', { name: 'Record a video…' }).click();
  await page.getByRole('img', { name: 'A video is being recorded' }).waitFor();

  const typed = await readTyped(app, 'typed');
  await run("printf '\\033[44m\\033[2J\\033[Hbefore' > /dev/tty1");
  await typeKeys(page, run, 'abc');
  await page.keyboard.down('ShiftLeft');
  await page.keyboard.press('KeyD');
  await until('the guest shows what was typed', async () => (await run('cat /dev/vcs1')).includes('D'), 40_000);
  await untilEqual(page, client, guest, 60_000);
  const before = await canvasPixels(page);
  spice.cut();
  await absence(page).waitFor();
  // Whoever types on does not close the window with what deletes a word in the guest, and nothing of it is kept for the guest.
  await page.keyboard.up('ShiftLeft');
  await typeBlindly(page, 'xyz');
  await page.keyboard.press('Control+KeyW');
  await page.keyboard.down('ControlLeft');
  expect(await words(page)).toMatch(/connection to the console broke|guest closed its console/);
  await page.locator(frame).waitFor();
  expect(differingPixels(await canvasPixels(page, frame), before)).toBe(0);
  expect(await page.locator(frame).evaluate((canvas) => getComputedStyle(canvas).filter)).toContain('brightness');
  if (shots)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(shots, `cut-${colorScheme}.png`) });
    }
  expect(spice.open()).toBe(0);
  await run(': > /tmp/agent-heard');
  spice.mend();
  await untilLive(page, 60_000);
  await page.keyboard.up('ControlLeft');
  expect(await page.evaluate(() => document.activeElement?.classList.contains('console-screen'))).toBe(true);
  await typeKeys(page, run, 'efG');
  await run("printf '\\033[42m\\033[2J\\033[Hafter' > /dev/tty1");
  await untilEqual(page, client, guest, 60_000);
  expect(spice.open()).toBe(channels);
  expect(await typed()).toBe('abcDefG');
  await page.keyboard.press('Control+KeyD');
  await until('the agent hears the window again', async () => (await run('wc -c < /tmp/agent-heard')).trim() !== '0', 40_000);
  expect(await askFolders(run, [foldersRequest('GET', '/papers/letter')])).toEqual([expect.stringMatching(/200 OK.*Dear guest$/s)]);

  await page.locator(shown).getByRole('button', { name: 'End the recording' }).click();
  await page.getByText(`Recorded to ${video}`).waitFor();
  expect(await coloursIn(page, readFileSync(video))).toEqual(['blue', 'green']);
});

test('a guest whose QEMU is silent for a while is said to be, keeps its picture, and gets what was typed meanwhile, in order and once', {
  timeout: 300_000,
}, async () => {
  const app = await withCuttable(null);
  const { page, client, guest, run } = app;
  const { run: running } = (await client.call('guest.show', { guest })).state;
  const pid = running?.pid ?? 0;
  const typed = await readTyped(app, 'typed');
  await typeKeys(page, run, 'ab');
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It has ended with the test.
    }
  });
  await page.keyboard.down('ShiftLeft');
  await typeBlindly(page, 'cd');
  await page.keyboard.up('ShiftLeft');
  await typeBlindly(page, 'ef');
  await absence(page).getByText('Starter does not answer').waitFor({ timeout: 60_000 });
  await absence(page)
    .getByText(/^For \d+ s now\.$/)
    .waitFor();
  expect(await page.locator(screen).isVisible()).toBe(true);
  process.kill(pid, 'SIGCONT');
  await absence(page).waitFor({ state: 'detached', timeout: 60_000 });
  expect(await typed()).toBe('abCDef');
  await page.keyboard.press('Control+KeyD');
  await untilEqual(page, client, guest, 60_000);
});

test('many lost connections leave nothing behind, and of two windows of a guest one has it after each', { timeout: 300_000 }, async () => {
  const app = await withCuttable(null);
  const { page, client, electron, guest, spice } = app;
  const channels = spice.open();
  const session = await page.context().newCDPSession(page);
  const leftBehind = async () => {
    await session.send('HeapProfiler.enable');
    await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.filter(({ name }) =>
      ['AudioWorkletProcessors', 'Documents', 'JSEventListeners', 'Nodes', 'WorkerGlobalScopes'].includes(name),
    );
  };
  await session.send('Performance.enable');
  const cutOnce = async (window: Page) => {
    spice.cut();
    await absence(window).waitFor();
    spice.mend();
    // Attempts grow rare where connections do not hold.
    await until(
      'it is live',
      async () => {
        await window.evaluate(() => document.querySelector<HTMLElement>('.console:not([hidden]) .console-absence-actions button')?.click());
        return (await absence(window).count()) === 0;
      },
      60_000,
    );
    await untilLive(window, 60_000);
  };
  for (let times = 0; times < 3; times++) await cutOnce(page);
  await until('only the last is there', () => page.workers().length === 1 && spice.open() === channels, 40_000);
  const first = await leftBehind();
  const times = 15;
  for (let time = 0; time < times; time++) await cutOnce(page);
  await until('only the last is there', () => page.workers().length === 1 && spice.open() === channels, 40_000);
  // The page has some more or less at any moment, but nothing for each connection that was.
  let more: string[] = [];
  await until('nothing is left behind', async () => {
    const now = await leftBehind();
    more = now.filter(({ value }, at) => value - (first[at]?.value ?? 0) >= times).map(({ name, value }) => `${name} ${value}`);
    return more.length === 0;
  }).catch((error: unknown) => {
    throw new Error(`after ${times} connections there is more: ${more.join(', ')}`, { cause: error });
  });

  const opened = electron.waitForEvent('window');
  await page.locator(shown).getByRole('button', { name: 'Move to a window of its own' }).click();
  const own = await opened;
  await untilLive(own, 60_000);
  await goToConsole(page, guest);
  await absence(page).getByText('open in another window').waitFor();
  await cutOnce(own);
  expect(await words(page)).toContain('open in another window');
  // Taken over while it is cut.
  spice.cut();
  await absence(own).getByRole('button', { name: 'Connect now' }).waitFor();
  await absence(page).getByRole('button', { name: 'Show it here' }).click();
  await absence(own).getByText('open in another window').waitFor();
  spice.mend();
  await untilLive(page, 60_000);
  await untilEqual(page, client, guest, 60_000);
  expect(await words(own)).toContain('open in another window');
  await until('one has it', () => page.workers().length + own.workers().length === 1 && spice.open() === channels, 40_000);
});
