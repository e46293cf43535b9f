/**
 * Makes recordings of the desktop's workloads for `tests/fixtures/spice/sessions`, when GUESTHOUSE_SPICE_RECORDINGS names a folder for them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startRecorder } from '../../bench/spice/recorder.ts';
import { openBrowserDecoders } from '../support/browser-decoders.ts';
import { desktopDisk } from '../support/desktop-disk.ts';
import { type DisplayDevice, startDesktop } from '../support/desktop-machine.ts';
import { hashOf, opaquePixels } from '../support/spice-pictures.ts';
import type { RecordedSession } from '../support/spice-recording.ts';
import { compareWhenStill, openWatchers } from './watchers.ts';
import { workloads } from './workloads.ts';

const folder = process.env.GUESTHOUSE_SPICE_RECORDINGS;

type Recording = {
  workload: string;
  device: DisplayDevice;
  compression: 'auto_glz' | 'quic' | 'lz' | 'glz';
  server: string;
  lossy: boolean;
};
const exact = 'jpeg-wan-compression=never,zlib-glz-wan-compression=always,streaming-video=off';
const lossy = 'jpeg-wan-compression=always,zlib-glz-wan-compression=always,streaming-video=all';
const recordings: Recording[] = [
  { workload: 'x11perf', device: 'qxl-vga', compression: 'auto_glz', server: exact, lossy: false },
  { workload: 'window moves', device: 'virtio-vga', compression: 'lz', server: exact, lossy: false },
  { workload: 'image viewer', device: 'qxl-vga', compression: 'quic', server: lossy, lossy: true },
  { workload: 'video', device: 'qxl-vga', compression: 'glz', server: lossy, lossy: true },
];

for (const { workload, device, compression, server, lossy: isLossy } of recordings)
  test(`records ${workload} with ${device} and ${compression}`, { timeout: 600_000 }, async (context) => {
    if (!folder) return context.skip('GUESTHOUSE_SPICE_RECORDINGS names no folder for recordings');
    const decoders = await openBrowserDecoders();
    onTestFinished(() => decoders.close());
    const machine = await startDesktop(await desktopDisk(console.log), device, `,${server}`, console.log);
    const name = `${device}-${compression}-${workload.replaceAll(' ', '-')}`;
    const tap = join(machine.folder, 'tap');
    const recorder = await startRecorder(tap, machine.socketPath, join(folder, `${name}.rec.gz`));
    const [watcher] = await openWatchers(tap, decoders, [{ compression, video: null }]);
    if (!watcher) throw new Error('nobody watches');
    const work = workloads.find((candidate) => candidate.name === workload);
    let looks = 0;
    // What is long is cut short: a recording is kept in the tree.
    await work
      ?.run(machine, async () => {
        const [found] = await compareWhenStill(machine, [watcher], isLossy);
        expect(found?.end).toBeNull();
        if (++looks === 4) throw new Error('enough');
      })
      .catch((error: Error) => {
        if (error.message !== 'enough') throw error;
      });
    const screen = await machine.screendump();
    watcher.client.close();
    await recorder.close();
    const about: Omit<RecordedSession, 'name'> = {
      guest: 'desktop at work',
      options: `${workload} with ${device}, preferred compression ${compression}, ${server}`,
      width: screen.widthPx,
      height: screen.heightPx,
      ...(isLossy ? {} : { screendumpSha256: hashOf(opaquePixels(screen)) }),
    };
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ [name]: about }, null, 2));
  });
