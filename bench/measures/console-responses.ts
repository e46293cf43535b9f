import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { type Figure, type Measure, quantile } from '../figures.ts';
import { memoryMiB, processorSeconds } from '../measured-app.ts';
import { type ClientName, type ConsoleClient, type ConsoleGuest, clientNames, withConsoleClient } from '../spice/console-clients.ts';
import { patchColours, type Scene, startScene } from '../spice/scene-server.ts';
import type { UnwatchedApp } from '../unwatched-app.ts';
import { type Spot, XEye } from '../x-eye.ts';
import { within, withReplayedGuest } from './console-replay.ts';

/** As many as it takes for the slowest of a hundred to be more than the slowest of all. */
const keystrokes = 300;
const keyDeadlineMs = 3000;
/** The key of the letter x. */
const keyCode = 53;
const redrawsPerSecond = 30;
const redrawMs = 5000;
const frameMs = 1000 / 60;

type Responses = { keyMs: number[]; firstFrameMs: number; askedMs: number | null; stallMs: number | null };

/** All are served by a server that draws at once, and looked at on the X display itself: what is measured is the client, and all of it. */
export const consoleResponses: Measure = {
  name: 'console-responses',
  about: 'from a key to a pixel, from connecting to the first picture, and stalls of the page, beside spice-html5 and spice-gtk',
  run: (log) =>
    withReplayedGuest(async (guest) => {
      const taken = new Map<ClientName, Responses>();
      for (const client of clientNames) {
        const responses = await respond(client, guest).catch((error: unknown) => {
          log(`${client}: ${error instanceof Error ? error.message : String(error)}`);
          return null;
        });
        if (!responses) continue;
        taken.set(client, responses);
        const { keyMs, firstFrameMs, askedMs, stallMs } = responses;
        log(
          `${client}: key to pixel ${quantile(keyMs, 0.5).toFixed(1)} ms, p99 ${quantile(keyMs, 0.99).toFixed(1)} ms, first picture ${firstFrameMs.toFixed(0)} ms (${askedMs?.toFixed(0)} ms from asking for it), longest stall ${stallMs?.toFixed(1)} ms`,
        );
      }
      const ours = taken.get('guesthouse');
      if (!ours) throw new Error('our console did not answer');
      const figures: Figure[] = [];
      for (const [client, theirs] of taken) {
        if (client === 'guesthouse') continue;
        const beside = (of: (responses: Responses) => number | null): Figure['beside'] => {
          const value = of(theirs);
          return value === null ? null : { what: client, value };
        };
        const figure = (what: string, of: (responses: Responses) => number | null, aim: Figure['aim']): void => {
          const value = of(ours);
          if (value !== null && beside(of)) figures.push({ what, value, unit: 'ms', beside: beside(of), aim });
        };
        const within = (of: (responses: Responses) => number): Figure['aim'] =>
          client === 'spice-gtk' ? { kind: 'value', limit: Math.round((of(theirs) + frameMs) * 10) / 10 } : null;
        const [half, most] = [0.5, 0.99].map((share) => (responses: Responses) => quantile(responses.keyMs, share)) as [
          (responses: Responses) => number,
          (responses: Responses) => number,
        ];
        figure('from a key to a pixel on the display, p50', half, within(half));
        figure('the same, p99', most, within(most));
        figure('from connecting to the first picture', (responses) => responses.firstFrameMs, null);
        figure('from asking for a console to its first picture', (responses) => responses.askedMs, null);
        figure('longest stall of the page while its console draws', (responses) => responses.stallMs, { kind: 'value', limit: 8 });
      }
      figures.push(...(await fourHeads(guest, log)));
      return figures;
    }),
};

async function respond(name: ClientName, guest: ConsoleGuest): Promise<Responses> {
  return withScene(guest, { widthPx: 1280, heightPx: 800 }, (scene) =>
    withConsoleClient(name, guest, async (client) => {
      const eye = await XEye.open(client.display.environment);
      try {
        const { spot, firstFrameMs, seenAt } = await firstFrame(scene, eye);
        const askedMs = client.askedAt === null ? null : seenAt - client.askedAt;
        await pause(1000);
        await eye.click(spot);
        await pause(500);
        const keyMs = await keysToPixels(eye, spot);
        const stallMs = client.app ? await longestStall(client.app, scene) : null;
        return { keyMs, firstFrameMs, askedMs, stallMs };
      } finally {
        eye.close();
      }
    }),
  );
}

