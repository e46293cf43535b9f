import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { leftButton, untilPointer } from '../support/agent-pointer.ts';
import { launchApp, nextWindow, type TestApp, untilConnected } from '../support/app.ts';
import { canvasPixels, goToConsole, runInGuest, typeKeys } from '../support/console-page.ts';
import { dragOver } from '../support/drag-files.ts';
import { canvasOf, untilHeadEqual } from '../support/monitor-pixels.ts';
import { listensForSpice, makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

async function choose(page: Page, item: string, role: 'menuitem' | 'menuitemcheckbox' = 'menuitem'): Promise<void> {
  await page.getByRole('button', { name: 'Monitors' }).click();
  await page.getByRole('menuitem', { name: 'In windows of their own' }).click();
  await page.getByRole(role, { name: item }).click();
  await until('the menu is gone', async () => {
    await page.keyboard.press('Escape');
    return (await page.getByRole('menu').count()) === 0;
  });
}

/** A guest with so many monitors, all of them on, and its console in the main window. */
async function withMonitors(heads: number): Promise<TestApp & { guest: GuestId }> {
  const app = await launchApp();
  await untilConnected(app);
  const { id: guest } = await makeStarterGuest(app.client, 'Starter');
  await app.client.call('guest.edit', { guest, change: { display: { device: 'virtio', heads } } });
  await app.call('guest.start', { guest });
  await untilStatus(app.client, guest, 'running');
  await goToConsole(app.page, guest);
  await app.page.locator(canvasOf(0)).waitFor();
  await untilAgent(app.client, guest);
  await runInGuest(app.client, guest, `echo 0 > /sys/class/graphics/fbcon/cursor_blink; ${listensForSpice}`);
  const on = () => runInGuest(app.client, guest, 'grep -lx connected /sys/class/drm/card*-*/status | wc -l');
  await until('all monitors are on', async () => Number(await on()) === heads);
  return { ...app, guest };
}

test('a monitor in a window of its own is drawn and used there, has that window’s size, and comes back when it closes', async () => {
  const app = await withMonitors(2);
  const { page, client, electron, guest } = app;
  await untilHeadEqual(app, page, guest, 0);
  const opening = nextWindow(electron);
  await choose(page, 'Monitor 2', 'menuitemcheckbox');
  const second = await opening;
  await second.locator(canvasOf(1)).waitFor();
  await until('it has its title', async () => (await second.title()) === 'Monitor 2 – Starter');
  await page.getByRole('radio', { name: '2', exact: true }).waitFor({ state: 'detached' });
  const windows = () => electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
  expect(await windows()).toBe(2);

  // It reaches nothing by itself.
  const bridges = await second.evaluate(() => ['guesthouse', 'require', 'process'].filter((name) => name in window));
  expect(bridges).toEqual([]);
  const openedThere = await second.evaluate((id) => [window.open('about:blank', `head-${id}-3`), window.open('app://guesthouse/')], guest);
  const openedHere = await page.evaluate(
    (id) => [window.open('about:blank'), window.open('about:blank', `head-${id}-99`), window.open('app://guesthouse/', `head-${id}-3`)],
    guest,
  );
  expect([...openedThere, ...openedHere]).toEqual([null, null, null, null, null]);
  expect(await windows()).toBe(2);

  // Each window's size is its own monitor's wish.
  const preferred = async (output: number) =>
    (await runInGuest(client, guest, `head -n 1 /sys/class/drm/card*-Virtual-${output}/modes`)).trim();
  const before = await preferred(1);
  const resized = await electron.evaluate(({ BrowserWindow }) => {
    const window = BrowserWindow.getAllWindows().find((each) => each.getTitle().startsWith('Monitor 2'));
    window?.setContentSize(900, 700);
    return window !== undefined;
  });
  expect(resized).toBe(true);
  const wanted = () =>
    second
      .locator('.console-screen')
      .evaluate(({ clientWidth, clientHeight }) => `${Math.floor(clientWidth / 8) * 8}x${Math.floor(clientHeight / 2) * 2}`);
  await until('its guest is asked for that size', async () => (await preferred(2)) === (await wanted()));
  expect(await preferred(1)).toBe(before);

  // Keys go to the guest whichever window has them, and none stays pressed where it is left.
  await second.locator('.console-screen').click();
  const run = (script: string) => runInGuest(client, guest, script);
  await typeKeys(second, run, 'echo from-second > /tmp/second\n');
  await until('what was typed there arrived', async () => (await runInGuest(client, guest, 'cat /tmp/second')).includes('from-second'));
  await second.keyboard.down('ShiftLeft');
  // Playwright lets no page notice that it loses the focus.
  await second.evaluate(() => window.dispatchEvent(new Event('blur')));
  await page.locator(`[data-head="0"] .console-screen`).click();
  await typeKeys(page, run, 'echo from-first > /tmp/first\n');
  await until('what was typed here arrived, in small letters', async () =>
    (await runInGuest(client, guest, 'cat /tmp/first')).includes('from-first'),
  );
  await second.keyboard.up('ShiftLeft');

  await untilHeadEqual(app, second, guest, 1);
  await untilHeadEqual(app, page, guest, 0);
  const shots = process.env.GUESTHOUSE_SHOTS;
  if (shots) await second.screenshot({ path: join(shots, 'head-window.png') });

  // A key that is held presses a button once, and so does a double click whose second comes when the button has become another one.
  const path = join(app.home, 'second.webm');
  await electron.evaluate(({ dialog }, filePath) => {
    Object.assign(globalThis, { asked: 0 });
    dialog.showSaveDialog = async () => {
      (globalThis as unknown as { asked: number }).asked++;
      return { canceled: false, filePath };
    };
  }, path);
  const asked = () => electron.evaluate(() => (globalThis as unknown as { asked: number }).asked);
  const begin = second.getByRole('button', { name: 'Record a video…' });
  const end = second.getByRole('button', { name: 'End the recording' });
  await begin.focus();
  await second.evaluate(() => {
    Object.assign(window, { clicks: 0 });
    document.addEventListener('click', () => (window as unknown as { clicks: number }).clicks++);
  });
  await second.keyboard.down('Enter');
  await end.waitFor();
  for (let repeated = 0; repeated < 3; repeated++) await second.keyboard.down('Enter');
  await second.keyboard.up('Enter');
  expect(await second.evaluate(() => (window as unknown as { clicks: number }).clicks)).toBe(1);
  const button = await end.boundingBox();
  await second.mouse.click((button?.x ?? 0) + 8, (button?.y ?? 0) + 8);
  await begin.waitFor();
  await second.mouse.down({ clickCount: 2 });
  await second.mouse.up({ clickCount: 2 });
  await page.evaluate(() => window.guesthouse.shell('shell.copyText', { text: 'after it' }));
  expect(await asked()).toBe(1);

  // A button that is held is held in the other window as well, and let go there.
  await electron.evaluate(({ BrowserWindow }) => {
    for (const window of BrowserWindow.getAllWindows()) {
      const isSecond = window.getTitle().startsWith('Monitor 2');
      window.setPosition(isSecond ? 0 : 920, 0);
    }
  });
  await until(
    'they lie beside each other',
    async () => (await page.evaluate(() => screenX)) - (await second.evaluate(() => screenX)) === 920,
  );
  const [from, to] = await Promise.all([second.locator(canvasOf(1)).boundingBox(), page.locator(canvasOf(0)).boundingBox()]);
  if (!from || !to) throw new Error('A monitor has no place.');
  const [above, aboveThere] = await Promise.all([second, page].map((each) => each.evaluate(() => screenY + outerHeight - innerHeight)));
  const [sizeThere, size] = [await canvasPixels(page, canvasOf(0)), await canvasPixels(second, canvasOf(1))];
  await second.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await second.mouse.down();
  await second.mouse.move(920 + to.x + to.width / 2, to.y + to.height / 2 + (aboveThere ?? 0) - (above ?? 0));
  await second.mouse.up();
  const released = { xPx: sizeThere.widthPx / 2, yPx: sizeThere.heightPx / 2, display: 0, buttons: 0 };
  const pointer = await untilPointer(client, guest, released);
  expect(pointer).toContainEqual({ xPx: size.widthPx / 2, yPx: size.heightPx / 2, display: 1, buttons: leftButton });
  expect(pointer).toContainEqual({ ...released, buttons: leftButton });

  // Files are dropped on any of its monitors, and where they are is where they would go; here is no agent that could take them.
  const target = '.console-drop';
  const takeAway = await dragOver(second, ['/etc/hostname']);
  await until('the console says why', async () => (await second.locator(target).textContent())?.includes('spice-vdagent'));
  expect(await page.locator(target).count()).toBe(0);
  await takeAway('drop');
  await second.locator(target).waitFor({ state: 'detached' });
  expect(await second.title()).toBe('Monitor 2 – Starter');

  // What was in it is with the others again, and goes on being drawn.
  await second.close();
  await page.getByRole('radio', { name: '2', exact: true }).click();
  await untilHeadEqual(app, page, guest, 1);
  expect(await windows()).toBe(1);

  // What a page leaves behind, its windows are not.
  const again = nextWindow(electron);
  await choose(page, 'A window for each');
  await (await again).locator(canvasOf(1)).waitFor();
  await page.getByRole('button', { name: 'Close the console of Starter' }).click();
  await until('its window is gone as well', async () => (await windows()) === 1);
});
