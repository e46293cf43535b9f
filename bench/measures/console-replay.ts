import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cacheDirectory, projectRoot } from '../../build/places.ts';
import { type Figure, type Measure, Skipped } from '../figures.ts';
import { memoryMiB, processorSeconds, type Usage } from '../measured-app.ts';
import { cpuSeconds, createStarterGuest, until, withEngine } from '../measured-engine.ts';
import {
  type ClientName,
  type ConsoleClient,
  type ConsoleGuest,
  inPage,
  requireSpiceGtk,
  screen,
  withConsoleClient,
} from '../spice/console-clients.ts';
import { recordDesktop, recordingName, type Work, workNames } from '../spice/record-desktop.ts';
import { startReplay } from '../spice/replay-server.ts';
import { partsShown } from '../spice/shown-parts.ts';
import { withUnwatchedApp } from '../unwatched-app.ts';

/** When the screen of a recording is there and what was done on it goes on. */
const holdAtMs = 1000;
/** A client that has shown its first picture is given so long to come to rest. */
const settleMs = 2000;

type Recording = { work: Work; packing: Parameters<typeof recordingName>[1]; peers: readonly ClientName[] };

const html5: ClientName = 'spice-html5 in the same window';
const gtk: ClientName = 'spice-gtk';
/** What spice-html5 does not know, GLZ and LZ4, it cannot be measured with. */
const recordings: readonly Recording[] = [
  { work: 'text', packing: 'off', peers: [html5, 'spice-html5 in a bare page', gtk] },
  { work: 'text', packing: 'auto_glz', peers: [gtk] },
  { work: 'drag', packing: 'off', peers: [html5, gtk] },
  { work: 'drag', packing: 'lz', peers: [html5, gtk] },
  { work: 'browse', packing: 'off', peers: [html5, gtk] },
  { work: 'browse', packing: 'quic', peers: [html5, gtk] },
  { work: 'browse', packing: 'lz4', peers: [gtk] },
  { work: 'video', packing: 'off', peers: [html5, gtk] },
  { work: 'video', packing: 'stream', peers: [html5, gtk] },
  { work: 'idle', packing: 'off', peers: [gtk] },
];

/** One for each kind of work: each is some minutes, and what one has found out does not go with another. */
export const consoleReplays: readonly Measure[] = workNames.map((work) => ({
  name: `console-replay:${work}`,
  about: `processor seconds that the same recordings of a desktop (${work}) cost our console, spice-html5 and spice-gtk`,
  async run(log) {
    requireSpiceGtk();
    const found = await recorded(work, log);
    return withReplayedGuest(async (guest) => {
      const figures: Figure[] = [];
      for (const { packing, peers, file } of found) {
        const name = `${work}, ${packing === 'stream' ? 'as a stream' : packing}`;
        const taken = new Map<ClientName, Cost>();
        for (const client of ['guesthouse', ...peers] as const) {
          const cost = await costOf(client, guest, file, packing !== 'auto_glz' && packing !== 'stream').catch((error: unknown) => {
            log(`${name}, ${client}: ${error instanceof Error ? error.message : String(error)}`);
            return null;
          });
          if (!cost) continue;
          taken.set(client, cost);
          log(`${name}, ${client}: ${describe(cost)}`);
        }
        const alone = await costOfShowing(file);
        log(`${name}, showing alone: ${describe(alone)}`);
        const ours = taken.get('guesthouse');
        if (!ours) throw new Error(`${name} was not shown`);
        for (const peer of peers) {
          const theirs = taken.get(peer);
          if (!theirs) continue;
          const limit = peer === gtk ? 0.5 : 0.25;
          figures.push({
            what: `${name}, processor time`,
            value: all(ours),
            unit: 'ms',
            beside: { what: peer, value: all(theirs) },
            aim: work === 'idle' ? null : { kind: 'ratio', limit },
          });
        }
        figures.push({
          what: `${name}, showing what has changed and nothing else`,
          value: all(alone),
          unit: 'ms',
          beside: taken.has(gtk) ? { what: gtk, value: all(taken.get(gtk) ?? alone) } : null,
          aim: null,
        });
        figures.push({
          what: `${name}, memory`,
          value: ours.memoryMiB,
          unit: 'MiB',
          beside: taken.has(gtk) ? { what: gtk, value: taken.get(gtk)?.memoryMiB ?? 0 } : null,
          aim: null,
        });
      }
      return figures;
    });
  },
}));

/** Milliseconds of processor time from the hold to the end of a recording. */
type Cost = {
  used: Usage;
  /** Of the X server that shows it. */
  display: number;
  memoryMiB: number;
};

