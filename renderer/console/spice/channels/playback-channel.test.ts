import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf } from '../../../../tests/support/scripted-spice.ts';
import type { MakeOpusDecoder } from '../audio/opus-decoder.ts';
import { playbackMessage } from '../protocol/constants.ts';
import { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { PlaybackChannel } from './playback-channel.ts';

function openPlayback(makeDecoder: MakeOpusDecoder | null = null) {
  const told: string[] = [];
  const channel = new PlaybackChannel(
    {
      playbackOpened: () => void told.push('opened'),
      playbackStarted: ({ channels, rateHz }) => void told.push(`start ${channels} ${rateHz}`),
      played: (samples) => void told.push(`samples ${[...samples].join(' ')}`),
      playbackTime: (time) => void told.push(`at ${time}`),
      playbackStopped: () => void told.push('stop'),
      playbackVolume: (gains) => void told.push(`volume ${gains.map((gain) => gain.toFixed(3)).join(' ')}`),
      playbackMuted: (muted) => void told.push(`muted ${muted}`),
      playbackLatency: (leastMs) => void told.push(`hold back ${leastMs}`),
      playbackFailed: ({ message }) => void told.push(message),
    },
    makeDecoder,
  );
  const say = (type: number, ...parts: Parameters<typeof bytesOf>) => channel.message(type, new Reader(bytesOf(...parts)));
  return { channel, told, say };
}

const start = (channels = 2, rateHz = 48_000, format = 1): Parameters<typeof bytesOf> => [
  ['u32', channels],
  ['u16', format],
  ['u32', rateHz],
  ['u32', 0],
];
const mode = (number: number): Parameters<typeof bytesOf> => [
  ['u32', 0],
  ['u16', number],
];

test('what is not packed comes as samples, and nothing before the start or after the end', () => {
  const { channel, told, say } = openPlayback();
  channel.opened();
  const data: Parameters<typeof bytesOf> = [
    ['u32', 7],
    ['u16', 0x4000],
    ['u16', 0x8000],
  ];
  say(playbackMessage.DATA, ...data);
  say(playbackMessage.MODE, ...mode(1));
  say(playbackMessage.START, ...start());
  say(playbackMessage.DATA, ...data);
  say(playbackMessage.STOP);
  say(playbackMessage.DATA, ...data);
  expect(told).toEqual(['opened', 'start 2 48000', 'at 7', 'samples 0.5 -1', 'stop']);
});

test('volume is told as amplitude, with what is half to the guest at an eighth', () => {
  const { told, say } = openPlayback();
  say(playbackMessage.VOLUME, ['u8', 2], ['u16', 0xffff], ['u16', 0x7fff]);
  say(playbackMessage.MUTE, ['u8', 1]);
  expect(told).toEqual(['volume 1.000 0.125', 'muted true']);
});

test('what the server wants held back for its video is told, and no more than it may ask for', () => {
  const { told, say } = openPlayback();
  say(playbackMessage.LATENCY, ['u32', 400]);
  say(playbackMessage.LATENCY, ['u32', 4_000_000_000]);
  expect(told).toEqual(['hold back 400', 'hold back 5000']);
});

test('packets of Opus go to a decoder that is made anew with each start, and one that fails ends the session with the reason', () => {
  const decoders: { packets: number[]; closed: boolean; failed(reason: string): void }[] = [];
  const { channel, told, say } = openPlayback((channels, decoded, failed) => {
    const decoder = { packets: [] as number[], closed: false, failed };
    decoders.push(decoder);
    return {
      decode: (packet) => {
        decoder.packets.push(...packet);
        decoded(new Float32Array(channels));
      },
      close: () => {
        decoder.closed = true;
      },
    };
  });
  expect(channel.capabilities).toBe(0b1110);
  say(playbackMessage.MODE, ...mode(3));
  for (const packet of [1, 2]) {
    say(playbackMessage.START, ...start());
    say(playbackMessage.DATA, ['u32', 0], ['u8', packet]);
  }
  expect(decoders.map(({ packets, closed }) => [packets, closed])).toEqual([
    [[1], true],
    [[2], false],
  ]);
  decoders[1]?.failed('it is noise');
  expect(told.at(-1)).toBe('playback: DATA: a packet of Opus cannot be read: it is noise');
  channel.close();
  expect(decoders[1]?.closed).toBe(true);
});

test('what was not asked for, or cannot be, is refused in words', () => {
  const refused = (...[type, parts]: [number, Parameters<typeof bytesOf>]) => {
    try {
      const { say } = openPlayback();
      say(playbackMessage.START, ...start());
      say(type, ...parts);
      return 'nothing';
    } catch (error) {
      return error instanceof SpiceError ? error.reason : error;
    }
  };
  expect(openPlayback().channel.capabilities).toBe(0b110);
  expect([
    refused(playbackMessage.MODE, mode(2)),
    refused(playbackMessage.MODE, mode(3)),
    refused(playbackMessage.START, start(0)),
    refused(playbackMessage.START, start(6)),
    refused(playbackMessage.START, start(2, 4_000_000_000)),
    refused(playbackMessage.START, start(2, 7)),
    refused(playbackMessage.START, start(2, 48_000, 9)),
    refused(playbackMessage.DATA, [
      ['u32', 0],
      ['u16', 1],
    ]),
    refused(playbackMessage.VOLUME, [
      ['u8', 200],
      ['u16', 1],
    ]),
  ]).toEqual([
    'sound of mode 2 was not asked for',
    'sound packed with Opus was not asked for',
    'sound of 0 channels is not possible',
    'sound of 6 channels is not possible',
    'sound of 4000000000 Hz is not possible',
    'sound of 7 Hz is not possible',
    'sound of format 9 does not exist',
    '2 bytes are no whole samples of 2 channels',
    '200 volumes do not fit into 2 bytes',
  ]);
});

test('Opus at a rate that it does not have is refused, whichever is said first', () => {
  const decoder: MakeOpusDecoder = () => ({ decode: () => undefined, close: () => undefined });
  const first = openPlayback(decoder);
  first.say(playbackMessage.MODE, ...mode(3));
  expect(() => first.say(playbackMessage.START, ...start(2, 44_100))).toThrow('Opus has 48000 Hz and not 44100');
  const second = openPlayback(decoder);
  second.say(playbackMessage.START, ...start(2, 44_100));
  expect(() => second.say(playbackMessage.MODE, ...mode(3))).toThrow('Opus has 48000 Hz and not 44100');
});

test('whatever a server says, samples are whole frames from -1 to 1 or it is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 101, max: 108 }), fc.uint8Array({ maxLength: 24 }))), (messages) => {
      let channels = 0;
      const channel = new PlaybackChannel(
        {
          playbackOpened: () => undefined,
          playbackStarted: (format) => {
            channels = format.channels;
          },
          played: (samples) => {
            expect(channels === 1 || channels === 2).toBe(true);
            expect(samples.length % channels).toBe(0);
            expect(samples.every((sample) => Math.abs(sample) <= 1)).toBe(true);
          },
          playbackTime: () => undefined,
          playbackStopped: () => {
            channels = 0;
          },
          playbackVolume: (gains) => expect(gains.every((gain) => gain >= 0 && gain <= 1)).toBe(true),
          playbackMuted: () => undefined,
          playbackLatency: (leastMs) => expect(leastMs).toBeLessThanOrEqual(5000),
          playbackFailed: () => undefined,
        },
        null,
      );
      channel.message(playbackMessage.START, new Reader(bytesOf(...start(1, 8000))));
      for (const [type, body] of messages)
        try {
          channel.message(type, new Reader(body));
        } catch (error) {
          expect(error).toBeInstanceOf(SpiceError);
        }
    }),
  );
});
