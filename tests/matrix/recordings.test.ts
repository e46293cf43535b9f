/**
 * Makes recordings of the desktop's workloads for `tests/fixtures/spice/sessions`, when GUESTHOUSE_SPICE_RECORDINGS names a folder for them.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startRecorder } from '../../bench/spice/recorder.ts';
import type { ImageCompression } from '../../renderer/console/spice/channels/display-channel.ts';
import type { VideoCodec } from '../../renderer/console/spice/streams/video-decoder.ts';
import { openBrowserDecoders } from '../support/browser-decoders.ts';
import { desktopDisk } from '../support/desktop-disk.ts';
import { type DesktopMachine, type DisplayDevice, startDesktop } from '../support/desktop-machine.ts';
import { hashOf, opaquePixels } from '../support/spice-pictures.ts';
import type { RecordedSession } from '../support/spice-recording.ts';
import { compareWhenStill, exact, near, openWatchers } from './watchers.ts';
import { drag, drawEverything, playVideo, scroll, showPhoto, showText, untilVideoEnds, videoPlace } from './workloads.ts';

const folder = process.env.GUESTHOUSE_SPICE_RECORDINGS;

type Recording = {
  name: string;
  device: DisplayDevice;
  compression: ImageCompression;
  /** As in {@link openWatchers}. */
  video?: VideoCodec;
  server: string;
  /** Whether what the client shows is near and no more. */
  lossy?: true;
  /** Ends with the guest at rest. */
  run(desktop: DesktopMachine): Promise<void>;
};
const words = (jpeg: string, zlib: string, streaming: string) =>
  `jpeg-wan-compression=${jpeg},zlib-glz-wan-compression=${zlib},streaming-video=${streaming}`;
const smallVideo = async (desktop: DesktopMachine) => {
  await playVideo(desktop, videoPlace, '64x48:40', '72x48:20');
  await untilVideoEnds(desktop);
};
const recordings: Recording[] = [
  { name: 'drawing', device: 'qxl-vga', compression: 'auto_glz', server: words('never', 'always', 'off'), run: drawEverything },
  { name: 'scrolling', device: 'qxl-vga', compression: 'lz', server: words('never', 'always', 'off'), run: scroll },
  { name: 'video', device: 'qxl-vga', compression: 'glz', server: words('never', 'never', 'all'), run: smallVideo },
  { name: 'vp8', device: 'qxl-vga', compression: 'lz4', video: 'vp8', server: words('never', 'never', 'all'), run: smallVideo },
  { name: 'photo', device: 'qxl-vga', compression: 'quic', server: words('always', 'always', 'filter'), lossy: true, run: showPhoto },
  {
    name: 'text',
    device: 'qxl-vga',
    compression: 'quic',
    server: words('always', 'always', 'off'),
    lossy: true,
    // No more than fits: what scrolls is drawn as a whole each time.
    run: (desktop) => showText(desktop, 'seq 1 20'),
  },
  { name: 'virtio', device: 'virtio-vga', compression: 'quic', server: words('never', 'never', 'off'), run: drag },
  { name: 'std', device: 'VGA', compression: 'auto_glz', server: words('never', 'always', 'off'), run: drag },
];

for (const { name, device, compression, video = null, server, lossy = false, run } of recordings)
  test(`records ${name}`, { timeout: 1_800_000 }, async (context) => {
    if (!folder) return context.skip('GUESTHOUSE_SPICE_RECORDINGS names no folder for recordings');
    const decoders = await openBrowserDecoders();
    onTestFinished(() => decoders.close());
    const machine = await startDesktop(await desktopDisk(console.log), device, `,${server}`, console.log);
    const tap = join(machine.folder, 'tap');
    const file = `desktop-${name}`;
    const recorder = await startRecorder(tap, machine.socketPath, join(folder, `${file}.rec.gz`));
    const [watcher] = await openWatchers(tap, decoders, [{ compression, video }]);
    if (!watcher) throw new Error('nobody watches');
    await run(machine);
    const [found] = await compareWhenStill(machine, [watcher], lossy ? near : exact);
    expect(found?.end).toBeNull();
    expect(found?.enough).toBe(true);
    // Under other load the guest shows too few pictures a second for the server to see a video.
    const streamed = watcher.messages.counts.has('STREAM_CREATE');
    expect(streamed).toBe(server.endsWith('=all'));
    const screen = await machine.screendump();
    const packings = watcher.client.session.details.pictures.map(({ packing }) => packing);
    watcher.client.close();
    await recorder.close();
    const about: Omit<RecordedSession, 'name'> = {
      guest: 'desktop at work',
      options: `${device}, preferred compression ${compression}, ${server}`,
      width: screen.widthPx,
      height: screen.heightPx,
      packings,
      ...(streamed ? { videos: [video ?? 'mjpeg'] } : {}),
      ...(lossy ? {} : { screendumpSha256: hashOf(opaquePixels(screen)) }),
    };
    console.log(file, [...watcher.messages.counts]);
    writeFileSync(join(folder, `${file}.json`), JSON.stringify({ [file]: about }, null, 2));
  });
