/** Real sessions with QEMU's server, said again: however the bytes come, the screen is the one that QEMU showed. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { noSharing } from '../../../tests/support/scripted-spice.ts';
import { hashOf } from '../../../tests/support/spice-pictures.ts';
import { readRecording, recordedSessions, sessionPath, type WireBytes, wireBytesOf } from '../../../tests/support/spice-recording.ts';
import { readJpegSize } from './decoders/jpeg.ts';
import type { Picture } from './decoders/picture.ts';
import type { Surface } from './drawing/surface.ts';
import { SpiceSession } from './session.ts';
import { noVideo } from './streams/video-decoder.ts';

const sessions = recordedSessions();

type Outcome = { details: SpiceSession['details']; screen: string; size: string; damaged: string; sent: number[] };

/** Plays the pieces to a session. `yields`: other things happen in between, as they do in a worker. */
async function play(pieces: WireBytes[], yields: boolean): Promise<Outcome> {
  let screen: Surface | null = null;
  let ended = '';
  const bounds = { left: 1e9, top: 1e9, right: 0, bottom: 0 };
  const sent: number[] = [];
  /** The streams of the session's channels, once it has said in a link which channel each is. */
  const streams = new Map<string, number>();
  const session = new SpiceSession({
    ...noSharing,
    now: () => 0,
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
    video: noVideo,
    settled: () => undefined,
    primary: (surface) => {
      screen = surface;
    },
    heads: () => undefined,
    damaged: (left, top, right, bottom) => {
      Object.assign(bounds, {
        left: Math.min(bounds.left, left),
        top: Math.min(bounds.top, top),
        right: Math.max(bounds.right, right),
        bottom: Math.max(bounds.bottom, bottom),
      });
    },
    picture: () => undefined,
    pointer: () => undefined,
    cursor: () => undefined,
    cursorMoved: () => undefined,
    agent: () => undefined,
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
  const { details } = session;
  session.close();
  return { details, screen: hashOf(pixels), size: `${width}x${height}`, damaged: JSON.stringify(bounds), sent };
}

/** In place of the browser's decoder: a picture of the right size that only this JPEG has. */
async function instead(jpeg: Uint8Array): Promise<Picture> {
  const { width, height } = readJpegSize(jpeg);
  const colour = Number.parseInt(createHash('sha256').update(jpeg).digest('hex').slice(0, 6), 16);
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

for (const { name, width, height, screendumpSha256 } of sessions)
  test(`a recorded session shows what QEMU showed, whole, byte by byte and cut anywhere: ${name}`, { timeout: 120_000 }, async () => {
    const all = wireBytesOf(readRecording(sessionPath(name)));
    // A client that knows its server opens the display before the first channel has told that there is one; ours waits for that.
    const pieces = [...all.filter(isMain), ...all.filter((piece) => !isMain(piece))];
    const asRecorded = await play(pieces, false);
    expect(asRecorded.size).toBe(`${width}x${height}`);
    if (screendumpSha256) expect(asRecorded.screen).toBe(screendumpSha256);
    // What is told of a session is as much its own as what it draws.
    expect(asRecorded.details.channels).toContain('display');
    expect(asRecorded.details.pictures.reduce((sum, { count }) => sum + count, 0)).toBeGreaterThan(0);
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
