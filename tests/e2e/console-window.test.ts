import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { launchApp, type TestApp, untilConnected } from '../support/app.ts';
import { goToConsole, runInGuest, screendump, untilLive } from '../support/console-page.ts';
import { decodePng, differingPixels, type Pixels } from '../support/png.ts';
import { listensForSpice, makeStarterGuest, untilAgent, untilStatus } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';

const shown = '.console:not([hidden])';
const picture = `${shown} canvas[data-console-canvas]`;

/** Shows the console of a starter guest whose agent answers. */
async function showStarter(app: TestApp): Promise<GuestId> {
  await untilConnected(app);
  const { id } = await makeStarterGuest(app.client, 'Starter');
  await app.call('guest.start', { guest: id });
  await untilStatus(app.client, id, 'running');
  await goToConsole(app.page, id);
  await untilLive(app.page);
  await untilAgent(app.client, id);
  return id;
}

async function withConsole(): Promise<TestApp & { guest: GuestId }> {
  const app = await launchApp();
  return { ...app, guest: await showStarter(app) };
}

/** What the window shows of the guest in the display's own pixels, and which part of its picture that is. */
async function seenPixels(page: Page): Promise<{ seen: Pixels; fromX: number; fromY: number }> {
  const boxes = await page.locator(picture).evaluate((canvas) => {
    const shape = ({ left, top, right, bottom }: DOMRect) => ({ left, top, right, bottom });
    const box = canvas.closest('.console-screen') ?? canvas;
    return { picture: shape(canvas.getBoundingClientRect()), box: shape(box.getBoundingClientRect()), ratio: devicePixelRatio };
  });
  const all = decodePng(await page.screenshot({ scale: 'device' }));
  const at = (value: number) => Math.round(value * boxes.ratio);
  // A picture that is larger than its box scrolls; the bars are not looked at.
  const barPx = Math.ceil(16 * boxes.ratio);
  const left = at(Math.max(boxes.picture.left, boxes.box.left)) + 1;
  const top = at(Math.max(boxes.picture.top, boxes.box.top)) + 1;
  const widthPx = Math.min(at(boxes.picture.right), at(boxes.box.right) - barPx) - left;
  const heightPx = Math.min(at(boxes.picture.bottom), at(boxes.box.bottom) - barPx) - top;
  return { seen: crop(all, left, top, widthPx, heightPx), fromX: left - at(boxes.picture.left), fromY: top - at(boxes.picture.top) };
}

function crop(source: Pixels, left: number, top: number, widthPx: number, heightPx: number): Pixels {
  const rgb = new Uint8Array(widthPx * heightPx * 3);
  for (let y = 0; y < heightPx; y++) {
    const from = ((top + y) * source.widthPx + left) * 3;
    rgb.set(source.rgb.subarray(from, from + widthPx * 3), y * widthPx * 3);
  }
  return { widthPx, heightPx, rgb };
}

/** As somebody sees it who has turned the picture clockwise, and looks at each pixel as `scale` by `scale`. */
function turnedAndEnlarged(source: Pixels, degrees: number, scale: number): Pixels {
  const lies = degrees % 180 === 0;
  const [width, height] = lies ? [source.widthPx, source.heightPx] : [source.heightPx, source.widthPx];
  const result = { widthPx: width * scale, heightPx: height * scale, rgb: new Uint8Array(width * scale * height * scale * 3) };
  for (let y = 0; y < result.heightPx; y++)
    for (let x = 0; x < result.widthPx; x++) {
      const [seenX, seenY] = [Math.floor(x / scale), Math.floor(y / scale)];
      const [fromX, fromY] =
        degrees === 0
          ? [seenX, seenY]
          : degrees === 90
            ? [seenY, source.heightPx - 1 - seenX]
            : degrees === 180
              ? [source.widthPx - 1 - seenX, source.heightPx - 1 - seenY]
              : [source.widthPx - 1 - seenY, seenX];
      const from = (fromY * source.widthPx + fromX) * 3;
      result.rgb.set(source.rgb.subarray(from, from + 3), (y * result.widthPx + x) * 3);
    }
  return result;
}

