import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { messagesOf, readRecording, sessionPath } from '../../tests/support/spice-recording.ts';
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
