import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spiceMessage } from '../../../../tests/support/hostile-spice.ts';
import { accepted, bytesOf, linkReply, messagesIn, passwordOf } from '../../../../tests/support/scripted-spice.ts';
import { baseMessage, baseRequest } from '../protocol/constants.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { Channel, type ChannelOptions } from './channel.ts';

const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** A display channel that writes down what it is told. `slow`: its messages of that type take their time. */
function openChannel(options: Partial<ChannelOptions> = {}, slow = -1) {
  const sent: Uint8Array[] = [];
  const told: string[] = [];
  const notices: string[] = [];
  const held: (() => void)[] = [];
  const channel = new Channel({
    handler: {
      kind: 'display',
      capabilities: 5,
      opened: () => void told.push('opened'),
      moved: () => undefined,
      message: (type, body) => {
        told.push(`${type}: ${Buffer.from(body.rest()).toString('hex')}`);
        return type === slow ? new Promise((resolve) => held.push(resolve)) : undefined;
      },
    },
    channelId: 3,
    sessionId: 0x01020304,
    password: 'sesame',
    send: (bytes) => void sent.push(bytes),
    waitFor: () => undefined,
    notice: (text) => void notices.push(text),
    handedOn: () => undefined,
    ...options,
  });
  channel.start();
  return { channel, sent, told, notices, release: () => held.shift()?.() };
}

async function openedChannel(options: Partial<ChannelOptions> = {}, slow = -1) {
  const opened = openChannel(options, slow);
  await opened.channel.receive(linkReply());
  await opened.channel.receive(accepted);
  opened.sent.length = 0;
  return opened;
}

test('a channel says who it is, proves that it knows the password, and is open when the server agrees', async () => {
  const { channel, sent, told } = openChannel();
  const link = Buffer.from(sent[0] as Uint8Array);
  expect(link.subarray(0, 4).toString()).toBe('REDQ');
  expect(link.readUInt32LE(16)).toBe(0x01020304);
  expect([link[20], link[21]]).toEqual([2, 3]);
  expect(link.readUInt32LE(38)).toBe(5);
  await channel.receive(linkReply());
  expect(sent).toHaveLength(2);
  expect((sent[1] as Uint8Array).byteLength).toBe(132);
  expect(passwordOf(sent[1] as Uint8Array)).toBe('sesame');
  expect(channel.ready).toBe(false);
  await channel.receive(accepted);
  expect(channel.ready).toBe(true);
  expect(told).toEqual(['opened']);
});

test('a server that refuses, is too old or does not accept the password is told of in words', async () => {
  await expect(async () => openChannel().channel.receive(linkReply(7))).rejects.toThrow(
    'display: the server refused the channel: PERMISSION_DENIED',
  );
  await expect(async () => openChannel().channel.receive(linkReply(0, 0b0011))).rejects.toThrow('too old: it does not know MINI_HEADER');
  await expect(async () => openChannel().channel.receive(Buffer.alloc(16, 'HTTP'))).rejects.toThrow('does not speak SPICE');
  const wrong = openChannel();
  await wrong.channel.receive(linkReply());
  expect(() => wrong.channel.receive(bytesOf(['u32', 7]))).toThrow('did not accept the password: PERMISSION_DENIED');
  expect(wrong.channel.receive(accepted)).toBeUndefined();
  expect(wrong.told).toEqual([]);
});

const conversation = join(
  linkReply(),
  accepted,
  spiceMessage(baseMessage.SET_ACK, bytesOf(['u32', 9], ['u32', 2])),
  spiceMessage(101, new Uint8Array(0)),
  spiceMessage(304, Buffer.from('something to draw')),
  spiceMessage(baseMessage.PING, bytesOf(['u32', 1], ['u64', 2n], new Uint8Array(40))),
  spiceMessage(305, new Uint8Array(3000).fill(7)),
  spiceMessage(306, Uint8Array.of(1)),
);