async function untilSeen({ page, client }: TestApp, guest: GuestId, degrees: number, scale: number): Promise<void> {
  let differing = 0;
  await until('the window shows the screendump', async () => {
    const whole = turnedAndEnlarged(await screendump(client, guest), degrees, scale);
    const { seen, fromX, fromY } = await seenPixels(page);
    // No less than a good part of it was compared.
    expect(seen.widthPx * seen.heightPx).toBeGreaterThan(200_000);
    differing = differingPixels(seen, crop(whole, fromX, fromY, seen.widthPx, seen.heightPx));
    return differing === 0;
  }).catch((error: unknown) => {
    throw new Error(`${differing} pixels differ at ${degrees}° and ${scale} times`, { cause: error });
  });
}

/** Each pixel the mean of all that lies under it, by area. */
function shrunken(source: Pixels, widthPx: number, heightPx: number): Pixels {
  const rgb = new Uint8Array(widthPx * heightPx * 3);
  const spans = (from: number, to: number) =>
    Array.from({ length: to }, (_, at) => {
      const [begin, end] = [(at * from) / to, ((at + 1) * from) / to];
      const first = Math.floor(begin);
      const count = Math.ceil(end - 1e-9) - first;
      const covered = (pixel: number) => Math.min(pixel + 1, end) - Math.max(pixel, begin);
      return Array.from({ length: count }, (_, index) => ({ at: first + index, weight: covered(first + index) / (end - begin) }));
    });
  const columns = spans(source.widthPx, widthPx);
  for (const [y, rows] of spans(source.heightPx, heightPx).entries())
    for (const [x, across] of columns.entries())
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (const row of rows)
          for (const column of across)
            sum += row.weight * column.weight * (source.rgb[(row.at * source.widthPx + column.at) * 3 + channel] as number);
        rgb[(y * widthPx + x) * 3 + channel] = Math.round(sum);
      }
  return { widthPx, heightPx, rgb };
}

/** Settles when the window shows the guest smaller than it is, and no channel of any pixel is further than a rounding from the mean of what lies under it. */
async function untilShrunken({ page, client }: TestApp, guest: GuestId, degrees: number): Promise<void> {
  let furthest = 0;
  await until('the window shows means of the screendump', async () => {
    const dump = turnedAndEnlarged(await screendump(client, guest), degrees, 1);
    const size = await page.locator(picture).evaluate((canvas) => {
      const { width, height } = canvas.getBoundingClientRect();
      return { widthPx: Math.round(width * devicePixelRatio), heightPx: Math.round(height * devicePixelRatio) };
    });
    if (size.widthPx >= dump.widthPx) return false;
    const { seen, fromX, fromY } = await seenPixels(page);
    expect(seen.widthPx * seen.heightPx).toBeGreaterThan(200_000);
    const wanted = crop(shrunken(dump, size.widthPx, size.heightPx), fromX, fromY, seen.widthPx, seen.heightPx);
    furthest = wanted.rgb.reduce((most, value, at) => Math.max(most, Math.abs(value - (seen.rgb[at] as number))), 0);
    return furthest <= 3;
  }).catch((error: unknown) => {
    throw new Error(`a pixel is ${furthest} of 255 from what it is to be, at ${degrees}°`, { cause: error });
  });
}

async function choose(page: Page, item: string): Promise<void> {
  await page.locator(shown).getByRole('button', { name: 'Size', exact: true }).click();
  const role = /^(Fit|Whole|Exact)/.test(item) ? 'menuitemradio' : 'menuitem';
  await page.getByRole(role, { name: new RegExp(`^${item}`) }).click();
  await page.getByRole('menu').waitFor({ state: 'detached' });
}

test('pictures have the screendump’s pixels on displays of fractional scale: exact, multiplied, turned, and as means where they are smaller', async () => {
  const first = await launchApp({ words: ['--force-device-scale-factor=1.25'] });
  const guest = await showStarter(first);
  expect(await first.page.evaluate(() => devicePixelRatio)).toBe(1.25);
  await runInGuest(first.client, guest, 'echo 0 > /sys/class/graphics/fbcon/cursor_blink');
  await untilShrunken(first, guest, 0);
  await choose(first.page, 'Rotate right');
  await untilShrunken(first, guest, 90);
  await choose(first.page, 'Rotate left');
  await choose(first.page, 'Exact pixels');
  await untilSeen(first, guest, 0, 1);
  for (const degrees of [90, 180, 270]) {
    await choose(first.page, 'Rotate right');
    await untilSeen(first, guest, degrees, 1);
  }
  await choose(first.page, 'Rotate right');
  await first.close();

  const second = await launchApp({ home: first.home, words: ['--force-device-scale-factor=1.5'] });
  await untilConnected(second);
  await goToConsole(second.page, guest);
  await untilLive(second.page);
  // As it was looked at last.
  await untilSeen(second, guest, 0, 1);
  await choose(second.page, 'Zoom in');
  await choose(second.page, 'Whole multiples');
  await untilSeen(second, guest, 0, 1);
});

