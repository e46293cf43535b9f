import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openSpiceClient } from '../../tests/support/spice-client.ts';
import { hashOf } from '../../tests/support/spice-pictures.ts';
import { messagesOf, type Piece, pieceKind, readRecording, recordedSessions, sessionPath } from '../../tests/support/spice-recording.ts';
import { until } from '../../tests/support/until.ts';
import { bareChannel, openBareClient } from './bare-client.ts';
import { startRecorder } from './recorder.ts';
import { startReplay } from './replay-server.ts';

test('what was recorded is replayed to a client, and recorded again is the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'replay-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = sessionPath('glz');
  const [server, tap, again] = ['server.sock', 'tap.sock', 'again.rec.gz'].map((name) => join(folder, name)) as [string, string, string];
  const replay = await startReplay(file, server);
  const recorder = await startRecorder(tap, server, again);
  const expected = messagesOf(readRecording(file), bareChannel.display);
  const seen: { type: number; length: number }[] = [];
  const all = Promise.withResolvers<void>();
  const client = await openBareClient({
    path: tap,
    onMessage: (channel, type, body) => {
      if (channel !== bareChannel.display) return;
      seen.push({ type, length: body.length });
      // Two more are answered by the client itself: the acknowledgements that are asked for, and pings.
      if (seen.length === expected.filter((each) => each.type !== 3 && each.type !== 4).length) all.resolve();
    },
  });
  await Promise.all([replay.finished, all.promise]);
  client.close();
  await recorder.close();
  await replay.close();
  expect(messagesOf(readRecording(again), bareChannel.display)).toEqual(expected);
});

test('what is rehearsed is cut between messages, so that saying it again is right, and ends with the same screen', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'replay-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { width, height, screendumpSha256 } = recordedSessions().find(({ name }) => name === 'virtio-vga-quic') ?? {};
  // Its pieces in halves, a millisecond after each other: what came until the last but one ends in the middle of a message.
  const halves = readRecording(sessionPath('virtio-vga-quic')).flatMap((piece) => {
    const middle = piece.kind === pieceKind.linkReply ? 0 : piece.bytes.byteLength >> 1;
    return [piece.bytes.subarray(0, middle), piece.bytes.subarray(middle)]
      .filter(({ byteLength }) => byteLength > 0)
      .map((bytes) => ({ ...piece, bytes }));
  });
  const file = join(folder, 'halves.rec');
  writeFileSync(file, buildRecording(halves.map((piece, atMs) => ({ ...piece, atMs }))));
  const holdAtMs = halves.findLastIndex(({ channelType, bytes }) => channelType === bareChannel.display && bytes.byteLength > 1000) - 1;
  const path = join(folder, 's.sock');
  const replay = await startReplay(file, path, { holdAtMs });
  const client = openSpiceClient(path);
  onTestFinished(async () => {
    client.close();
    await replay.close();
  });
  await replay.held;
  await replay.rehearse();
  await replay.rehearse();
  replay.goOn();
  await replay.finished;
  await until('the screen is the one of the recording', () => client.screen && hashOf(client.screen.pixels) === screendumpSha256);
  expect([client.screen?.width, client.screen?.height]).toEqual([width, height]);
  expect(client.end).toBeNull();
});

/** The file that `spice-recording.ts` describes. */
function buildRecording(pieces: readonly Piece[]): Buffer {
  return Buffer.concat([
    Buffer.from('SPICEREC'),
    ...pieces.flatMap(({ atMs, channelType, channelId, kind, bytes }) => {
      const head = Buffer.alloc(11);
      head.writeUInt32LE(atMs, 0);
      head.writeUInt8(channelType, 4);
      head.writeUInt8(channelId, 5);
      head.writeUInt8(kind, 6);
      head.writeUInt32LE(bytes.byteLength, 7);
      return [head, bytes];
    }),
  ]);
}
