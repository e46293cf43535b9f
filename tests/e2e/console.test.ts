import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { dataRootAt } from '../../contract/data-root.ts';
import type { GuestId } from '../../contract/ids.ts';
import { launchApp, nextWindow, type TestApp, untilConnected } from '../support/app.ts';
import {
  absence,
  canvasPixels,
  goTo,
  goToConsole,
  liveCanvas,
  runInGuest,
  screendump,
  typeKeys,
  untilEqual,
  untilLive,
} from '../support/console-page.ts';
import { type Mischief, spiceMessage, takePlaceOf, u32 } from '../support/hostile-spice.ts';
import { decodePng, differingPixels } from '../support/png.ts';
import { listensForSpice, makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

/** The app with a running starter guest whose agent answers, and its console on the screen. */
async function withConsole(name = 'Starter'): Promise<TestApp & { guest: GuestId }> {
  const app = await launchApp();
  await untilConnected(app);
  const { id } = await makeStarterGuest(app.client, name);
  await app.call('guest.start', { guest: id });
  await untilStatus(app.client, id, 'running');
  await goToConsole(app.page, id);
  await untilLive(app.page);
  await untilAgent(app.client, id);
  return { ...app, guest: id };
}

/** The prompt is the last thing that a guest shows when it starts. */
async function untilShell(app: TestApp, guest: GuestId): Promise<void> {
  const shows = async () => {
    // Asking costs an emulated guest as much as starting does.
    await pause(700);
    return screenText(app, guest).catch(() => '');
  };
  await until('the shell waits for input', async () => /Leave +poweroff *.*#/s.test(await shows()), 90_000);
}

/** Kills the browser's process for graphics, and with it what canvases show. Settles when the whole picture was drawn once more. */
async function endGraphics({ page, electron }: TestApp): Promise<void> {
  const [worker] = page.workers();
  if (!worker) throw new Error('No worker draws.');
  const drawn = worker.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const { prototype } = OffscreenCanvasRenderingContext2D;
        const put = prototype.putImageData;
        prototype.putImageData = function (this: OffscreenCanvasRenderingContext2D, ...words: unknown[]) {
          put.apply(this, words as Parameters<typeof put>);
          if (words[5] !== this.canvas.width || words[6] !== this.canvas.height) return;
          prototype.putImageData = put;
          resolve();
        } as typeof put;
      }),
  );
  const graphics = await electron.evaluate(({ app }) => app.getAppMetrics().find(({ type }) => type === 'GPU')?.pid);
  if (graphics === undefined) throw new Error('There is no process for graphics.');
  process.kill(graphics, 'SIGKILL');
  await drawn;
}

const screenText = (app: TestApp, guest: GuestId) => runInGuest(app.client, guest, 'cat /dev/vcs1');
const fact = async (page: Page, name: string) => (await page.locator(`.console:not([hidden]) [data-fact="${name}"]`).textContent()) ?? '';