test('the pointer of a turned and zoomed picture is where it is seen, and both are remembered for the guest', async () => {
  const app = await withConsole();
  const { page, client, guest } = app;
  await client.call('settings.set', { consoleResizeGuest: false });
  // A guest whose agent listens takes positions.
  await runInGuest(client, guest, listensForSpice);
  // What the page tells the worker of the console is what the guest's server is told.
  await page.evaluate(() => {
    const told: { xPx: number; yPx: number }[] = [];
    Object.assign(window, { told });
    window.addEventListener('pointermove', ({ clientX }) => Object.assign(window, { pointerAt: clientX }), true);
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (this: Worker, message: { input?: { kind: string; xPx: number; yPx: number } }, how?: object) {
      if (message.input?.kind === 'position') told.push(message.input);
      return post.call(this, message, how);
    };
  });
  const toldAt = async (x: number, y: number) => {
    await page.mouse.move(x + 3, y);
    await page.mouse.move(x, y);
    const seenAt = () => page.evaluate(() => (window as unknown as { pointerAt: number }).pointerAt);
    await until('the pointer is there', async () => Math.abs((await seenAt()) - x) < 1);
    return page.evaluate(() => (window as unknown as { told: { xPx: number; yPx: number }[] }).told.at(-1));
  };
  const boxOf = (selector: string) =>
    page.locator(selector).evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return { left, top, width, height };
    });
  const { widthPx, heightPx } = await screendump(client, guest);
  await until('the guest takes positions', async () => {
    const { left, top, width, height } = await boxOf(picture);
    return toldAt(left + width / 2, top + height / 2);
  });

  await choose(page, 'Rotate right');
  const seen = await boxOf(picture);
  expect(seen.height).toBeGreaterThan(seen.width);
  // Near its upper right corner is what was at the upper left.
  const near = await toldAt(seen.left + seen.width - 2, seen.top + 2);
  expect(near?.xPx).toBeLessThan(widthPx / 50);
  expect(near?.yPx).toBeLessThan(heightPx / 50);
  const far = await toldAt(seen.left + 2, seen.top + seen.height * 0.75);
  expect(Math.abs((far?.xPx ?? 0) - widthPx * 0.75)).toBeLessThan(3);
  expect(far?.yPx).toBeGreaterThan(heightPx * 0.97);

  await choose(page, 'Rotate left');
  const upright = await boxOf(picture);
  const middle = { x: upright.left + upright.width / 2, y: upright.top + upright.height / 2 };
  await page.mouse.move(middle.x, middle.y);
  await page.keyboard.down('Control');
  for (let notch = 0; notch < 4; notch++) await page.mouse.wheel(0, -100);
  await page.keyboard.up('Control');
  await until('it is zoomed', async () => (await boxOf(picture)).width > upright.width * 2);
  const zoomed = await boxOf(picture);
  expect(zoomed.width / upright.width).toBeCloseTo(1.25 ** 4, 1);
  const centre = await toldAt(middle.x, middle.y);
  expect(Math.abs((centre?.xPx ?? 0) - widthPx / 2)).toBeLessThan(4);
  // The picture moves with the pointer: its ends are to be seen at the ends of the box.
  const box = await boxOf(`${shown} .console-screen`);
  // The outermost pixels belong to what divides the window.
  expect((await toldAt(box.left + 10, middle.y))?.xPx).toBeLessThan(16);
  expect((await toldAt(box.left + box.width - 10, middle.y))?.xPx).toBeGreaterThan(widthPx - 16);

  await choose(page, 'Exact pixels');
  await choose(page, 'Rotate right');
  await page.reload();
  await untilLive(page);
  await until('the guest is shown as it was', async () =>
    /matrix\(0, 1, -1, 0/.test((await page.locator(picture).getAttribute('style')) ?? ''),
  );
  await page.locator(`${shown} .console-screen-exact`).waitFor();
});