test('how the bytes are cut makes no difference, also when the handling of a message takes its time', async () => {
  const talk = async (pieces: readonly Uint8Array[], slow: number) => {
    const { channel, sent, told, release } = openChannel({}, slow);
    const all: (Promise<void> | undefined)[] = [];
    for (const piece of pieces) all.push(channel.receive(piece));
    const settled = Promise.all(all);
    let done = false;
    void settled.then(() => {
      done = true;
    });
    while (!done) {
      release();
      await new Promise((resolve) => setImmediate(resolve));
    }
    // The ticket is another each time: it is encrypted with chance.
    return { told, sent: sent.filter((_, index) => index !== 1).map((bytes) => Buffer.from(bytes).toString('hex')) };
  };
  const whole = await talk([conversation], -1);
  expect(whole.told).toHaveLength(5);
  expect(messagesIn(whole.sent.slice(1).map((hex) => Buffer.from(hex, 'hex'))).map(([type]) => type)).toEqual([
    baseRequest.ACK_SYNC,
    baseRequest.ACK,
    baseRequest.PONG,
    baseRequest.ACK,
  ]);
  expect(
    await talk(
      Array.from(conversation, (byte) => Uint8Array.of(byte)),
      -1,
    ),
  ).toEqual(whole);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(conversation.byteLength), { maxLength: 12 }), fc.constantFrom(-1, 304, 305), async (cuts, slow) => {
      const edges = [0, ...cuts.sort((one, other) => one - other), conversation.byteLength];
      const pieces = edges.slice(1).map((edge, index) => conversation.slice(edges[index], edge));
      expect(await talk(pieces, slow)).toEqual(whole);
    }),
    { numRuns: 60 },
  );
});

test('a ping is answered with its number and time', async () => {
  const { channel, sent } = await openedChannel();
  channel.receive(spiceMessage(baseMessage.PING, bytesOf(['u32', 5], ['u64', 0x1122334455667788n])));
  expect(messagesIn(sent)).toEqual([[baseRequest.PONG, Buffer.from('0500000088776655443322 11'.replaceAll(' ', ''), 'hex')]]);
});

test('so many messages as the server said are acknowledged together', async () => {
  const { channel, sent } = await openedChannel();
  channel.receive(spiceMessage(baseMessage.SET_ACK, bytesOf(['u32', 77], ['u32', 20])));
  for (let index = 0; index < 100; index++) channel.receive(spiceMessage(304, new Uint8Array(1)));
  const types = messagesIn(sent).map(([type]) => type);
  expect(types[0]).toBe(baseRequest.ACK_SYNC);
  expect(types.filter((type) => type === baseRequest.ACK)).toHaveLength(5);
});

test('a message that is too long is refused by its header, and named', async () => {
  const { channel, told } = await openedChannel();
  expect(() => channel.receive(spiceMessage(304, new Uint8Array(0), 0xffffffff))).toThrow(
    'display: DRAW_COPY: 4294967295 bytes are more than the 167772160 that are accepted',
  );
  expect(channel.receive(spiceMessage(304, new Uint8Array(1)))).toBeUndefined();
  expect(told).toEqual(['opened']);
  const other = await openedChannel();
  expect(() => other.channel.receive(spiceMessage(0, new Uint8Array(1)))).toThrow('a message of type 0 does not exist');
});

test('a message that claims more than comes takes memory for what came, and not for what it claims', async () => {
  const before = process.memoryUsage().arrayBuffers;
  const channels: unknown[] = [];
  for (let index = 0; index < 20; index++) {
    const { channel } = await openedChannel();
    channel.receive(spiceMessage(304, new Uint8Array(1000), 100 * 1024 * 1024));
    channels.push(channel);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 512 * 1024);
  expect(channels).toHaveLength(20);
});

