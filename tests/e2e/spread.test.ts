/** A guest on all displays of a computer: each of its monitors full screen on the right one, whatever is plugged in, out or chosen. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { launchApp, nextWindow, type TestApp, untilConnected } from '../support/app.ts';
import { goToConsole, runInGuest } from '../support/console-page.ts';
import { canvasOf, untilHeadEqual } from '../support/monitor-pixels.ts';
import { noPhysicalDisplays, startPhysicalDisplays } from '../support/physical-displays.ts';
import { listensForSpice, makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

/** Where each window is, by its title, and whether it is full screen. */
async function windowsOf({ electron }: TestApp): Promise<Record<string, string>> {
  return electron.evaluate(({ BrowserWindow }) =>
    Object.fromEntries(
      BrowserWindow.getAllWindows().map((window) => {
        const { x, y, width, height } = window.getBounds();
        const title = window.getTitle().startsWith('Monitor 2') ? 'second' : 'first';
        return [title, `${window.isFullScreen() ? 'full ' : ''}${width}x${height}+${x}+${y}`];
      }),
    ),
  );
}

async function untilWindows(app: TestApp, wanted: Record<string, string>): Promise<void> {
  let seen = {};
  await until('the windows are where they belong', async () => {
    seen = await windowsOf(app);
    return JSON.stringify(seen, Object.keys(seen).sort()) === JSON.stringify(wanted, Object.keys(wanted).sort());
  }).catch((error: unknown) => {
    throw new Error(`they are ${JSON.stringify(seen)} and not ${JSON.stringify(wanted)}`, { cause: error });
  });
}

async function choose(page: Page, ...items: string[]): Promise<void> {
  await page.getByRole('button', { name: 'Monitors' }).click();
  for (const item of items) await page.getByRole(/^Display/.test(item) ? 'menuitemradio' : 'menuitem', { name: item }).click();
  await until('the menu is gone', async () => {
    await page.keyboard.press('Escape');
    return (await page.getByRole('menu').count()) === 0;
  });
}

test('each monitor is full screen on the display that it belongs to, also when one is unplugged, plugged in again, or chosen otherwise', async (context) => {
  const obstacle = noPhysicalDisplays();
  if (obstacle) context.skip(obstacle);
  const displays = await startPhysicalDisplays();
  displays.plugIn(0, '1280x800', '0x0');
  displays.plugIn(1, '1024x768', '1280x0');
  const app = await launchApp({ environment: displays.environment });
  await untilConnected(app);
  const { page, client, electron } = app;
  await until('both displays are known', async () =>
    electron.evaluate(
      ({ screen }) =>
        screen
          .getAllDisplays()
          .map(({ bounds }) => bounds.width)
          .join(' ') === '1280 1024',
    ),
  );
  const { id: guest } = await makeStarterGuest(client, 'Starter');
  await client.call('guest.edit', { guest, change: { display: { device: 'virtio', heads: 2 } } });
  await app.call('guest.start', { guest });
  await untilStatus(client, guest, 'running');
  await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setBounds({ x: 100, y: 60, width: 1000, height: 700 }));
  await goToConsole(page, guest);
  await page.locator(canvasOf(0)).waitFor();
  await untilAgent(client, guest);
  await runInGuest(client, guest, `echo 0 > /sys/class/graphics/fbcon/cursor_blink; ${listensForSpice}`);
  const outputs = async () => (await runInGuest(client, guest, 'cat /sys/class/drm/card*-*/status')).trim().split(/\s+/).join(' ');
  await until('both are on', async () => (await outputs()) === 'connected connected');
  const before = (await windowsOf(app)).first ?? '';
  expect(before).not.toContain('full');

  let opening = nextWindow(electron);
  await choose(page, 'Full screen on all displays');
  let second = await opening;
  await untilWindows(app, { first: 'full 1280x800+0+0', second: 'full 1024x768+1280+0' });
  const preferred = async () =>
    (await runInGuest(client, guest, 'for o in 1 2; do head -n 1 /sys/class/drm/card*-Virtual-$o/modes; done')).trim();
  await until('each has the size of its display', async () => (await preferred()) === '1280x800\n1024x768');
  await untilHeadEqual(app, page, guest, 0, '1280x800');
  await untilHeadEqual(app, second, guest, 1, '1024x768');
  const shots = process.env.GUESTHOUSE_SHOTS;
  if (shots)
    execFileSync('sh', ['-c', `command -v import >/dev/null && import -window root ${join(shots, 'spread.png')} || true`], {
      env: { ...process.env, ...displays.environment },
    });

  // A display that is unplugged takes its monitor with it.
  displays.unplug(1);
  await untilWindows(app, { first: 'full 1280x800+0+0' });
  await until('the guest has one monitor', async () => (await outputs()) === 'connected disconnected');
  opening = nextWindow(electron);
  displays.plugIn(1, '1024x768', '1280x0');
  second = await opening;
  await untilWindows(app, { first: 'full 1280x800+0+0', second: 'full 1024x768+1280+0' });
  await until('the guest has two again', async () => (await outputs()) === 'connected connected');

  // What is chosen holds from then on; whoever was there goes to the other one.
  await page.mouse.move(640, 1);
  await choose(page, 'Monitor 1 on', 'Display 2');
  await untilWindows(app, { first: 'full 1024x768+1280+0', second: 'full 1280x800+0+0' });
  await untilHeadEqual(app, page, guest, 0, '1024x768');
  await untilHeadEqual(app, second, guest, 1, '1280x800');

  // Whichever leaves full screen, all do.
  await second.mouse.move(640, 1);
  await second.getByRole('button', { name: 'Leave full screen' }).click();
  await untilWindows(app, { first: before });
  opening = nextWindow(electron);
  await choose(page, 'Full screen on all displays');
  await opening;
  await untilWindows(app, { first: 'full 1024x768+1280+0', second: 'full 1280x800+0+0' });
});