/** What is played for the first time is mostly a measurement of compilers; sessions last for hours. */
async function costOf(name: ClientName, guest: ConsoleGuest, file: string, rehearsed: boolean): Promise<Cost> {
  await rm(guest.socketPath, { force: true });
  const replay = await startReplay(file, guest.socketPath, { paced: true, holdAtMs });
  try {
    return await withConsoleClient(name, guest, async (client) => {
      await within(replay.held, 60_000, 'the console was not opened');
      await untilShown(name, client);
      if (rehearsed) await within(replay.rehearse(), 60_000, 'the recording was not taken');
      await pause(settleMs);
      const before = await costs(client);
      replay.goOn();
      await within(replay.finished, 60_000, 'the recording was not taken');
      // What has been taken is not yet drawn.
      await pause(300);
      return spent(before, await costs(client), await memoryMiB([client.pid]));
    });
  } finally {
    await replay.close();
  }
}

/** What the browser takes to bring the same parts of a canvas onto the display, at the same pace: the least that a console in it can cost. */
async function costOfShowing(file: string): Promise<Cost> {
  const parts = JSON.stringify(await partsShown(file, holdAtMs));
  return withUnwatchedApp(
    [join(projectRoot, 'bench/showing-alone')],
    process.env,
    async (app) => {
      await inPage(app, "document.readyState === 'complete'");
      await app.inPage(`show(${parts})`);
      await pause(settleMs);
      const before = await costs(app);
      await app.inPage(`show(${parts})`);
      await pause(300);
      return spent(before, await costs(app), await memoryMiB([app.pid]));
    },
    screen,
  );
}

async function costs({ pid, display }: Pick<ConsoleClient, 'pid' | 'display'>): Promise<{ used: Usage; display: number }> {
  return { used: await processorSeconds([pid]), display: await cpuSeconds(display.pid) };
}

type Used = Awaited<ReturnType<typeof costs>>;

function spent(before: Used, after: Used, memory: number): Cost {
  const used = Object.fromEntries(
    Object.entries(after.used).map(([role, seconds]) => [role, (seconds - before.used[role as keyof Usage]) * 1000]),
  ) as Usage;
  return { used, display: (after.display - before.display) * 1000, memoryMiB: memory };
}

async function untilShown(name: ClientName, { app }: ConsoleClient): Promise<void> {
  if (!app) return;
  const canvas = name === 'spice-html5 in a bare page' ? '#spice_surface_0' : 'canvas[data-console-canvas]';
  await inPage(app, `document.querySelector('${canvas}') !== null`);
}

/** A guest that the app takes for running, and whose console is whatever listens in its place. */
export async function withReplayedGuest<T>(action: (guest: ConsoleGuest) => Promise<T>): Promise<T> {
  return withEngine(async ({ client, environment }) => {
    const guest = await createStarterGuest(client, 'console');
    await client.call('guest.start', { guest: guest.id });
    await until(client, guest.id, 'running', 60_000);
    const { spiceSocketPath } = await client.call('guest.consoles', { guest: guest.id });
    if (!spiceSocketPath) throw new Error('the guest has no SPICE socket');
    await rename(spiceSocketPath, `${spiceSocketPath}.qemu`);
    return action({ guest: guest.id, socketPath: spiceSocketPath, environment });
  });
}

/** Those that there are, made now where they are not: of the disk that GUESTHOUSE_BENCH_DESKTOP names. @throws Skipped where there are none */
async function recorded(work: Work, log: (line: string) => void): Promise<(Recording & { file: string })[]> {
  const folder = join(cacheDirectory(), 'bench', 'spice-desktop');
  const all = recordings
    .filter((recording) => recording.work === work)
    .map((recording) => ({ ...recording, file: join(folder, recordingName(work, recording.packing)) }));
  const disk = process.env.GUESTHOUSE_BENCH_DESKTOP;
  if (disk && !all.every(({ file }) => existsSync(file))) await recordDesktop(disk, folder, [work], log);
  const found = all.filter(({ file }) => existsSync(file));
  if (found.length === 0)
    throw new Skipped(
      'there are no recordings of a desktop yet; GUESTHOUSE_BENCH_DESKTOP must name the disk to make them of (bench/spice/make-desktop.sh makes one)',
    );
  for (const { work, packing } of all.filter((each) => !found.includes(each))) log(`${work}, ${packing} is not recorded`);
  return found;
}

export async function within<T>(promise: Promise<T>, deadlineMs: number, otherwise: string): Promise<T> {
  return Promise.race([
    promise,
    pause(deadlineMs, undefined, { ref: false }).then(() => {
      throw new Error(otherwise);
    }),
  ]);
}

function all({ used, display }: Pick<Cost, 'used' | 'display'>): number {
  return Object.values(used).reduce((sum, each) => sum + each, display);
}

function describe({ used, display, memoryMiB: memory }: Cost): string {
  const ms = (value: number) => `${Math.round(value)}`;
  return `${ms(all({ used, display }))} ms (main ${ms(used.main)}, page ${ms(used.page)}, compositor ${ms(used.compositor)}, other ${ms(used.other)}, X ${ms(display)}), ${Math.round(memory)} MiB`;
}
