/**
 * Our SPICE client against QEMU's server with a Debian desktop as the guest: every workload with every way to pack pictures and videos, and
 * when the guest is still the screen is the one that QEMU shows. Seven clients look at one guest, each with pictures packed as it asked for.
 * What was found is written as it comes, and what the same sources found well is not tried again: a run that was cut goes on where it stopped.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { hashInputs, listInputs } from '../../build/bundle/inputs.ts';
import { projectRoot } from '../../build/places.ts';
import { type BrowserDecoders, openBrowserDecoders } from '../support/browser-decoders.ts';
import { type DesktopDisk, desktopDisk } from '../support/desktop-disk.ts';
import { type DesktopMachine, type DisplayDevice, startDesktop } from '../support/desktop-machine.ts';
import type { Pixels } from '../support/png.ts';
import { pixelsOf } from '../support/spice-client.ts';
import { portablePixmap } from '../support/test-photos.ts';
import { peakSignalToNoise } from './picture-quality.ts';
import { appendRows, type MatrixRow, readRows, tablesOf } from './tables.ts';
import { compareWhenStill, exact, nearDb, openWatchers, type Watcher } from './watchers.ts';
import { endPrograms, type Workload, workloads } from './workloads.ts';

/** Of the workloads those alone whose names begin as GUESTHOUSE_MATRIX says, with commas between them. */
const beginnings = process.env.GUESTHOUSE_MATRIX?.split(',') ?? [''];
const wanted = workloads.filter(({ name }) => beginnings.some((beginning) => name.startsWith(beginning)));

type ServerOptions = Pick<MatrixRow, 'streaming' | 'jpeg' | 'zlib'>;
const always = ['never', 'always'];
const every = ['off', 'filter', 'all'].flatMap((streaming) =>
  always.flatMap((jpeg) => always.map((zlib): ServerOptions => ({ streaming, jpeg, zlib }))),
);
/** Those first with which each option has been tried once. */
const first = ['off never never', 'all always always', 'filter never always'];
const urgency = ({ streaming, jpeg, zlib }: ServerOptions) => (first.indexOf(`${streaming} ${jpeg} ${zlib}`) + 12) % 12;
const serverOptions = every.toSorted((one, other) => urgency(one) - urgency(other));

/** What draws, and what it is shown: what is written about it may change. */
const sources = hashInputs(
  projectRoot,
  listInputs(projectRoot, [
    ...['channels', 'decoders', 'drawing', 'streams'].map((name) => `renderer/console/spice/${name}`),
    ...['player.pl', 'watchers.ts', 'workloads.ts'].map((name) => `tests/matrix/${name}`),
  ]).filter((file) => /\.(ts|pl)$/.test(file)),
);

/** Defines the tests of one display device. */
export function tryMatrix(device: DisplayDevice): void {
  const folder = join(projectRoot, 'out/matrix');
  const rowFile = join(folder, `${device}.jsonl`);
  const rows = readRows(rowFile, sources);
  let desktop: DesktopDisk;
  let decoders: BrowserDecoders;

  beforeAll(async () => {
    mkdirSync(folder, { recursive: true });
    decoders = await openBrowserDecoders();
    desktop = await desktopDisk(console.log);
  }, 1_200_000);

  afterAll(async () => {
    await decoders?.close();
    console.log(tablesOf(device, rows));
  });

  test(`the desktop with ${device} comes up`, { timeout: 3_000_000 }, async () => {
    await startDesktop(desktop, device, '', console.log);
  });

  for (const { streaming, jpeg, zlib } of serverOptions) {
    const server = `jpeg-wan-compression=${jpeg},zlib-glz-wan-compression=${zlib},streaming-video=${streaming}`;
    test(`${device}, ${server}`, { timeout: 7_200_000 }, async (context) => {
      const ofWorkload =
        ({ name }: Workload) =>
        (row: MatrixRow) =>
          row.workload === name && row.streaming === streaming && row.jpeg === jpeg && row.zlib === zlib;
      const left = wanted.filter((workload) => {
        const known = rows.filter(ofWorkload(workload));
        return known.length === 0 || known.some(({ fault }) => fault);
      });
      if (left.length === 0) return context.skip('an earlier run with the same sources found it good');
      const machine = await startDesktop(desktop, device, `,${server}`, console.log);
      const watchers = await openWatchers(machine.socketPath, decoders);
      onTestFinished(() => {
        for (const { client } of watchers) client.close();
      });
      const faults: string[] = [];
      for (const workload of left) {
        const pictures = join(folder, `${device}-${streaming}-${jpeg}-${zlib}`);
        const done = await tryWorkload(machine, watchers, workload, jpeg === 'always' ? decoders : null, pictures);
        const earlier = rows.filter(ofWorkload(workload));
        for (const row of earlier) rows.splice(rows.indexOf(row), 1);
        const whole = done.map((row): MatrixRow => ({ sources, device, jpeg, zlib, streaming, ...row }));
        rows.push(...whole);
        appendRows(rowFile, whole);
        writeFileSync(join(folder, `${device}.md`), tablesOf(device, rows));
        for (const { compression, fault } of whole) if (fault) faults.push(`${workload.name}, ${compression}: ${fault}`);
      }
      expect(faults).toEqual([]);
    });
  }
}

