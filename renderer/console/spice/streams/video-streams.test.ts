import { expect, test } from 'vitest';
import { bytesOf } from '../../../../tests/support/scripted-spice.ts';
import { Random } from '../../../../tests/support/spice-drawing-parts.ts';
import type { Picture } from '../decoders/picture.ts';
import { createSurface, type Rect, surfaceFormat } from '../drawing/surface.ts';
import { displayCapability, displayMessage, displayRequest } from '../protocol/constants.ts';
import { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { MultimediaClock } from './multimedia-clock.ts';
import { isKeyPicture, type StreamDecoder } from './video-decoder.ts';
import { buildPreferredCodecs, VideoStreams, videoCapabilities } from './video-streams.ts';

const vp8 = 2;
const black = 0xff000000;

/** Streams upon a surface of 8 × 6, whose "VP8" is one byte a picture: the grey of all of it. Time passes when it is told to. */
function openStreams(independent = true) {
  const surface = createSurface(0, 8, 6, surfaceFormat.xrgb);
  const timers: { at: number; run: () => void }[] = [];
  const sent: Uint8Array[] = [];
  const failures: unknown[] = [];
  const decoded: number[] = [];
  const drawn: Rect[] = [];
  let now = 1000;
  let opened = 0;
  const decode = async (bytes: Uint8Array, width: number, height: number): Promise<Picture> => {
    const [grey = 0] = bytes;
    if (grey === 0xee) throw new SpiceError('no picture');
    decoded.push(grey);
    return { width, height, pixels: new Uint32Array(width * height).fill(black + grey * 0x10101), opaque: true };
  };
  const decoder = (): StreamDecoder => {
    opened++;
    return { independent, decode, close: () => void opened-- };
  };
  const clock = new MultimediaClock(() => now);
  const streams = new VideoStreams({
    clock,
    now: () => now,
    after: (ms, run) => {
      const timer = { at: now + ms, run };
      timers.push(timer);
      return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
    },
    surface: (id) => (id === 0 ? surface : undefined),
    drawn: (_, { left, top, right, bottom }) => void drawn.push({ left, top, right, bottom }),
    send: (message) => void sent.push(message),
    failed: (error) => void failures.push(error),
    jpeg: () => Promise.reject(new Error('there is no JPEG in it')),
    video: { codecs: ['vp8'], open: decoder },
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    streams,
    surface,
    clock,
    sent,
    failures,
    decoded,
    drawn,
    opened: () => opened,
    message: (type: number, body: Uint8Array) => streams.message(type, new Reader(body)),
    /** Lets time pass, and whatever waits for it happen. */
    pass: async (ms: number) => {
      const end = now + ms;
      for (;;) {
        await settle();
        const next = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
        if (!next) break;
        timers.splice(timers.indexOf(next), 1);
        now = Math.max(now, next.at);
        next.run();
      }
      now = end;
      await settle();
    },
    grey: (x = 0, y = 0) => (surface.pixels[y * 8 + x] as number) & 0xff,
  };
}

const rect = (left: number, top: number, right: number, bottom: number) => [top, left, bottom, right];
const words = (...values: number[]) => new Uint8Array(Int32Array.from(values).buffer);

function create(id: number, { codec = vp8, flags = 1, size = [8, 6], place = [0, 0, 8, 6], clip = [] as number[][], surface = 0 } = {}) {
  const [width = 0, height = 0] = size;
  const [left = 0, top = 0, right = 0, bottom = 0] = place;
  return bytesOf(
    words(surface, id),
    Uint8Array.of(flags, codec),
    words(0, 0, width, height, width, height, ...rect(left, top, right, bottom)),
    clip.length === 0
      ? Uint8Array.of(0)
      : bytesOf(Uint8Array.of(1), words(clip.length, ...clip.flatMap(([x1 = 0, y1 = 0, x2 = 0, y2 = 0]) => rect(x1, y1, x2, y2)))),
  );
}

const picture = (id: number, time: number, grey: number) => bytesOf(words(id, time, 1), Uint8Array.of(grey));

test('a picture of a video is shown when the server’s clock says so, and not before', async () => {
  const { message, clock, pass, grey } = openStreams();
  clock.set(5000);
  message(displayMessage.STREAM_CREATE, create(1));
  message(displayMessage.STREAM_DATA, picture(1, 5040, 10));
  message(displayMessage.STREAM_DATA, picture(1, 5080, 20));
  await pass(39);
  expect(grey()).toBe(0);
  await pass(1);
  expect(grey()).toBe(10);
  await pass(39);
  expect(grey()).toBe(10);
  await pass(1);
  expect(grey()).toBe(20);
});

test('the server’s clock may wrap between a picture and its time', async () => {
  const { message, clock, pass, grey } = openStreams();
  clock.set(0xffffffff - 9);
  message(displayMessage.STREAM_CREATE, create(1));
  message(displayMessage.STREAM_DATA, picture(1, 20, 7));
  await pass(29);
  expect(grey()).toBe(0);
  await pass(2);
  expect(grey()).toBe(7);
});

test('pictures that are late are not decoded when a later one is due as well, and the last one is always shown', async () => {
  const { message, clock, pass, grey, decoded } = openStreams();
  clock.set(9000);
  message(displayMessage.STREAM_CREATE, create(1));
  for (const late of [1, 2, 3, 4, 5]) message(displayMessage.STREAM_DATA, picture(1, 5000 + late, late));
  await pass(0);
  expect(grey()).toBe(5);
  // The first was on its way before the others came.
  expect(decoded).toEqual([1, 5]);
});

test('where pictures build upon each other the late ones are decoded and not shown', async () => {
  const { message, clock, pass, grey, decoded, drawn } = openStreams(false);
  clock.set(9000);
  message(displayMessage.STREAM_CREATE, create(1));
  for (const late of [1, 2, 3, 4]) message(displayMessage.STREAM_DATA, picture(1, 5000 + late, late));
  await pass(0);
  expect(decoded).toEqual([1, 2, 3, 4]);
  expect(grey()).toBe(4);
  expect(drawn).toHaveLength(2);
});

test('a server that never tells its time, or pictures far ahead of it, are shown at once', async () => {
  const { message, clock, pass, grey } = openStreams();
  message(displayMessage.STREAM_CREATE, create(1));
  message(displayMessage.STREAM_DATA, picture(1, 123_456, 30));
  await pass(0);
  expect(grey()).toBe(30);
  clock.set(1000);
  message(displayMessage.STREAM_DATA, picture(1, 3_600_000, 40));
  await pass(0);
  expect(grey()).toBe(40);
});

test('a video is drawn in its place and where its clip allows, which can change, and in the size that a picture says', async () => {
  const { message, pass, grey, drawn } = openStreams();
  message(displayMessage.STREAM_CREATE, create(1, { size: [4, 3], place: [2, 1, 6, 4], clip: [[2, 1, 4, 4]] }));
  message(displayMessage.STREAM_DATA, picture(1, 0, 50));
  await pass(0);
  expect([grey(1, 1), grey(2, 1), grey(3, 3), grey(4, 1), grey(2, 4)]).toEqual([0, 50, 50, 0, 0]);
  expect(drawn).toEqual([{ left: 2, top: 1, right: 4, bottom: 4 }]);
  message(displayMessage.STREAM_CLIP, bytesOf(words(1), Uint8Array.of(0)));
  message(displayMessage.STREAM_DATA_SIZED, bytesOf(words(1, 0, 2, 2, ...rect(-4, 0, 12, 6), 1), Uint8Array.of(60)));
  await pass(0);
  expect([grey(0, 0), grey(7, 5)]).toEqual([60, 60]);
});

test('a video whose rows come from below is turned over', async () => {
  const { streams, surface, pass } = openStreams();
  const rows = { width: 1, height: 6, pixels: Uint32Array.from({ length: 6 }, (_, row) => black + row), opaque: true };
  const upside = new VideoStreams({
    clock: new MultimediaClock(() => 0),
    now: () => 0,
    after: () => () => undefined,
    surface: () => surface,
    drawn: () => undefined,
    send: () => undefined,
    failed: () => undefined,
    jpeg: () => Promise.reject(new Error('there is no JPEG in it')),
    video: { codecs: ['vp8'], open: () => ({ independent: true, decode: async () => rows, close: () => undefined }) },
  });
  streams.clear();
  upside.message(displayMessage.STREAM_CREATE, new Reader(create(1, { flags: 0, size: [1, 6], place: [0, 0, 1, 6] })));
  upside.message(displayMessage.STREAM_DATA, new Reader(picture(1, 0, 1)));
  await pass(0);
  expect(Array.from({ length: 6 }, (_, row) => (surface.pixels[row * 8] as number) & 0xff)).toEqual([5, 4, 3, 2, 1, 0]);
});

test('nothing of a video is shown after it was destroyed, its surface is gone or all of them end', async () => {
  for (const end of ['one', 'all', 'surface'] as const) {
    const { streams, message, clock, pass, drawn, opened } = openStreams();
    clock.set(0);
    message(displayMessage.STREAM_CREATE, create(1));
    message(displayMessage.STREAM_DATA, picture(1, 10, 70));
    expect(opened()).toBe(1);
    if (end === 'one') message(displayMessage.STREAM_DESTROY, words(1));
    else if (end === 'all') message(displayMessage.STREAM_DESTROY_ALL, new Uint8Array(0));
    else streams.forget(0);
    await pass(100);
    expect(drawn).toEqual([]);
    expect(opened()).toBe(0);
  }
});

test('a server that asks is told how many pictures came and how many were late', async () => {
  const { message, clock, pass, sent } = openStreams();
  clock.set(1000);
  message(displayMessage.STREAM_CREATE, create(3));
  message(displayMessage.STREAM_ACTIVATE_REPORT, words(3, 77, 4, 1000));
  for (const [time, grey] of [
    [1010, 1],
    [990, 2],
    [1020, 3],
    [1030, 4],
  ] as const)
    message(displayMessage.STREAM_DATA, picture(3, time, grey));
  expect(sent).toHaveLength(1);
  const [report] = sent as [Uint8Array];
  const view = new DataView(report.buffer, report.byteOffset, report.byteLength);
  expect(view.getUint16(0, true)).toBe(displayRequest.STREAM_REPORT);
  const fields = Array.from({ length: 8 }, (_, index) => view.getInt32(6 + index * 4, true));
  expect(fields).toEqual([3, 77, 1010, 1030, 4, 1, 30, -1]);
  // Three late ones in a row are told at once, and the window ends as well when its time is over.
  for (const time of [1, 2, 3]) message(displayMessage.STREAM_DATA, picture(3, time, 9));
  expect(sent).toHaveLength(2);
  message(displayMessage.STREAM_DATA, picture(3, 1040, 9));
  await pass(1000);
  message(displayMessage.STREAM_DATA, picture(3, 2100, 9));
  expect(sent).toHaveLength(3);
});

test('pictures that wait are bounded, whatever times a server gives them', async () => {
  const { message, clock, pass, decoded } = openStreams(false);
  clock.set(0);
  message(displayMessage.STREAM_CREATE, create(1));
  for (let count = 0; count < 200; count++) message(displayMessage.STREAM_DATA, picture(1, 4000, count & 0x7f));
  await pass(1);
  expect(decoded.length).toBe(200 - 64);
});

test('what cannot be a video ends in an error that says what is wrong', async () => {
  const { message, pass, failures } = openStreams();
  expect(() => message(displayMessage.STREAM_CREATE, create(1, { codec: 5 }))).toThrow('video of codec 5 was not asked for');
  expect(() => message(displayMessage.STREAM_CREATE, create(1, { size: [0, 4] }))).toThrow(SpiceError);
  expect(() => message(displayMessage.STREAM_DATA, picture(9, 0, 1))).toThrow('video 9 does not exist');
  for (let id = 0; id < 64; id++) message(displayMessage.STREAM_CREATE, create(id));
  expect(() => message(displayMessage.STREAM_CREATE, create(64))).toThrow('more than 64 videos');
  expect(() => message(displayMessage.STREAM_DATA, words(1, 0, 50))).toThrow('50 bytes of a picture do not fit');
  message(displayMessage.STREAM_DATA, picture(1, 0, 0xee));
  await pass(0);
  expect(failures).toEqual([new SpiceError('no picture')]);
});

test('messages of any content are taken or refused, and nothing else happens', async () => {
  const random = new Random(11);
  const types = [122, 123, 124, 125, 126, 316, 319];
  const { message, pass } = openStreams();
  let refused = 0;
  for (let round = 0; round < 4000; round++) {
    const type = random.of(types);
    const whole =
      type === 122
        ? create(random.int(0, 3), { clip: random.chance(50) ? [[0, 0, 9, 9]] : [] })
        : picture(random.int(0, 3), random.int(0, 50), 3);
    const bytes = random.chance(50) ? whole.slice(0, random.int(0, whole.length)) : whole.slice();
    if (random.chance(60) && bytes.length > 0) bytes[random.int(0, bytes.length - 1)] = random.of([0, 0xff, 0x80, random.u32() & 0xff]);
    try {
      message(type, bytes);
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(SpiceError);
      refused++;
    }
    if (round % 100 === 0) await pass(10);
  }
  expect(refused).toBeGreaterThan(500);
});

test('the server is told what is decoded here, and what is wanted most', () => {
  const video = { codecs: ['vp9', 'vp8'] as const, open: () => Promise.reject(new Error('not here')) as never };
  const bits = videoCapabilities(video);
  const has = (bit: number) => (bits & (1 << bit)) !== 0;
  expect([displayCapability.CODEC_MJPEG, displayCapability.CODEC_VP8, displayCapability.CODEC_VP9].every(has)).toBe(true);
  expect([displayCapability.STREAM_REPORT, displayCapability.MULTI_CODEC, displayCapability.SIZED_STREAM].every(has)).toBe(true);
  expect(has(displayCapability.CODEC_H264)).toBe(false);
  expect([...buildPreferredCodecs(video).subarray(6)]).toEqual([3, 4, 2, 1]);
});

test('a picture that stands for itself is told from one that builds upon others', () => {
  // As ffmpeg's libvpx and libx264 begin their first two pictures.
  expect(isKeyPicture('vp8', Uint8Array.of(0x50, 0x1b, 0, 0x9d, 1, 0x2a))).toBe(true);
  expect(isKeyPicture('vp8', Uint8Array.of(0x31, 1, 0))).toBe(false);
  expect(isKeyPicture('vp9', Uint8Array.of(0x82, 0x49, 0x83, 0x42))).toBe(true);
  expect(isKeyPicture('vp9', Uint8Array.of(0x86, 0, 0x40, 0x92))).toBe(false);
  expect(isKeyPicture('h264', Uint8Array.of(0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x67, 0x42))).toBe(true);
  expect(isKeyPicture('h264', Uint8Array.of(0, 0, 0, 1, 9, 0x30, 0, 0, 1, 0x41, 0x9a))).toBe(false);
  expect(isKeyPicture('mjpeg', Uint8Array.of(0xff, 0xd8))).toBe(true);
});