test('the arrow keys go through the toolbar, and Tab comes to the button that was used last', async () => {
  const app = await launchApp();
  const { page, client } = app;
  await untilConnected(app);
  const { id } = await makeStarterGuest(client, 'Keys');
  await goToConsole(page, id);
  const bar = page.locator(shown).getByRole('toolbar', { name: 'Console' });
  const focused = () => bar.locator(':focus').count();
  const isFocused = async (name: string) => (await bar.getByRole('button', { name, exact: true }).and(bar.locator(':focus')).count()) === 1;
  await bar.getByRole('button', { name: 'Send keys' }).focus();
  await page.keyboard.press('ArrowRight');
  await until('the next one has the focus', () => isFocused('Type the clipboard’s text'), 40_000);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  await until('it has it again', () => isFocused('Type the clipboard’s text'), 40_000);
  await page.keyboard.press('Tab');
  await until('the keyboard has left the toolbar', async () => (await focused()) === 0, 40_000);
  await page.keyboard.press('Shift+Tab');
  await until('it comes back to where it was', () => isFocused('Type the clipboard’s text'), 40_000);
});

test('a recording goes on while the guest changes its size, and plays as a video of what was seen', async () => {
  const app = await withConsole();
  const { page, client, guest, electron, home } = app;
  const path = join(home, 'video.webm');
  await electron.evaluate(({ dialog }, filePath) => {
    dialog.showSaveDialog = async () => ({ canceled: false, filePath });
  }, path);
  await page.locator(shown).getByRole('button', { name: 'Record a video…' }).click();
  await page.locator(`${shown} .console-recorded`, { hasText: /0:0[3-9]/ }).waitFor();
  const growing = join(home, 'video (recording).webm');
  // What has come by now would be there after a crash, and plays.
  expect(existsSync(path)).toBe(false);
  const { widthPx, heightPx } = await screendump(client, guest);
  expect(await playedSizes(page, readFileSync(growing))).toContain(`${widthPx}x${heightPx}`);

  await client.call('guest.reset', { guest });
  await until('the firmware has a size of its own', async () => (await screendump(client, guest)).widthPx === 720, 60_000);
  await page.locator(`${shown} [data-fact="size"]`, { hasText: '720 × 400' }).waitFor();
  // What is shown now is in what is written by then: each time it is what came in about a second.
  for (let more = 0; more < 3; more++) {
    const writtenBytes = statSync(growing).size;
    await until('more is recorded', () => statSync(growing).size > writtenBytes);
  }
  await electron.evaluate(({ dialog }) => {
    Object.assign(globalThis, { asked: 0 });
    dialog.showSaveDialog = async () => {
      (globalThis as unknown as { asked: number }).asked++;
      return { canceled: true, filePath: '' };
    };
  });
  const asked = () => electron.evaluate(() => (globalThis as unknown as { asked: number }).asked);
  const end = await page.locator(shown).getByRole('button', { name: 'End the recording' }).boundingBox();
  const at = { x: (end?.x ?? 0) + 12, y: (end?.y ?? 0) + (end?.height ?? 0) / 2 };
  await page.mouse.click(at.x, at.y);
  await page.getByText(`Recorded to ${path}`).waitFor();
  // The second click of a double click, so slow that the button begins the next one by then.
  const again = page.locator(shown).getByRole('button', { name: 'Record a video…' });
  await again.waitFor();
  await page.mouse.down({ clickCount: 2 });
  await page.mouse.up({ clickCount: 2 });
  // What the page asks the shell comes in order.
  await page.evaluate(() => window.guesthouse.shell('shell.copyText', { text: 'after it' }));
  expect(await asked()).toBe(0);
  await again.click();
  await until('a click of its own is taken', async () => (await asked()) === 1);
  expect(existsSync(growing)).toBe(false);
  const sizes = await playedSizes(page, readFileSync(path));
  expect(sizes).toContain(`${widthPx}x${heightPx}`);
  expect(sizes).toContain('720x400');
});

/** Plays a WebM in the page: every size of picture that is seen, and it must not be all black. */
async function playedSizes(page: Page, webm: Buffer): Promise<string[]> {
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const video = document.createElement('video');
    video.muted = true;
    video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
    const sizes = new Set<string>();
    const canvas = new OffscreenCanvas(64, 64);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const look = () => {
      if (video.videoWidth === 0) return;
      context?.drawImage(video, 0, 0, 64, 64);
      if (context?.getImageData(0, 0, 64, 64).data.some((value, index) => index % 4 !== 3 && value > 40))
        sizes.add(`${video.videoWidth}x${video.videoHeight}`);
    };
    const ended = new Promise<void>((resolve, reject) => {
      video.onended = () => resolve();
      video.onerror = () => reject(new Error(`The video does not play: ${video.error?.message}`));
    });
    const timer = setInterval(look, 40);
    try {
      await video.play();
      await ended;
    } finally {
      clearInterval(timer);
      URL.revokeObjectURL(video.src);
    }
    return [...sizes];
  }, webm.toString('base64'));
}