export async function withScene<T>(
  guest: ConsoleGuest,
  options: Parameters<typeof startScene>[1],
  action: (scene: Scene) => Promise<T>,
): Promise<T> {
  await rm(guest.socketPath, { force: true });
  const scene = await startScene(guest.socketPath, options);
  try {
    return await action(scene);
  } finally {
    await scene.close();
  }
}

async function firstFrame(scene: Scene, eye: XEye): Promise<{ spot: Spot; firstFrameMs: number; seenAt: number }> {
  await within(scene.drawn, 60_000, 'the console was not opened');
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const spot = await eye.find(patchColours);
    const seenAt = performance.now();
    if (spot) return { spot, seenAt, firstFrameMs: seenAt - (scene.linkedAt ?? 0) };
    await pause(2);
  }
  throw new Error('what the server drew is not on the display');
}

async function keysToPixels(eye: XEye, spot: Spot): Promise<number[]> {
  const times: number[] = [];
  for (let stroke = 0; stroke < keystrokes; stroke++) {
    const before = await eye.pixel(spot);
    const pressedAt = performance.now();
    eye.press(keyCode);
    for (;;) {
      if ((await eye.pixel(spot)) !== before) break;
      if (performance.now() - pressedAt > keyDeadlineMs) throw new Error('a key changed nothing');
    }
    times.push(performance.now() - pressedAt);
    // Not in step with any display.
    await pause(90 + ((stroke * 37) % 61));
  }
  return times;
}

/** The longest that the page's own thread did nothing else, while its console draws. */
async function longestStall(app: UnwatchedApp, scene: Scene): Promise<number> {
  await app.inPage(`(() => {
    window.longestStall = 0;
    let last = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const now = performance.now();
      window.longestStall = Math.max(window.longestStall, now - last);
      // Looks twice a millisecond or so, and leaves the rest of it to the page.
      setTimeout(() => { last = performance.now(); port2.postMessage(0); }, 0);
    };
    port2.postMessage(0);
  })()`);
  await pause(500);
  await app.inPage('window.longestStall = 0');
  await scene.redraw(redrawsPerSecond, redrawMs);
  return Number(await app.inPage('window.longestStall'));
}

/** Four monitors of 2560 × 1440, of each a quarter anew ten times a second: 150 MiB/s. */
async function fourHeads(guest: ConsoleGuest, log: (line: string) => void): Promise<Figure[]> {
  const [timesPerSecond, forMs] = [10, 5000];
  const measured = async (name: ClientName) =>
    withScene(guest, { widthPx: 2560, heightPx: 1440, heads: 4 }, (scene) =>
      withConsoleClient(name, guest, async (client: ConsoleClient) => {
        await within(scene.drawn, 60_000, 'not all monitors were opened');
        await pause(2000);
        const used = async () => Object.values(await processorSeconds([client.pid])).reduce((sum, each) => sum + each, 0);
        const before = await used();
        const times = await scene.redraw(timesPerSecond, forMs);
        const result = {
          perSecond: (times * 1000) / forMs,
          processorMs: ((await used()) - before) * 1000,
          memory: await memoryMiB([client.pid]),
        };
        log(
          `four monitors, ${name}: ${result.perSecond.toFixed(1)} of ${timesPerSecond} a second, ${result.processorMs.toFixed(0)} ms, ${result.memory.toFixed(0)} MiB`,
        );
        return result;
      }),
    );
  const ours = await measured('guesthouse');
  const theirs = await measured('spice-gtk').catch((error: unknown) => {
    log(`four monitors, spice-gtk: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  });
  const beside = (of: keyof typeof ours) => theirs && { what: 'spice-gtk', value: theirs[of] };
  return [
    {
      what: 'four monitors of 2560 × 1440, drawn anew',
      value: ours.perSecond,
      unit: 'frames/s',
      beside: beside('perSecond'),
      aim: { kind: 'value', limit: timesPerSecond * 0.95, atLeast: true },
    },
    { what: 'the same, processor time', value: ours.processorMs, unit: 'ms', beside: beside('processorMs'), aim: null },
    { what: 'the same, memory', value: ours.memory, unit: 'MiB', beside: beside('memory'), aim: null },
  ];
}
