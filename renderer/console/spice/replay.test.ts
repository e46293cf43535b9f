/** Real sessions with QEMU's server, said again: however the bytes come, the screen is the one that QEMU showed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pixelsOf } from '../../../tests/support/spice-client.ts';
import { hashOf, parseRecording, type SpiceRecording } from '../../../tests/support/spice-recording.ts';
import type { Surface } from './drawing/surface.ts';
import { SpiceSession } from './session.ts';
import { noVideo } from './streams/video-decoder.ts';

const folder = join(import.meta.dirname, '../../../tests/fixtures/spice-sessions');
const recordings = readdirSync(folder).filter((name) => name.endsWith('.gz'));

type Outcome = { screen: string; size: string; damaged: string; sent: number[] };

/** Plays the pieces to a session. `yields`: other things happen in between, as they do in a worker. */
async function play(pieces: SpiceRecording['pieces'], yields: boolean): Promise<Outcome> {
  let screen: Surface | null = null;
  let ended = '';
  const bounds = { left: 1e9, top: 1e9, right: 0, bottom: 0 };
  const sent: number[] = [];
  const session = new SpiceSession({
    now: () => 0,
    openStream: (stream) => {
      sent[stream] = 0;
    },
    // A ticket is of the same length each time, and its bytes are not.
    send: (stream, bytes) => {
      sent[stream] = (sent[stream] ?? 0) + bytes.byteLength;
    },
    closeStream: () => undefined,
    jpeg: () => Promise.reject(new Error('there is no JPEG in it')),
    after: () => () => undefined,
    video: noVideo,
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
    picture: () => undefined,
    pointer: () => undefined,
    cursor: () => undefined,
    cursorMoved: () => undefined,
    agent: () => undefined,
    ended: ({ detail }) => {
      ended = detail;
    },
  });
  const opened = new Set<number>();
  const waiting: (Promise<void> | undefined)[] = [];
  for (const { stream, bytes } of pieces) {
    if (!opened.has(stream)) {
      // The streams of a session are asked for one after the other, and the first tells of the rest.
      await Promise.all(waiting.splice(0));
      opened.add(stream);
      session.streamOpen(stream);
    }
    waiting.push(session.receive(stream, bytes));
    if (yields) await Promise.resolve();
  }
  await Promise.all(waiting);
  expect(ended).toBe('');
  const pixels = pixelsOf(screen ?? { id: 0, width: 0, height: 0, format: 32, pixels: new Uint32Array(0), opaque: true, opaqueBits: 0 });
  session.close();
  return { screen: hashOf(pixels), size: `${pixels.widthPx}x${pixels.heightPx}`, damaged: JSON.stringify(bounds), sent };
}

/** The pieces with those of each stream joined. */
function joined(pieces: SpiceRecording['pieces']): SpiceRecording['pieces'] {
  const streams = [...new Set(pieces.map(({ stream }) => stream))];
  return streams.map((stream) => ({
    stream,
    bytes: new Uint8Array(Buffer.concat(pieces.filter((piece) => piece.stream === stream).map(({ bytes }) => bytes))),
  }));
}

for (const name of recordings)
  test(`a recorded session shows what QEMU showed, whole, byte by byte and cut anywhere: ${name}`, { timeout: 120_000 }, async () => {
    const recording = parseRecording(readFileSync(join(folder, name)));
    const asRecorded = await play(recording.pieces, false);
    expect({ size: asRecorded.size, screen: asRecorded.screen }).toEqual({
      size: `${recording.widthPx}x${recording.heightPx}`,
      screen: recording.sha256,
    });
    const whole = joined(recording.pieces);
    expect(await play(whole, true)).toEqual(asRecorded);
    const bytes = whole.flatMap(({ stream, bytes: all }) =>
      Array.from({ length: all.byteLength }, (_, at) => ({ stream, bytes: all.subarray(at, at + 1) })),
    );
    if (bytes.length < 1_000_000) expect(await play(bytes, false)).toEqual(asRecorded);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.boolean(),
        async (places, yields) => {
          const cut = whole.flatMap(({ stream, bytes: all }) => {
            const edges = [
              0,
              ...places.map((place) => Math.floor(place * all.byteLength)).sort((one, other) => one - other),
              all.byteLength,
            ];
            return edges.slice(1).map((edge, index) => ({ stream, bytes: all.slice(edges[index], edge) }));
          });
          expect(await play(cut, yields)).toEqual(asRecorded);
        },
      ),
      { numRuns: 5 },
    );
  });