test('the canvas equals QEMU’s own screendump pixel by pixel, and every key on the board arrives', async () => {
  const app = await withConsole();
  const { page, client, guest } = app;
  await untilShell(app, guest);
  await page.locator('.console-screen').click();
  await untilEqual(page, client, guest);

  // Text that scrolls: the picture is moved on the canvas and drawn anew below.
  const run = (script: string) => runInGuest(client, guest, script);
  await typeKeys(page, run, 'seq 1 300\n');
  await until('the guest counted', async () => (await screenText(app, guest)).includes('300'));
  await untilEqual(page, client, guest);

  const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
  await typeKeys(page, run, 'cat > /tmp/typed\n');
  await typeKeys(page, run, `${printable}\n`);
  await page.keyboard.press('Control+KeyD');
  expect(await until('the text arrived', async () => (await run('cat /tmp/typed')) || null)).toBe(`${printable}\n`);
  await untilEqual(page, client, guest);

  // Held while the focus leaves: nothing stays pressed in the guest.
  await page.keyboard.down('Shift');
  await page.keyboard.down('Control');
  await page.getByRole('button', { name: 'Send keys' }).focus();
  await page.keyboard.up('Control');
  await page.keyboard.up('Shift');
  await until('the guest has read its keyboard', async () => (await client.call('guest.keysRead', { guest })).read);
  await client.call('guest.type', { guest, text: 'echo lower > /tmp/after\n' });
  expect(await until('the text arrived', async () => (await run('cat /tmp/after 2>/dev/null')) || null)).toBe('lower\n');

  // Ctrl+Alt gives the keyboard back, and says so.
  await page.locator('.console-screen').focus();
  await page.getByText('Ctrl+Alt releases the keyboard', { exact: true }).waitFor();
  expect(await page.locator('.console [role="status"]').last().textContent()).toContain('Starter');
  await page.keyboard.press('Control+Alt');
  await until('the keyboard is back', () => page.evaluate(() => document.activeElement?.classList.contains('console-grab')));
  expect(await page.locator('.console-grab').textContent()).toBe('Click to use keyboard and mouse');

  // The strip's numbers are plausible while the pointer moves.
  await page.locator('.console-screen').hover();
  for (let step = 0; step < 40; step++) await page.mouse.move(500 + step * 4, 400 + step);
  await until('a round trip was measured', async () => /^[\d.]+ ms$/.test(await fact(page, 'latency')));
  expect(await fact(page, 'protocol')).toBe('SPICE');
  const { widthPx, heightPx } = await screendump(client, guest);
  expect(await fact(page, 'size')).toContain(`${widthPx} × ${heightPx}`);
  expect(Number.parseFloat(await fact(page, 'latency'))).toBeLessThan(2000);
  expect(Number.parseInt(await fact(page, 'fps'), 10)).toBeLessThanOrEqual(120);
  expect(await fact(page, 'bytes')).toMatch(/^↓ .+\/s ↑ .+\/s$/);

  // A screenshot has the guest's own pixels, whatever the scale of the picture.
  await app.electron.evaluate(({ dialog }) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath: '/tmp/gh-console-shot.png' });
  });
  await page.getByRole('button', { name: 'Screenshot' }).click();
  await page.getByRole('menuitem', { name: 'Save as a file…' }).click();
  await page.getByText('Saved as /tmp/gh-console-shot.png').waitFor();
  const { readFileSync, rmSync } = await import('node:fs');
  onTestFinished(() => rmSync('/tmp/gh-console-shot.png', { force: true }));
  const saved = decodePng(readFileSync('/tmp/gh-console-shot.png'));
  expect([saved.widthPx, saved.heightPx]).toEqual([widthPx, heightPx]);

  await endGraphics(app);
  await untilEqual(page, client, guest);

  // Ctrl+Alt+Del goes to the guest, which restarts: its firmware shows a screen of its own size.
  await page.getByRole('button', { name: 'Send keys' }).click();
  await page.getByRole('menuitem', { name: 'Ctrl+Alt+Delete' }).click();
  await until('the guest started anew', async () => (await fact(page, 'size')).includes('720 × 400'), 60_000);
  await until('the guest has the keyboard again', () => page.evaluate(() => document.activeElement?.classList.contains('console-screen')));
  await untilEqual(page, client, guest);
});

test('the console comes back after a reset, a crash, a new start and a reload, and keeps the last picture meanwhile', async () => {
  const app = await withConsole();
  const { page, client, guest } = app;
  await untilShell(app, guest);
  await client.call('guest.reset', { guest });
  await untilLive(page);
  await until('the guest started anew', async () => (await fact(page, 'size')).includes('720 × 400'));
  await untilShell(app, guest);
  await untilEqual(page, client, guest);

  const before = await canvasPixels(page);
  const { state } = await client.call('guest.show', { guest });
  if (!state.run) throw new Error('The guest does not run.');
  process.kill(state.run.pid, 'SIGKILL');
  await absence(page).getByText('Starter stopped unexpectedly').waitFor();
  // A blinking cursor may have changed between the two looks; nothing else can have.
  const kept = await canvasPixels(page, '.console:not([hidden]) canvas[data-console-frame]');
  expect(differingPixels(kept, before)).toBeLessThan(400);
  expect(differingPixels(kept, before)).toBeGreaterThanOrEqual(0);

  // The page has one such button: the panel above the tabs and the card over the picture leave it to the header.
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await untilLive(page, 60_000);
  await untilShell(app, guest);
  await untilEqual(page, client, guest);

  await client.call('guest.pause', { guest });
  await absence(page).getByRole('button', { name: 'Resume' }).waitFor();
  expect(await page.locator(liveCanvas).evaluate((canvas) => getComputedStyle(canvas).filter)).toContain('brightness');
  await page.reload();
  await absence(page).getByRole('button', { name: 'Resume' }).click();
  await untilLive(page);
  await untilEqual(page, client, guest);

  await client.call('guest.forceOff', { guest });
  await absence(page).getByText('Starter is off').waitFor();
  await page.locator('.console canvas[data-console-frame]').waitFor();
});

