/** Real sessions with QEMU's server, said again: however the bytes come, the screen is the one that QEMU showed. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noSharing, pixelsAlone } from '../../../tests/support/scripted-spice.ts';
import { hashOf } from '../../../tests/support/spice-pictures.ts';
import {
  messagesOf,
  type Piece,
  readRecording,
  recordedSessions,
  sessionPath,
  type WireBytes,
  wireBytesOf,
} from '../../../tests/support/spice-recording.ts';
import { readJpegSize } from './decoders/jpeg.ts';
import type { Picture } from './decoders/picture.ts';
import type { Surface } from './drawing/surface.ts';
import { displayMessage } from './protocol/constants.ts';
import { SpiceSession } from './session.ts';
import { type PlatformVideo, videoCodec } from './streams/video-decoder.ts';

const sessions = recordedSessions();

/** In place of the browser's decoders. Their pictures build upon others, so none is left out. */
const video: PlatformVideo = {
  codecs: ['vp8'],
  open: () => ({ independent: false, decode: async (bytes, width, height) => plain(bytes, width, height), close: () => undefined }),
};

type Outcome = { details: SpiceSession['details']; screen: string; size: string; damaged: string; sent: number[] };

/** Plays the pieces to a session. `yields`: other things happen in between, as they do in a worker. */
async function play(pieces: WireBytes[], yields: boolean): Promise<Outcome> {
  let screen: Surface | null = null;
  let ended = '';
  let now = 0;
  const bounds = { left: 1e9, top: 1e9, right: 0, bottom: 0 };
  const sent: number[] = [];
  /** The streams of the session's channels, once it has said in a link which channel each is. */
  const streams = new Map<string, number>();
  const session = new SpiceSession({
    ...noSharing,
    ...pixelsAlone,
    // The time of every picture of a video has come.
    now: () => {
      now += 10_000;
      return now;
    },
    openStream: (stream) => {
      sent[stream] = 0;
    },
    // A ticket is of the same length each time, and its bytes are not.
    send: (stream, bytes) => {
      // SpiceLinkMess: the header (16 bytes) · connection (4) · channel type · channel id.
      if (sent[stream] === 0) streams.set(`${bytes[20]} ${bytes[21]}`, stream);
      sent[stream] = (sent[stream] ?? 0) + bytes.byteLength;
    },
    closeStream: () => undefined,
    jpeg: instead,
    after: () => () => undefined,
    video,
    settled: () => undefined,
    primary: (surface) => {
      screen = surface;
    },
    damaged: (left, top, right, bottom) => {
      Object.assign(bounds, {
        left: Math.min(bounds.left, left),
        top: Math.min(bounds.top, top),
        right: Math.max(bounds.right, right),
        bottom: Math.max(bounds.bottom, bottom),
      });
    },
    ended: ({ detail }) => {
      ended = detail;
    },
  });
  let opened = 0;
  const waiting: (Promise<void> | undefined)[] = [];
  for (const { channelType, channelId, bytes } of pieces) {
    const channel = `${channelType} ${channelId}`;
    if (!streams.has(channel)) {
      // The streams of a session are asked for one after the other, and the first tells of the rest.
      await Promise.all(waiting.splice(0));
      for (; opened < sent.length; opened++) session.streamOpen(opened);
    }
    const stream = streams.get(channel);
    if (stream === undefined) throw new Error(`The session has no channel ${channel}.`);
    waiting.push(session.receive(stream, bytes));
    if (yields) await Promise.resolve();
  }
  await Promise.all(waiting);
  expect(ended).toBe('');
  const { pixels, width, height } = screen ?? { pixels: new Uint32Array(0), width: 0, height: 0 };
  // How many pictures of a video are left out depends on when they come.
  const details = { ...session.details, droppedFrames: 0 };
  session.close();
  return { details, screen: hashOf(pixels), size: `${width}x${height}`, damaged: JSON.stringify(bounds), sent };
}

