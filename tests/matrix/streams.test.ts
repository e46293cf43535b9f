/**
 * A video on the desktop as QEMU's server streams it, packed by each of its encoders: it is created, sized and clipped, its pictures are shown in
 * step with the server's clock, the server is told how they arrive, and when it is over the screen is what QEMU shows, pixel by pixel. With qxl,
 * since QEMU cuts other devices' pictures into columns that no server takes for a video.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openBrowserDecoders } from '../support/browser-decoders.ts';
import { desktopDisk, desktopVideo, desktopVideoPicture } from '../support/desktop-disk.ts';
import { startDesktop } from '../support/desktop-machine.ts';
import type { Pixels } from '../support/png.ts';
import { pixelsOf } from '../support/spice-client.ts';
import { until } from '../support/until.ts';
import { peakSignalToNoise } from './picture-quality.ts';
import { compareWhenStill, exact, openWatchers } from './watchers.ts';
import { coveringPlace, playVideo, untilVideoEnds, videoPlace } from './workloads.ts';

const video = Array.from({ length: desktopVideo.frames }, (_, frame) => desktopVideoPicture(frame));

/** Of all pictures of the video the one that is shown there, and how near to it. */
function nearest(shown: Pixels): { frame: number; ratioDb: number } {
  const ratios = video.map((picture) => peakSignalToNoise(shown, upperLeft(picture, shown.widthPx, shown.heightPx)));
  const ratioDb = Math.max(...ratios);
  return { frame: ratios.indexOf(ratioDb), ratioDb };
}

function upperLeft({ widthPx: whole, rgb }: Pixels, widthPx: number, heightPx: number): Pixels {
  const rows = Array.from({ length: heightPx }, (_, row) => rgb.subarray(row * whole * 3, (row * whole + widthPx) * 3));
  return { widthPx, heightPx, rgb: Buffer.concat(rows) };
}

/** Less comes of colours that are turned back by the wrong rule, or of another picture than the nearest. */
const leastRatioDb = 38;
const codecs = ['mjpeg', 'vp8', 'vp9', 'h264'] as const;
const small = { widthPx: 256, heightPx: 192 };
const large = { widthPx: 320, heightPx: 200 };
const words = ({ widthPx, heightPx }: typeof small, pictures: number) => `${widthPx}x${heightPx}:${pictures}`;

test.for(codecs)('a video is streamed as %s', { timeout: 300_000 }, async (codec, context) => {
  const decoders = await openBrowserDecoders();
  onTestFinished(() => decoders.close());
  if (codec !== 'mjpeg' && !decoders.video.codecs.includes(codec)) return context.skip(`this browser decodes no ${codec}`);
  const machine = await startDesktop(await desktopDisk(console.log), 'qxl-vga', ',streaming-video=all', console.log);
  const watchers = await openWatchers(machine.socketPath, decoders, [{ compression: 'auto_glz', video: codec === 'mjpeg' ? null : codec }]);
  const [watcher] = watchers;
  if (!watcher) throw new Error('nobody watches');
  const { client, messages } = watcher;
  onTestFinished(() => client.close());
  const said = (name: string) => {
    expect(client.end).toBeNull();
    return messages.counts.get(name) ?? 0;
  };
  const shown = (place: { xPx: number; yPx: number }, size: typeof small) => {
    if (!client.screen) throw new Error('there is no screen');
    return nearest(pixelsOf(client.screen, { ...place, ...size }));
  };
  const allExact = [{ ratioDb: Number.POSITIVE_INFINITY, differing: 0, end: null, enough: true }];

  await playVideo(machine, videoPlace, words(small, 100), words(large, 100));
  await until('pictures of a video', () => said('STREAM_DATA') > 10);
  expect(client.session.details.videos).toEqual([codec]);
  const seen: ReturnType<typeof nearest>[] = [];
  // The pictures of the video themselves, and one after the other.
  for (let look = 0; look < 4; look++) {
    const next = await until('another picture', () => {
      const now = shown(videoPlace, small);
      return seen.some(({ frame }) => frame === now.frame) ? null : now;
    });
    seen.push(next);
    expect(next.ratioDb).toBeGreaterThan(leastRatioDb);
  }
  await until('pictures of another size', () => said('STREAM_DATA_SIZED') > 20);
  expect(shown(videoPlace, large).ratioDb).toBeGreaterThan(leastRatioDb);
  await untilVideoEnds(machine);
  expect(await compareWhenStill(machine, watchers, exact)).toEqual(allExact);
  expect(said('STREAM_CLIP')).toBeGreaterThan(0);
  await machine.run('pkill -KILL perl');

  // Of the lower one what the upper one covers is not drawn, and the rest of it is.
  const before = said('STREAM_CREATE');
  await playVideo(machine, videoPlace, words(large, 5000));
  await until('the lower video', () => said('STREAM_CREATE') > before);
  const beforeUpper = said('STREAM_CREATE');
  await playVideo(machine, coveringPlace, words(small, 5000));
  await until('the upper video', () => said('STREAM_CREATE') > beforeUpper);
  await pause(2000);
  expect(shown(coveringPlace, small).ratioDb).toBeGreaterThan(leastRatioDb);
  await machine.run('pkill -STOP perl');
  expect(await compareWhenStill(machine, watchers, exact)).toEqual(allExact);
  await machine.run('pkill -KILL perl');
  expect(await compareWhenStill(machine, watchers, exact)).toEqual(allExact);

  const { reports } = messages;
  const pictures = said('STREAM_DATA') + said('STREAM_DATA_SIZED');
  const late = reports.reduce((sum, report) => sum + report.late, 0);
  console.log(codec, { pictures, late, dropped: client.session.details.droppedFrames, reports: reports.length }, [...messages.counts]);
  expect(reports.length).toBeGreaterThan(pictures / 10);
  // The server asks for them to be shown 400 ms after they were drawn.
  const margins = reports.map(({ marginMs }) => marginMs).sort((one, other) => one - other);
  expect(margins[margins.length >> 1]).toBeGreaterThan(0);
  expect(margins[margins.length >> 1]).toBeLessThanOrEqual(1000);
  expect(late + client.session.details.droppedFrames).toBeLessThan(pictures / 4);
  expect(said('→ PREFERRED_VIDEO_CODEC_TYPE')).toBe(codec === 'mjpeg' ? 0 : 1);
});