test('several consoles are open as tabs, and one can have a window of its own', async () => {
  const app = await withConsole('First');
  const { page, client, guest, electron } = app;
  const { id: other } = await makeStarterGuest(client, 'Second');
  await client.call('guest.start', { guest: other });
  await untilStatus(client, other, 'running');
  await goToConsole(page, other);
  await untilLive(page);
  expect(await page.locator('.console-tab').count()).toBe(2);
  await page.locator('.console-tab-link', { hasText: 'First' }).click();
  await untilLive(page);
  await untilEqual(page, client, guest);
  await page.locator('.console-tab-link', { hasText: 'Second' }).click();
  await untilLive(page);
  await untilAgent(client, other);
  await untilEqual(page, client, other);

  const opened = nextWindow(electron);
  await page.locator('.console:not([hidden])').getByRole('button', { name: 'Move to a window of its own' }).click();
  const own = await opened;
  await untilLive(own);
  await untilEqual(own, client, other);
  expect(await own.title()).toContain('Second');

  // The main window does not take the console away unasked, and does when asked.
  await goToConsole(page, other);
  await absence(page).getByText('open in another window').waitFor();
  await untilEqual(own, client, other);
  await absence(page).getByRole('button', { name: 'Show it here' }).click();
  await untilLive(page);
  await absence(own).getByText('open in another window').waitFor();
});

test('the serial terminal types and shows the answer', async () => {
  const { page, guest } = await withConsole();
  await goTo(page, `/guests/${guest}/terminal`);
  const lines = async () =>
    (await page.locator('.terminal .xterm-rows > div').allTextContents()).join('\n').replaceAll('\u00a0', ' ').trimEnd();
  await page.locator('.terminal .xterm-rows').waitFor();
  await page.locator('.terminal-host').click();
  await page.keyboard.press('Enter');
  await until('the prompt is there', async () => (await lines()).endsWith('#'));
  await page.keyboard.type('echo answer-$((6*7))\n', { delay: 30 });
  await until('the answer is there', async () => (await lines()).includes('answer-42'));

  // Going away and coming back shows what scrolled by.
  await goTo(page, `/guests/${guest}/overview`);
  await goTo(page, `/guests/${guest}/terminal`);
  await until('the answer is there again', async () => (await lines()).includes('answer-42'));
});

