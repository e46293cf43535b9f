import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cacheDirectory } from '../../build/places.ts';
import { type Figure, type Measure, Skipped } from '../figures.ts';
import { memoryMiB, processorSeconds, type Usage } from '../measured-app.ts';
import { cpuSeconds, createStarterGuest, until, withEngine } from '../measured-engine.ts';
import {
  type ClientName,
  type ConsoleClient,
  type ConsoleGuest,
  inPage,
  requireSpiceGtk,
  withConsoleClient,
} from '../spice/console-clients.ts';
import { recordDesktop, recordingName, type Work, workNames } from '../spice/record-desktop.ts';
import { startReplay } from '../spice/replay-server.ts';

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
        const ours = taken.get('guesthouse');
        if (!ours) throw new Error(`${name} was not shown`);
        for (const peer of peers) {
          const theirs = taken.get(peer);
          if (!theirs) continue;
          const limit = peer === gtk ? 0.5 : 0.25;
          figures.push({
            what: `${name}, processor time`,
            value: total(ours.used) + ours.display,
            unit: 'ms',
            beside: { what: peer, value: total(theirs.used) + theirs.display },
            aim: work === 'idle' ? null : { kind: 'ratio', limit },
          });
        }
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
      const after = await costs(client);
      const used = Object.fromEntries(
        Object.entries(after.used).map(([role, seconds]) => [role, (seconds - before.used[role as keyof Usage]) * 1000]),
      ) as Usage;
      return { used, display: (after.display - before.display) * 1000, memoryMiB: await memoryMiB([client.pid]) };
    });
  } finally {
    await replay.close();
  }
}

async function costs({ pid, display }: ConsoleClient): Promise<{ used: Usage; display: number }> {
  return { used: await processorSeconds([pid]), display: await cpuSeconds(display.pid) };
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

function total(usage: Usage): number {
  return Object.values(usage).reduce((sum, each) => sum + each, 0);
}

function describe({ used, display, memoryMiB: memory }: Cost): string {
  const ms = (value: number) => `${Math.round(value)}`;
  return `${ms(total(used) + display)} ms (main ${ms(used.main)}, page ${ms(used.page)}, compositor ${ms(used.compositor)}, other ${ms(used.other)}, X ${ms(display)}), ${Math.round(memory)} MiB`;
}