/** In place of the browser's decoder: a picture of the right size that only this JPEG has. */
async function instead(jpeg: Uint8Array): Promise<Picture> {
  const { width, height } = readJpegSize(jpeg);
  return plain(jpeg, width, height);
}

/** Of a colour that only these bytes have. */
function plain(bytes: Uint8Array, width: number, height: number): Picture {
  const colour = Number.parseInt(createHash('sha256').update(bytes).digest('hex').slice(0, 6), 16);
  return { width, height, pixels: new Uint32Array(width * height).fill(0xff000000 | colour), opaque: true };
}

const isMain = ({ channelType }: WireBytes) => channelType === 1;

/** The pieces with those of each channel joined. */
function joined(pieces: WireBytes[]): WireBytes[] {
  const channels = [...new Set(pieces.map(({ channelType }) => channelType))];
  return channels.map((channelType) => {
    const own = pieces.filter((piece) => piece.channelType === channelType);
    return { channelType, channelId: 0, bytes: new Uint8Array(Buffer.concat(own.map(({ bytes }) => bytes))) };
  });
}

/** How the videos in it are packed. SpiceMsgDisplayStreamCreate: surface (4) · id (4) · flags (1) · codec (1). */
function videosOf(recording: Piece[]): string[] {
  const created = messagesOf(recording, 2).filter(({ type }) => type === displayMessage.STREAM_CREATE);
  const numbers = new Set(created.map(({ body }) => body[9]));
  return Object.entries(videoCodec).flatMap(([codec, number]) => (numbers.has(number) ? [codec] : []));
}

test('the recorded sessions have pictures in every packing that this server knows', () => {
  const packings = sessions.flatMap(({ packings, videos = [] }) => [...packings, ...videos]);
  const all = ['bitmap', 'quic', 'lzRgb', 'glzRgb', 'zlibGlzRgb', 'lz4', 'jpeg', 'jpegAlpha', 'mjpeg', 'vp8'];
  expect(packings).toEqual(expect.arrayContaining(all));
});

for (const { name, width, height, packings, videos = [], screendumpSha256 } of sessions)
  test(`a recorded session shows what QEMU showed, whole, byte by byte and cut anywhere: ${name}`, { timeout: 120_000 }, async () => {
    const recording = readRecording(sessionPath(name));
    const all = wireBytesOf(recording);
    // A client that knows its server opens the display before the first channel has told that there is one; ours waits for that.
    const pieces = [...all.filter(isMain), ...all.filter((piece) => !isMain(piece))];
    const asRecorded = await play(pieces, false);
    expect(asRecorded.size).toBe(`${width}x${height}`);
    if (screendumpSha256) expect(asRecorded.screen).toBe(screendumpSha256);
    // What is told of a session is as much its own as what it draws.
    expect(asRecorded.details.channels).toContain('display');
    expect(asRecorded.details.pictures.map(({ packing }) => packing).sort()).toEqual([...packings].sort());
    expect(videosOf(recording)).toEqual(videos);
    expect(asRecorded.details.memoryBytes).toBeGreaterThanOrEqual(width * height * 4);
    const whole = joined(pieces);
    expect(await play(whole, true)).toEqual(asRecorded);
    const bytes = whole.flatMap(({ bytes: all, ...channel }) =>
      Array.from({ length: all.byteLength }, (_, at) => ({ ...channel, bytes: all.subarray(at, at + 1) })),
    );
    if (bytes.length < 1_000_000) expect(await play(bytes, false)).toEqual(asRecorded);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.boolean(),
        async (places, yields) => {
          const cut = whole.flatMap(({ bytes: all, ...channel }) => {
            const edges = [
              0,
              ...places.map((place) => Math.floor(place * all.byteLength)).sort((one, other) => one - other),
              all.byteLength,
            ];
            return edges.slice(1).map((edge, index) => ({ ...channel, bytes: all.slice(edges[index], edge) }));
          });
          expect(await play(cut, yields)).toEqual(asRecorded);
        },
      ),
      { numRuns: 3 },
    );
  });