/** What the server's own quality of JPEG is, and how much of it may be lost again at the edges of the many pictures that a screen is made of. */
const serverQuality = 85;
const edgesDb = 1;

const draws = (said: Record<string, number>) =>
  Object.keys(said).some((name) => name.startsWith('DRAW_') || name.startsWith('STREAM_DATA'));

type WorkloadRow = Omit<MatrixRow, 'sources' | 'device' | 'jpeg' | 'zlib' | 'streaming'>;

/** What QEMU shows and what each client does, for whoever wants to know where they differ. */
async function keepPictures(machine: DesktopMachine, watchers: Watcher[], place: string): Promise<void> {
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'screendump.ppm'), portablePixmap(await machine.screendump()));
  for (const { compression, client } of watchers)
    if (client.screen) writeFileSync(join(place, `${compression}.ppm`), portablePixmap(pixelsOf(client.screen)));
}

/** `jpeg` packs as the server does, where it may. The pictures of a look that is not good enough are kept in `picturesFolder`. */
async function tryWorkload(
  machine: DesktopMachine,
  watchers: Watcher[],
  workload: Workload,
  jpeg: BrowserDecoders | null,
  picturesFolder: string,
): Promise<WorkloadRow[]> {
  const began = performance.now();
  const before = watchers.map(({ client, messages }) => ({
    messages: new Map(messages.counts),
    pictures: new Map(client.session.details.pictures.map(({ packing, count }) => [packing, count])),
    dropped: client.session.details.droppedFrames,
  }));
  const worst = watchers.map(() => Number.POSITIVE_INFINITY);
  let jpegDb: number | null = null;
  /** Coloured text on a plain ground comes to less than is asked for, with any client: JPEG at the server's quality loses as much. */
  const nearAsJpeg = async (shown: Pixels, worstDb: number) => {
    if (!jpeg || worstDb >= nearDb) return nearDb;
    const ratioDb = peakSignalToNoise(shown, await jpeg.packedAsJpeg(shown, serverQuality));
    jpegDb = Math.min(jpegDb ?? ratioDb, ratioDb);
    return Math.min(nearDb, ratioDb - edgesDb);
  };
  const faults = watchers.map(() => '');
  try {
    await workload.run(machine, async (what) => {
      const found = await compareWhenStill(machine, watchers, jpeg ? nearAsJpeg : exact);
      const place = join(picturesFolder, `${workload.name} ${what}`.replaceAll(/[^a-z0-9]+/g, '-'));
      if (found.some(({ enough }) => !enough)) await keepPictures(machine, watchers, place);
      for (const [index, { ratioDb, differing, end, enough }] of found.entries()) {
        worst[index] = Math.min(worst[index] as number, ratioDb);
        const fault = end ?? (enough ? '' : `${differing} pixels differ, ${ratioDb.toFixed(1)} dB`);
        if (fault && !faults[index]) faults[index] = `${what}: ${fault}`;
      }
    });
  } catch (error) {
    faults.fill(`the guest did not do it: ${error instanceof Error ? error.message : error}`);
    await endPrograms(machine);
    // When nothing can be drawn any more, that says why.
    console.log(`The guest did not do ${workload.name}. Its X server said last:\n${await machine.run('tail -40 /var/log/Xorg.0.log')}`);
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
      ratioDb: worst[index] === Number.POSITIVE_INFINITY ? null : (worst[index] ?? 0),
      jpegDb: (worst[index] ?? 0) < nearDb ? jpegDb : null,
      fault: faults[index] || (draws(said) ? '' : 'nothing was drawn'),
      messages: said,
      pictures: more(
        pictures.map(({ packing, count }) => [packing, count] as const),
        earlier?.pictures,
      ),
      dropped: droppedFrames - (earlier?.dropped ?? 0),
      seconds: Math.round((performance.now() - began) / 1000),
    };
  });
}
