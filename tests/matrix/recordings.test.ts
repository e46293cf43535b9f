/**
 * Makes recordings of the desktop's workloads for `tests/fixtures/spice/sessions`, when GUESTHOUSE_SPICE_RECORDINGS names a folder for them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startRecorder } from '../../bench/spice/recorder.ts';
import { openBrowserDecoders } from '../support/browser-decoders.ts';
import { desktopDisk } from '../support/desktop-disk.ts';
import { type DesktopMachine, startDesktop } from '../support/desktop-machine.ts';
import { hashOf, opaquePixels } from '../support/spice-pictures.ts';
import type { RecordedSession } from '../support/spice-recording.ts';
import { compareWhenStill, openWatchers } from './watchers.ts';
import { drawEverything, playVideo, scroll, untilVideoEnds, videoPlace } from './workloads.ts';

const folder = process.env.GUESTHOUSE_SPICE_RECORDINGS;

type Recording = {
  name: string;
  compression: 'auto_glz' | 'quic' | 'lz' | 'glz';
  server: string;
  /** Ends with the guest at rest. */
  run(desktop: DesktopMachine): Promise<void>;
};
const exact = 'jpeg-wan-compression=never,zlib-glz-wan-compression=always,streaming-video=off';
const recordings: Recording[] = [
  { name: 'drawing', compression: 'auto_glz', server: exact, run: drawEverything },
  { name: 'scrolling', compression: 'lz', server: exact, run: scroll },
  {
    name: 'video',
    compression: 'glz',
    server: 'jpeg-wan-compression=never,zlib-glz-wan-compression=never,streaming-video=all',
    run: async (desktop) => {
      await playVideo(desktop, videoPlace, '64x48:40', '72x48:20');
      await untilVideoEnds(desktop);
    },
  },
];

for (const { name, compression, server, run } of recordings)
  test(`records ${name}`, { timeout: 600_000 }, async (context) => {
    if (!folder) return context.skip('GUESTHOUSE_SPICE_RECORDINGS names no folder for recordings');
    const decoders = await openBrowserDecoders();
    onTestFinished(() => decoders.close());
    const machine = await startDesktop(await desktopDisk(console.log), 'qxl-vga', `,${server}`, console.log);
    const tap = join(machine.folder, 'tap');
    const file = `desktop-${name}`;
    const recorder = await startRecorder(tap, machine.socketPath, join(folder, `${file}.rec.gz`));
    const [watcher] = await openWatchers(tap, decoders, [{ compression, video: null }]);
    if (!watcher) throw new Error('nobody watches');
    await run(machine);
    const [found] = await compareWhenStill(machine, [watcher], false);
    expect(found).toEqual({ ratioDb: Number.POSITIVE_INFINITY, differing: 0, end: null });
    const screen = await machine.screendump();
    watcher.client.close();
    await recorder.close();
    const about: Omit<RecordedSession, 'name'> = {
      guest: 'desktop at work',
      options: `qxl-vga, preferred compression ${compression}, ${server}`,
      width: screen.widthPx,
      height: screen.heightPx,
      screendumpSha256: hashOf(opaquePixels(screen)),
    };
    console.log(file, [...watcher.messages.counts]);
    writeFileSync(join(folder, `${file}.json`), JSON.stringify({ [file]: about }, null, 2));
  });
