import { expect, test } from 'vitest';
import { accepted, bytesOf, linkReply, messagesIn } from '../../../../tests/support/scripted-spice.ts';
import type { MakeOpusEncoder } from '../audio/opus-encoder.ts';
import { recordMessage, recordRequest } from '../protocol/constants.ts';
import { Reader } from '../protocol/reader.ts';
import { Channel } from './channel.ts';
import { RecordChannel } from './record-channel.ts';

/** SPICE_RECORD_CAP_VOLUME and _OPUS, in the link reply of a server that unpacks Opus. */
const canOpus = 0b110;

async function openRecord(makeEncoder: MakeOpusEncoder | null = null, serverCapabilities = canOpus) {
  const told: string[] = [];
  const sent: Uint8Array[] = [];
  const record = new RecordChannel(
    {
      recordStarted: ({ channels, rateHz }) => void told.push(`start ${channels} ${rateHz}`),
      recordStopped: () => void told.push('stop'),
      recordVolume: (gains) => void told.push(`volume ${gains.join(' ')}`),
      recordMuted: (muted) => void told.push(`muted ${muted}`),
    },
    () => 4711.5,
    makeEncoder,
  );
  const channel = new Channel({
    handler: record,
    channelId: 0,
    sessionId: 1,
    password: '',
    send: (bytes) => void sent.push(bytes),
    waitFor: () => undefined,
    notice: () => undefined,
    handedOn: () => undefined,
  });
  channel.start();
  await channel.receive(linkReply(0, undefined, serverCapabilities));
  await channel.receive(accepted);
  const say = (type: number, ...parts: Parameters<typeof bytesOf>) => record.message(type, new Reader(bytesOf(...parts)));
  const messages = () => messagesIn(sent.slice(2)).map(([type, body]) => [type, [...body]]);
  return { record, channel, told, say, messages };
}

const start = (channels = 2, rateHz = 44_100): Parameters<typeof bytesOf> => [
  ['u32', channels],
  ['u16', 1],
  ['u32', rateHz],
];
const time = [0x67, 0x12, 0, 0];

test('a guest that records is told how its samples come, then sent them, and nothing before and after', async () => {
  const { record, told, say, messages } = await openRecord();
  record.send(Uint8Array.of(1, 2, 3, 4));
  say(recordMessage.START, ...start());
  record.send(Uint8Array.of(1, 2, 3, 4));
  record.send(Uint8Array.of(5, 6, 7, 8));
  say(recordMessage.STOP);
  record.send(Uint8Array.of(9, 9, 9, 9));
  say(recordMessage.START, ...start());
  record.send(Uint8Array.of(1, 1, 1, 1));
  expect(told).toEqual(['start 2 44100', 'stop', 'start 2 44100']);
  const begin = [
    [recordRequest.MODE, [...time, 1, 0]],
    [recordRequest.START_MARK, time],
  ];
  expect(messages()).toEqual([
    ...begin,
    [recordRequest.DATA, [...time, 1, 2, 3, 4]],
    [recordRequest.DATA, [...time, 5, 6, 7, 8]],
    ...begin,
    [recordRequest.DATA, [...time, 1, 1, 1, 1]],
  ]);
});

test('what is no whole number of frames is not sent', async () => {
  const { record, say, messages } = await openRecord();
  say(recordMessage.START, ...start());
  record.send(Uint8Array.of(1, 2));
  record.send(new Uint8Array(0));
  expect(messages()).toEqual([]);
});

test('volume and silence are told, and a format that cannot be is refused', async () => {
  const { told, say } = await openRecord();
  say(recordMessage.VOLUME, ['u8', 1], ['u16', 0xffff]);
  say(recordMessage.MUTE, ['u8', 1]);
  expect(told).toEqual(['volume 1', 'muted true']);
  expect(() => say(recordMessage.START, ...start(3))).toThrow('sound of 3 channels is not possible');
  expect(() => say(recordMessage.START, ...start(2, 1))).toThrow('sound of 1 Hz is not possible');
});

/** Packs each packet into its first byte, a byte behind, as encoders do; `fail` ends the newest. */
function encoders() {
  const made: { channels: number; closed: boolean; fail(): void }[] = [];
  const make: MakeOpusEncoder = (channels, encoded, failed) => {
    const encoder = { channels, closed: false, fail: failed };
    made.push(encoder);
    return {
      encode: (samples) => encoded(Uint8Array.of(samples[0] as number)),
      close: () => {
        encoder.closed = true;
      },
    };
  };
  return { made, make };
}

const packet = (first: number, channels = 2) => new Uint8Array(480 * 2 * channels).fill(first);

test('what a guest records is packed where both sides can, in packets of one length, anew for each recording', async () => {
  const { made, make } = encoders();
  const { record, say, messages } = await openRecord(make);
  expect(record.capabilities).toBe(canOpus);
  for (const first of [7, 8]) {
    say(recordMessage.START, ...start(2, 48_000));
    record.send(packet(first));
    record.send(new Uint8Array(8));
    say(recordMessage.STOP);
  }
  const recording = (first: number) => [
    [recordRequest.MODE, [...time, 3, 0]],
    [recordRequest.START_MARK, time],
    [recordRequest.DATA, [...time, first]],
  ];
  expect(messages()).toEqual([...recording(7), ...recording(8)]);
  expect(made.map(({ channels, closed }) => [channels, closed])).toEqual([
    [2, true],
    [2, true],
  ]);
});

test('an encoder that fails is done without, and nothing of one that was ended is sent', async () => {
  const { made, make } = encoders();
  const { record, say, messages } = await openRecord(make);
  say(recordMessage.START, ...start(1, 48_000));
  record.send(packet(1, 1));
  made[0]?.fail();
  record.send(Uint8Array.of(5, 6));
  record.close();
  record.send(packet(2, 1));
  expect(messages()).toEqual([
    [recordRequest.MODE, [...time, 3, 0]],
    [recordRequest.START_MARK, time],
    [recordRequest.DATA, [...time, 1]],
    [recordRequest.MODE, [...time, 1, 0]],
    [recordRequest.DATA, [...time, 5, 6]],
  ]);
});

test('it is not packed for a server that cannot unpack it, nor at a rate that Opus does not have', async () => {
  const { made, make } = encoders();
  const old = await openRecord(make, 0b10);
  old.say(recordMessage.START, ...start(2, 48_000));
  old.record.send(packet(1));
  const slow = await openRecord(make);
  slow.say(recordMessage.START, ...start(2, 44_100));
  slow.record.send(Uint8Array.of(1, 2, 3, 4));
  expect(made).toEqual([]);
  for (const { messages } of [old, slow]) expect(messages()[0]).toEqual([recordRequest.MODE, [...time, 1, 0]]);
});