test('a kiosk shows the guest alone, and the way out of it', async () => {
  const { page, electron } = await withConsole();
  const isFull = () => electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isFullScreen() ?? false);
  await page.locator(shown).getByRole('button', { name: 'Kiosk: full screen without toolbars' }).click();
  const leave = page.locator(shown).getByRole('button', { name: 'Leave the kiosk' });
  await leave.waitFor();
  await until('the window is full screen', isFull);
  expect(await page.locator(`${shown} .console-bar`).isVisible()).toBe(false);
  expect(await page.locator(`${shown} .console-strip`).isVisible()).toBe(false);
  await page.locator(`${shown} .console-screen`).click();
  await page.locator(shown).getByText('Ctrl+Alt releases the keyboard', { exact: true }).last().waitFor();
  // A new guest's F11 stays with the window, but not here: it would be a second way out.
  await page.keyboard.press('F11');
  // By keyboard alone: Ctrl+Alt gives it back to the way out, and Enter takes that.
  await page.keyboard.press('Control+Alt');
  await until('the way out has the focus', () => page.evaluate(() => document.activeElement?.classList.contains('console-kiosk-leave')));
  expect(await isFull()).toBe(true);
  await page.keyboard.press('Enter');
  await page.locator(`${shown} .console-bar`).waitFor();
  await until('the window is as it was', async () => !(await isFull()));
});

test('the panel says what the connection is made of, how pictures come, and why the guest is slow', async () => {
  const { page, client, guest } = await withConsole();
  const button = page.locator(shown).getByRole('button', { name: 'About this connection' });
  await button.click();
  // The toolbar is drawn after what somebody looks at.
  await until('the button is pressed', async () => (await button.getAttribute('aria-pressed')) === 'true');
  const panel = page.locator(shown).getByRole('complementary', { name: 'Connection' });
  const figure = async (name: string) =>
    (await panel
      .locator('.console-figures > div')
      .filter({ has: page.getByText(name, { exact: true }) })
      .locator('dd')
      .textContent()) ?? '';
  await panel.getByText('How pictures came').waitFor();
  expect(await figure('Protocol')).toBe('SPICE');
  // One look at both: there are new figures every second.
  const twice = await page.locator(shown).evaluate((pane) => {
    const inPanel = [...pane.querySelectorAll('.console-figures > div')].find((row) => row.textContent?.startsWith('Pictures drawn'));
    return [inPanel?.querySelector('dd')?.textContent, pane.querySelector('[data-fact="fps"]')?.textContent];
  });
  expect(twice[0]).toMatch(/^\d+ fps$/);
  expect(twice[0]).toBe(twice[1]);
  for (const channel of ['main', 'display', 'inputs', 'cursor']) expect(await figure('Channels')).toContain(channel);
  // Which one it is the engine asks once it has answered.
  await until('the version is known', async () => /^answers, version \d/.test(await figure('QEMU guest agent')));
  expect(await figure('spice-vdagent')).toBe('not running');
  const { widthPx, heightPx } = await screendump(client, guest);
  expect(Number.parseFloat(await figure('Memory of pictures'))).toBeGreaterThanOrEqual((widthPx * heightPx * 4) / 1024 ** 2 - 0.1);
  // What the engine says of the guest's processor.
  const { state } = await client.call('guest.show', { guest });
  expect(await panel.getByText('emulated by software').count()).toBe(state.run?.emulated ? 1 : 0);

  const unpacked = async () => Number.parseInt((await figure('Not packed')).replace(/,/g, ''), 10);
  const before = await unpacked();
  await runInGuest(client, guest, 'seq 1 200 > /dev/tty1');
  await until('what was drawn is counted', async () => (await unpacked()) > before);
  await runInGuest(client, guest, listensForSpice);
  await until('the agent is told of', async () => (await figure('spice-vdagent')) === 'answers');

  await client.call('guest.forceOff', { guest });
  await panel.getByText('There is no live connection.').waitFor();
  await panel.getByRole('button', { name: 'Close' }).click();
  await panel.waitFor({ state: 'detached' });
});
