import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { leftButton, untilPointer } from '../support/agent-pointer.ts';
import { launchApp, untilConnected } from '../support/app.ts';
import { canvasPixels, goToConsole, runInGuest } from '../support/console-page.ts';
import { canvasOf, untilHeadEqual } from '../support/monitor-pixels.ts';
import { listensForSpice, makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

async function choose(page: Page, item: string): Promise<void> {
  await page.getByRole('button', { name: 'Monitors' }).click();
  await page.getByRole('menuitemradio', { name: item }).click();
  await page.keyboard.press('Escape');
}

/** What a guest is asked for: what fits, and no less than the least that guests take. */
const boxOf = (page: Page, head: number) =>
  page
    .locator(`.console:not([hidden]) [data-head="${head}"] .console-screen`)
    .evaluate(
      ({ clientWidth, clientHeight }) =>
        `${Math.max(640, Math.floor(clientWidth / 8) * 8)}x${Math.max(480, Math.floor(clientHeight / 2) * 2)}`,
    );

/** The buttons among what a Linux guest's input devices said: each event is a time, a type, a code and a value. */
function buttonEvents(said: Buffer): string[] {
  const buttons: Record<number, string> = { 272: 'left', 273: 'right' };
  return Array.from({ length: Math.floor(said.byteLength / 24) }, (_, index) => said.subarray(index * 24 + 16, index * 24 + 24)).flatMap(
    (event) => {
      const button = event.readUInt16LE(0) === 1 ? buttons[event.readUInt16LE(2)] : undefined;
      return button ? [`${button} ${event.readInt32LE(4) === 1 ? 'down' : 'up'}`] : [];
    },
  );
}

test('two monitors are shown one at a time or side by side, each pixel by pixel, and the guest has as many as are chosen', async () => {
  const app = await launchApp();
  await untilConnected(app);
  const { page, client } = app;
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  await client.call('guest.edit', { guest, change: { display: { device: 'virtio', heads: 2 } } });
  await app.call('guest.start', { guest });
  await untilStatus(client, guest, 'running');
  await goToConsole(page, guest);
  await page.locator(canvasOf(0)).waitFor();
  await untilAgent(client, guest);
  await runInGuest(client, guest, 'echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  await untilHeadEqual(app, app.page, guest, 0);

  // Without an agent QEMU cannot say which of two monitors a position is on: the guest gets movements, and the window locks the pointer for it.
  const devices = () => runInGuest(client, guest, 'cat /proc/bus/input/devices');
  await until('the guest has found its tablet', async () => /Tablet.*Handlers=.*event\d/s.test(await devices()), 60_000);
  await runInGuest(client, guest, 'for device in /dev/input/event*; do cat $device >> /tmp/input 2>/dev/null & done');
  const pressedInGuest = async () => buttonEvents(Buffer.from(await runInGuest(client, guest, 'base64 /tmp/input'), 'base64'));
  const locked = (is: boolean) => page.waitForFunction((wanted) => (document.pointerLockElement !== null) === wanted, is);
  const middleOfScreen = await page.locator(canvasOf(0)).boundingBox();
  if (!middleOfScreen) throw new Error('The monitor has no place.');
  await page.mouse.click(middleOfScreen.x + middleOfScreen.width / 2, middleOfScreen.y + middleOfScreen.height / 2);
  await locked(true);
  await page.mouse.down();
  await page.mouse.up();
  await page.mouse.down({ button: 'right' });
  await page.mouse.up({ button: 'right' });
  await expect.poll(pressedInGuest, { timeout: 40_000 }).toEqual(['left down', 'left up', 'right down', 'right up']);
  await page.keyboard.press('Control+Alt');
  await locked(false);

  // The second output is off as long as nobody has asked for it, and QEMU says so on it.
  const number = (text: string) => page.getByRole('radio', { name: text, exact: true });
  await number('2').click();
  await untilHeadEqual(app, app.page, guest, 1);
  expect(await page.locator('.console:not([hidden]) [data-fact="size"]').textContent()).toContain('×');
  await page.getByRole('button', { name: 'Monitors' }).click();
  const more = page.getByRole('menuitemradio', { name: 'More monitors' });
  expect(await more.getAttribute('aria-disabled')).toBe('true');
  expect(await more.textContent()).toContain('This guest’s display has 2 monitors.');
  expect(await page.getByRole('menuitemradio', { name: '3 monitors' }).count()).toBe(0);
  await page.keyboard.press('Escape');

  // An agent that has opened its channel: both are asked for, each as large as its place.
  const outputs = async () => (await runInGuest(client, guest, 'cat /sys/class/drm/card*-*/status')).trim().split(/\s+/).join(' ');
  const preferred = async (output: number) =>
    (await runInGuest(client, guest, `head -n 1 /sys/class/drm/card*-Virtual-${output}/modes`)).trim();
  expect(await outputs()).toBe('connected disconnected');
  await runInGuest(client, guest, listensForSpice);
  await until('both are on', async () => (await outputs()) === 'connected connected');
  await choose(page, 'Side by side');
  for (const head of [0, 1])
    await until('the guest is asked for its size', async () => (await preferred(head + 1)) === (await boxOf(page, head)));
  await runInGuest(client, guest, '(clear; seq 1 30) > /dev/tty1');
  await untilHeadEqual(app, app.page, guest, 0);
  await untilHeadEqual(app, app.page, guest, 1);
  const shots = process.env.GUESTHOUSE_SHOTS;
  if (shots) await page.screenshot({ path: join(shots, 'monitors-tiled.png') });

  // A button that is held is held on the other one as well, and let go there.
  const [from, to] = await Promise.all([0, 1].map((head) => page.locator(canvasOf(head)).boundingBox()));
  if (!from || !to) throw new Error('A monitor has no place.');
  await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await page.mouse.down();
  await page.mouse.move(to.x + 3, to.y + to.height / 2);
  await page.mouse.move(to.x + to.width / 2, to.y + to.height / 2);
  await page.mouse.up();
  const middle = async (head: number) => {
    const { widthPx, heightPx } = await canvasPixels(page, canvasOf(head));
    return { xPx: widthPx / 2, yPx: heightPx / 2, display: head };
  };
  const pressed = { ...(await middle(0)), buttons: leftButton };
  const released = { ...(await middle(1)), buttons: 0 };
  const pointer = await untilPointer(client, guest, released);
  expect(pointer).toContainEqual(pressed);
  expect(pointer).toContainEqual({ ...released, buttons: leftButton });

  await choose(page, 'One at a time');
  await number('1').click();
  await untilHeadEqual(app, app.page, guest, 0);
  if (shots) await page.screenshot({ path: join(shots, 'monitors-tabs.png') });
  await choose(page, '1');
  await until('the second is off', async () => (await outputs()) === 'connected disconnected');
  await untilHeadEqual(app, app.page, guest, 0);
  expect(await number('2').count()).toBe(0);

  await client.call('guest.forceOff', { guest });
  await page.locator('.console canvas[data-console-frame]').waitFor();
});