test('a hostile console server costs its own console and nothing else', async () => {
  const app = await withConsole();
  const { page, client, guest, home } = app;
  const { spiceSocketPath } = await client.call('guest.consoles', { guest });
  if (!spiceSocketPath) throw new Error('The guest has no SPICE socket.');
  expect(spiceSocketPath.startsWith(dataRootAt(home).home)).toBe(true);

  const surface = (width: number, height: number) => spiceMessage(314, u32(0, width, height, 32, 1));
  const attempts: Mischief[] = [
    { kind: 'garbage' },
    { kind: 'inject', channel: 1, message: spiceMessage(104, u32(0xffffffff)) },
    { kind: 'inject', channel: 1, message: spiceMessage(103, new Uint8Array(0), 0xffffffff) },
    { kind: 'inject', channel: 1, message: spiceMessage(109, u32(1, 6, 0, 0, 0xffffffff)) },
    ...[0, 1, 15, 16, 17, 201, 202, 203, 208, 209].map((afterBytes): Mischief => ({ kind: 'cut', channel: 1, afterBytes })),
  ];
  for (const channel of [2, 3, 4])
    attempts.push(
      { kind: 'inject', channel, message: surface(0xffffffff, 0xffffffff) },
      { kind: 'inject', channel, message: surface(16_384, 16_384) },
      { kind: 'inject', channel, message: spiceMessage(304, new Uint8Array(200).fill(255)) },
      { kind: 'inject', channel, message: spiceMessage(302, new Uint8Array(3)) },
      { kind: 'inject', channel, message: spiceMessage(103, new Uint8Array(60).fill(255)) },
      // Within the first message's header: every channel has at least that one.
      { kind: 'cut', channel, afterBytes: 208 },
    );
  for (const mischief of attempts) {
    const hostile = await takePlaceOf(spiceSocketPath, mischief);
    // Away and back: the console is connected anew.
    await page.locator('.console-tab-close').click();
    await goToConsole(page, guest);
    await until(`the app met ${JSON.stringify(mischief).slice(0, 80)}`, () => hostile.met());
    // Messages that a channel does not know are passed over; all others end the console, and it says so.
    await until('the window answers', () =>
      Promise.race([
        page.evaluate(() => document.querySelector('.console') !== null),
        new Promise<false>((no) => setTimeout(() => no(false), 2000)),
      ]),
    );
    if (mischief.kind !== 'inject' || mischief.channel === 1) {
      const told = await until(
        `the console says that it ended by ${JSON.stringify(mischief).slice(0, 80)}`,
        async () =>
          /.*(console|connection).*/i.exec(
            (await absence(page)
              .textContent({ timeout: 500 })
              .catch(() => '')) ?? '',
          )?.[0],
      );
      expect(told).not.toMatch(/undefined|TypeError|\[object/);
    }
    await hostile.giveBack();
  }

  // Silence is waited for, and then told.
  const silent = await takePlaceOf(spiceSocketPath, { kind: 'silence' });
  await page.locator('.console-tab-close').click();
  await goToConsole(page, guest);
  await absence(page).getByText('showed no picture within').waitFor();
  await silent.giveBack();

  await absence(page).getByRole('button', { name: 'Connect now' }).click();
  await untilLive(page);
  await untilEqual(page, client, guest);
});

test('a guest whose agent runs is told the size of the window, and again when it is to fill the window after exact pixels', async () => {
  const app = await withConsole();
  const { page, client, guest, electron } = app;
  // What the display should be is told by the display itself, not through the agent.
  await runInGuest(client, guest, listensForSpice);
  const wanted = async () => (await runInGuest(client, guest, 'cat /sys/class/drm/card*-*/modes | head -n 1')).trim();
  const resized = async (width: number, height: number) => {
    await electron.evaluate(({ BrowserWindow }, size) => BrowserWindow.getAllWindows()[0]?.setContentSize(...size), [
      width,
      height,
    ] as const);
    await until('the page has the size', async () => (await page.evaluate(() => innerWidth)) === width);
  };
  const fitting = async () => {
    const box = await page
      .locator('.console:not([hidden]) .console-screen')
      .evaluate(({ clientWidth, clientHeight }) => [clientWidth, clientHeight] as const);
    return `${Math.floor(box[0] / 8) * 8}x${Math.floor(box[1] / 2) * 2}`;
  };
  for (const [width, height] of [
    [1100, 780],
    [1300, 900],
  ] as const) {
    await resized(width, height);
    await until('the guest is asked for the size of the window', async () => (await wanted()) === (await fitting()));
  }
  const before = await wanted();
  await client.call('settings.set', { consoleScale: 'exact' });
  await page.locator('.console-screen-exact').waitFor();
  await resized(1200, 840);
  // Longer than it takes to ask.
  await pause(1500);
  expect(await wanted()).toBe(before);
  await client.call('settings.set', { consoleScale: 'fit' });
  await until('the guest is asked again', async () => (await wanted()) === (await fitting()));
});
