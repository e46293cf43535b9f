import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { projectRoot } from '../../build/places.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { type Figure, type Measure, median } from '../figures.ts';
import { guesthouseApp, idlePercent, withApp } from '../measured-app.ts';
import { createStarterGuest, until, withEngine } from '../measured-engine.ts';

const workSeconds = 12;
const keystrokes = 30;

type Console = { framesPerSecond: number; processorPercent: number; processorMsPerFrame: number; keyToPixelMs: number };

/** All are shown the same guest, one after the other, while it prints without end and while keys are typed at its prompt. */
export const console: Measure = {
  name: 'console',
  about: 'frames, processor use and key-to-pixel time of a console beside spice-html5 in the same window and in a bare page',
  run: (log) =>
    withEngine(async ({ client, environment }) => {
      const guest = await createStarterGuest(client, 'console');
      await client.call('guest.start', { guest: guest.id });
      await until(client, guest.id, 'running', 60_000);
      await untilAgent(client, guest.id);
      const { spiceSocketPath } = await client.call('guest.consoles', { guest: guest.id });
      if (!spiceSocketPath) throw new Error('the guest has no SPICE socket');

      const bareEnvironment = { ...environment, SPICE_SOCKET: spiceSocketPath, PROJECT_MODULES: join(projectRoot, 'node_modules') };
      const bare = await withApp([join(projectRoot, 'bench/bare-console')], bareEnvironment, async (electron, page) =>
        measure(page, electron.process().pid, client, guest.id, '#spice_surface_0', '#spice_surface_0', () =>
          page.evaluate('takeFrames()'),
        ),
      );
      log(`bare page: ${JSON.stringify(bare)}`);
      const inWindow = (spiceClient: 'spice-html5' | null) =>
        withApp(guesthouseApp, environment, async (electron, page) => {
          await page.evaluate(
            ({ id, reference }) => {
              if (reference) localStorage.setItem('guesthouse:spice-client', reference);
              else localStorage.removeItem('guesthouse:spice-client');
              history.pushState(null, '', `/guests/${id}/console`);
              dispatchEvent(new PopStateEvent('popstate'));
            },
            { id: guest.id, reference: spiceClient },
          );
          return measure(page, electron.process().pid, client, guest.id, 'canvas[data-console-canvas]', '.console-screen', async () =>
            Number.parseInt((await page.locator('[data-fact="fps"]').textContent()) ?? '', 10),
          );
        });
      const reference = await inWindow('spice-html5');
      log(`spice-html5 in the window: ${JSON.stringify(reference)}`);
      const ours = await inWindow(null);
      log(`guesthouse: ${JSON.stringify(ours)}`);
      const beside = [
        { what: 'spice-html5 in the same window', measured: reference },
        { what: 'spice-html5 in a bare page', measured: bare },
      ];
      const figures = (what: string, of: keyof Console, unit: Figure['unit'], aim: Figure['aim']): Figure[] =>
        beside.map((peer) => ({ what, value: ours[of], unit, beside: { what: peer.what, value: peer.measured[of] }, aim }));
      return [
        ...figures('console, frames of a guest that prints without end', 'framesPerSecond', 'frames/s', {
          kind: 'ratio',
          limit: 0.9,
          atLeast: true,
        }),
        ...figures('console, processor use meanwhile, whole app', 'processorPercent', '% of a core', null),
        ...figures('console, processor time for each of these frames', 'processorMsPerFrame', 'ms', { kind: 'ratio', limit: 1 }),
        ...figures('console, from a key to a changed pixel, median', 'keyToPixelMs', 'ms', { kind: 'ratio', limit: 1 }),
      ];
    }),
};

/** `framesInLastSecond` is asked once a second. */
async function measure(
  page: Page,
  pid: number | undefined,
  client: EngineClient,
  guest: GuestId,
  canvas: string,
  keyTarget: string,
  framesInLastSecond: () => Promise<unknown>,
): Promise<Console> {
  if (pid === undefined) throw new Error('the app has no process');
  await page.locator(canvas).waitFor({ timeout: 60_000 });
  await inGuest(client, guest, 'echo 0 > /sys/class/graphics/fbcon/cursor_blink; clear > /dev/tty1');
  await pause(3000);

  await inGuest(client, guest, '(while :; do cat /proc/kallsyms; done) > /dev/tty1 2>&1 < /dev/null & echo $! > /tmp/work');
  await pause(2000);
  await framesInLastSecond();
  const frames: number[] = [];
  const counting = (async () => {
    for (let second = 0; second < workSeconds; second++) {
      await pause(1000);
      frames.push(Number(await framesInLastSecond()));
    }
  })();
  const processorPercent = await idlePercent([pid], workSeconds);
  await counting;
  await inGuest(client, guest, 'kill $(cat /tmp/work); killall cat; clear > /dev/tty1');
  await pause(2000);

  await page.locator(keyTarget).click({ position: { x: 20, y: 20 } });
  const times: number[] = [];
  for (let stroke = 0; stroke < keystrokes; stroke++) {
    times.push(await keyToPixel(page, canvas));
    await pause(150);
  }
  const framesPerSecond = median(frames);
  return { framesPerSecond, processorPercent, processorMsPerFrame: (processorPercent * 10) / framesPerSecond, keyToPixelMs: median(times) };
}

/** From the moment a key's event reaches the page until the canvas shows another picture. */
async function keyToPixel(page: Page, canvas: string): Promise<number> {
  const changed = page.evaluate(
    (wanted) =>
      new Promise<number>((seen, missed) => {
        const shown = document.querySelector<HTMLCanvasElement>(wanted);
        if (!shown) return missed(new Error('there is no canvas'));
        const copy = new OffscreenCanvas(shown.width, 200);
        const context = copy.getContext('2d', { willReadFrequently: true });
        if (!context) return missed(new Error('there is no context'));
        const look = () => {
          context.drawImage(shown, 0, 0);
          return new Uint32Array(context.getImageData(0, 0, copy.width, copy.height).data.buffer);
        };
        const before = look();
        let pressedAt = 0;
        window.addEventListener(
          'keydown',
          () => {
            pressedAt = performance.now();
            const watch = () => {
              const now = look();
              if (now.some((pixel, at) => pixel !== before[at])) seen(performance.now() - pressedAt);
              else if (performance.now() - pressedAt > 5000) missed(new Error('the key changed nothing'));
              else requestAnimationFrame(watch);
            };
            requestAnimationFrame(watch);
          },
          { capture: true, once: true },
        );
        document.body.dataset.watching = 'yes';
      }),
    canvas,
  );
  await page.waitForFunction(() => document.body.dataset.watching === 'yes');
  await page.keyboard.press('x');
  const elapsedMs = await changed;
  await page.evaluate(() => delete document.body.dataset.watching);
  return elapsedMs;
}

async function untilAgent(client: EngineClient, guest: GuestId): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (!(await client.call('guest.show', { guest })).state.run?.qemuAgent) {
    if (Date.now() > deadline) throw new Error('the guest agent did not come');
    await pause(200);
  }
}

async function inGuest(client: EngineClient, guest: GuestId, script: string): Promise<void> {
  await client.call('guest.exec', { guest, command: ['/bin/sh', '-c', script], timeoutSeconds: 30 });
}
