/**
 * Our SPICE client against QEMU's server with a Debian desktop as the guest: every workload with every way to pack pictures and videos, and
 * when the guest is still the screen is the one that QEMU shows. Six clients look at one guest, each with pictures packed as it asked for.
 */
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { projectRoot } from '../../build/places.ts';
import { type BrowserDecoders, openBrowserDecoders } from '../support/browser-decoders.ts';
import { type DesktopDisk, desktopDisk } from '../support/desktop-disk.ts';
import { type DesktopMachine, type DisplayDevice, startDesktop } from '../support/desktop-machine.ts';
import { type MatrixRow, tablesOf } from './tables.ts';
import { compareWhenStill, good, openWatchers, type Watcher } from './watchers.ts';
import { type Workload, workloads } from './workloads.ts';

/** Of the workloads those alone that GUESTHOUSE_MATRIX names, with commas between them. */
const wanted = process.env.GUESTHOUSE_MATRIX?.split(',');

/** Defines the tests of one display device. */
export function tryMatrix(device: DisplayDevice): void {
  const folder = join(projectRoot, 'out/matrix');
  const rowFile = join(folder, `${device}.jsonl`);
  const rows: MatrixRow[] = [];
  let desktop: DesktopDisk;
  let decoders: BrowserDecoders;

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    rmSync(rowFile, { force: true });
    decoders = await openBrowserDecoders();
    desktop = await desktopDisk(console.log);
  }, 1_200_000);

  afterAll(async () => {
    await decoders?.close();
    const tables = tablesOf(device, rows);
    writeFileSync(join(folder, `${device}.md`), tables);
    console.log(tables);
  });

  test(`the desktop with ${device} comes up`, { timeout: 600_000 }, async () => {
    await startDesktop(desktop, device, '', console.log);
  });

  for (const streaming of ['off', 'filter', 'all'])
    for (const jpeg of ['never', 'always'])
      for (const zlib of ['never', 'always']) {
        const server = `jpeg-wan-compression=${jpeg},zlib-glz-wan-compression=${zlib},streaming-video=${streaming}`;
        test(`${device}, ${server}`, { timeout: 900_000 }, async () => {
          const machine = await startDesktop(desktop, device, `,${server}`, console.log);
          const watchers = await openWatchers(machine.socketPath, decoders);
          onTestFinished(() => {
            for (const { client } of watchers) client.close();
          });
          const faults: string[] = [];
          for (const workload of workloads.filter(({ name }) => wanted?.includes(name) ?? true)) {
            const done = await tryWorkload(machine, watchers, workload, jpeg === 'always');
            for (const row of done) {
              const whole: MatrixRow = { device, jpeg, zlib, streaming, ...row };
              rows.push(whole);
              appendFileSync(rowFile, `${JSON.stringify(whole)}\n`);
              if (row.fault) faults.push(`${workload.name}, ${row.compression}: ${row.fault}`);
            }
          }
          expect(faults).toEqual([]);
        });
      }
}

const draws = (said: Record<string, number>) =>
  Object.keys(said).some((name) => name.startsWith('DRAW_') || name.startsWith('STREAM_DATA'));

type WorkloadRow = Omit<MatrixRow, 'device' | 'jpeg' | 'zlib' | 'streaming'>;

async function tryWorkload(machine: DesktopMachine, watchers: Watcher[], workload: Workload, lossy: boolean): Promise<WorkloadRow[]> {
  const before = watchers.map(({ client, messages }) => ({
    messages: new Map(messages.counts),
    pictures: new Map(client.session.details.pictures.map(({ packing, count }) => [packing, count])),
    dropped: client.session.details.droppedFrames,
  }));
  const worst = watchers.map(() => Number.POSITIVE_INFINITY);
  const faults = watchers.map(() => '');
  try {
    await workload.run(machine, async (what) => {
      const found = await compareWhenStill(machine, watchers, lossy);
      for (const [index, { ratioDb, differing, end }] of found.entries()) {
        worst[index] = Math.min(worst[index] as number, ratioDb);
        const fault = end ?? (good(ratioDb, lossy) ? '' : `${differing} pixels differ, ${ratioDb.toFixed(1)} dB`);
        if (fault && !faults[index]) faults[index] = `${what}: ${fault}`;
      }
    });
  } catch (error) {
    faults.fill(`the guest did not do it: ${error instanceof Error ? error.message : error}`);
  }
  return watchers.map(({ compression, client, messages }, index) => {
    const earlier = before[index];
    const more = (now: Iterable<readonly [string, number]>, then: Map<string, number> | undefined) =>
      Object.fromEntries([...now].map(([name, count]) => [name, count - (then?.get(name) ?? 0)] as const).filter(([, count]) => count > 0));
    const said = more(messages.counts, earlier?.messages);
    const { pictures, droppedFrames } = client.session.details;
    return {
      workload: workload.name,
      compression,
      ratioDb: worst[index] ?? 0,
      fault: faults[index] || (draws(said) ? '' : 'nothing was drawn'),
      messages: said,
      pictures: more(
        pictures.map(({ packing, count }) => [packing, count] as const),
        earlier?.pictures,
      ),
      dropped: droppedFrames - (earlier?.dropped ?? 0),
    };
  });
}