test('it says whether it is inside of a message', async () => {
  const { channel } = await openedChannel();
  expect(channel.isInside).toBe(false);
  const message = spiceMessage(304, new Uint8Array(100));
  for (const [from, to] of [
    [0, 3],
    [3, 6],
    [6, 105],
  ]) {
    channel.receive(message.subarray(from, to));
    expect(channel.isInside).toBe(true);
  }
  channel.receive(message.subarray(105));
  expect(channel.isInside).toBe(false);
});

test('memory for a long message is used again while such come, and let go of when none do', async () => {
  const { channel } = await openedChannel();
  const long = spiceMessage(304, new Uint8Array(8 * 1024 * 1024));
  const send = () => {
    for (let at = 0; at < long.byteLength; at += 500_000) channel.receive(long.subarray(at, at + 500_000));
  };
  send();
  channel.trim();
  send();
  channel.trim();
  expect(channel.bufferBytes).toBe(long.byteLength);
  channel.trim();
  expect(channel.bufferBytes).toBeLessThan(1024);
  send();
  expect(channel.bufferBytes).toBe(long.byteLength);
});

test('whatever goes wrong in a message ends the channel with its name', async () => {
  const { channel, sent } = await openedChannel({
    handler: {
      kind: 'display',
      capabilities: 0,
      opened: () => undefined,
      moved: () => undefined,
      message: (_type, body) => {
        body.u64();
        return undefined;
      },
    },
  });
  expect(() => channel.receive(spiceMessage(302, new Uint8Array(3)))).toThrow(SpiceError);
  expect(channel.send(new Uint8Array(1))).toBe(false);
  expect(sent).toHaveLength(0);
});

test('a channel waits for others as far as the server says, and not for itself or for none', async () => {
  const asked: unknown[] = [];
  let release = () => {};
  const { channel, told } = await openedChannel({
    waitFor: (kind, id, serial) => {
      asked.push([kind, id, serial]);
      return kind === 2 && id === 1 ? new Promise((resolve) => (release = resolve)) : undefined;
    },
  });
  const waits = bytesOf(
    ['u8', 3],
    ['u8', 2],
    ['u8', 1],
    ['u64', 50n],
    ['u8', 2],
    ['u8', 3],
    ['u64', 99n],
    ['u8', 5],
    ['u8', 0],
    ['u64', 1n],
  );
  const waiting = channel.receive(join(spiceMessage(baseMessage.WAIT_FOR_CHANNELS, waits), spiceMessage(304, new Uint8Array(1))));
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(['opened']);
  expect(asked).toEqual([
    [2, 1, 50n],
    [5, 0, 1n],
  ]);
  release();
  await waiting;
  expect(told).toEqual(['opened', '304: 00']);
});

test('how far a channel has come is told to those that wait for it', async () => {
  const { channel } = await openedChannel();
  expect(channel.handled(0n)).toBeUndefined();
  let come = false;
  void channel.handled(2n)?.then(() => {
    come = true;
  });
  channel.receive(spiceMessage(304, new Uint8Array(1)));
  await Promise.resolve();
  expect(come).toBe(false);
  channel.receive(spiceMessage(304, new Uint8Array(1)));
  await Promise.resolve();
  expect(come).toBe(true);
  expect(channel.handled(2n)).toBeUndefined();
});

test('an error that the server tells of is told without what lies behind its end, a warning is not', async () => {
  const { channel, notices } = await openedChannel();
  const say = (severity: number, words: string) => {
    const text = Buffer.from(words);
    const head = bytesOf(['u64', 0n], ['u32', severity], ['u32', 2], ['u32', 0], ['u32', text.byteLength], text);
    channel.receive(spiceMessage(baseMessage.NOTIFY, head));
  };
  say(1, 'keyboard channel is insecure');
  say(2, 'No room for another client.\0rest');
  expect(notices).toEqual(['No room for another client.']);
  expect(() =>
    channel.receive(spiceMessage(baseMessage.NOTIFY, bytesOf(['u64', 0n], ['u32', 1], ['u32', 2], ['u32', 0], ['u32', 1e9]))),
  ).toThrow('display: NOTIFY: 1000000000 characters do not fit into 0 bytes');
});
