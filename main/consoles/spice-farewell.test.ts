import { expect, test } from 'vitest';
import { SpiceFarewell } from './spice-farewell.ts';

const linkBytes = 26;
const replyBytes = 186;

/** A link header and message as a client sends them. */
function linkMessage(channel: number): Uint8Array {
  const bytes = Buffer.alloc(16 + linkBytes);
  bytes.write('REDQ');
  bytes.writeUInt32LE(linkBytes, 12);
  bytes[16 + 4] = channel;
  return bytes;
}

function linkReply(): Uint8Array {
  const bytes = Buffer.alloc(16 + replyBytes);
  bytes.write('REDQ');
  bytes.writeUInt32LE(replyBytes, 12);
  return bytes;
}

/** A display channel that has shown who it is. */
function identified(channel = 2): SpiceFarewell {
  const farewell = new SpiceFarewell();
  farewell.sent(linkMessage(channel));
  farewell.received(linkReply());
  farewell.sent(new Uint8Array(132));
  return farewell;
}

test('a channel that has not shown who it is may be closed', () => {
  const farewell = new SpiceFarewell();
  expect(farewell.owed).toBeNull();
  farewell.sent(linkMessage(2));
  farewell.received(linkReply());
  expect(farewell.owed).toBeNull();
});

test('a display channel that the server waits for owes it the first message', () => {
  const farewell = identified();
  expect(farewell.owed).toHaveLength(20);
  farewell.received(new Uint8Array(4 + 14));
  expect(farewell.owed).toHaveLength(20);
});

test('a display channel that has sent its first message owes only the waiting for the answer', () => {
  const farewell = identified();
  farewell.sent(new Uint8Array(20));
  expect(farewell.owed).toHaveLength(0);
  farewell.received(new Uint8Array(4 + 14));
  expect(farewell.owed).toHaveLength(0);
  farewell.received(new Uint8Array(6));
  expect(farewell.answered).toBe(true);
  expect(farewell.owed).toBeNull();
});

test('every other channel may be closed at any time', () => {
  for (const channel of [1, 3, 4]) expect(identified(channel).owed).toBeNull();
});

test('it makes no difference how the bytes are cut', () => {
  const farewell = new SpiceFarewell();
  for (const byte of linkMessage(2)) farewell.sent(Uint8Array.of(byte));
  for (const byte of linkReply()) farewell.received(Uint8Array.of(byte));
  for (let count = 0; count < 132; count++) farewell.sent(new Uint8Array(1));
  expect(farewell.owed).toHaveLength(20);
});

test('a display that waits at a server for its guest to arrive is left at once, since QEMU aborts when it is told too early', () => {
  const farewell = new SpiceFarewell(true);
  farewell.sent(linkMessage(2));
  farewell.received(linkReply());
  farewell.sent(new Uint8Array(132));
  expect(farewell.owed).toBeNull();
  // The guest has arrived, and the server is told what it waits for.
  farewell.sent(new Uint8Array(20));
  expect(farewell.owed).toEqual(new Uint8Array(0));
});
