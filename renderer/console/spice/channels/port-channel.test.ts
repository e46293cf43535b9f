import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf } from '../../../../tests/support/scripted-spice.ts';
import { portEvent, portMessage, portRequest } from '../protocol/constants.ts';
import { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import type { Channel } from './channel.ts';
import { PortChannel } from './port-channel.ts';

function port() {
  const told: string[] = [];
  const sent: Uint8Array[] = [];
  const channel = new PortChannel({
    portOpened: () => told.push('opened'),
    portData: (bytes) => void told.push(Buffer.from(bytes).toString('latin1')),
    portClosed: () => told.push('closed'),
  });
  channel.opened({ send: (message: Uint8Array) => sent.push(message) } as unknown as Channel);
  const say = (type: number, body: Uint8Array) => channel.message(type, new Reader(body));
  return { channel, told, sent, say };
}

/** SpiceMsgPortInit, as the server writes it: the name comes after all else. */
const init = (open: boolean, name = 'org.spice-space.webdav.0') =>
  bytesOf(['u32', name.length + 1], ['u32', 9], ['u8', open ? 1 : 0], new TextEncoder().encode(`${name}\0`));

test('a port is named, opened, spoken through and closed', () => {
  const { channel, told, sent, say } = port();
  say(portMessage.INIT, init(false));
  channel.send(new Uint8Array([1]));
  expect(sent).toEqual([]);
  say(portMessage.DATA, new TextEncoder().encode('early'));
  say(portMessage.EVENT, bytesOf(['u8', portEvent.OPENED]));
  say(portMessage.EVENT, bytesOf(['u8', portEvent.OPENED]));
  say(portMessage.EVENT, bytesOf(['u8', portEvent.BREAK]));
  say(portMessage.DATA, new TextEncoder().encode('hello'));
  channel.send(new Uint8Array(70_000));
  expect(sent.map((message) => [new DataView(message.buffer).getUint16(0, true), message.byteLength])).toEqual([
    [portRequest.DATA, 6 + 65_536],
    [portRequest.DATA, 6 + 70_000 - 65_536],
  ]);
  say(portMessage.EVENT, bytesOf(['u8', portEvent.CLOSED]));
  channel.send(new Uint8Array([1]));
  expect(sent).toHaveLength(2);
  expect(told).toEqual(['opened', 'hello', 'closed']);
});

test('a port that is open already is told so at once', () => {
  const { told, say } = port();
  say(portMessage.INIT, init(true));
  expect(told).toEqual(['opened']);
});

test('what a server may not say ends the channel with a reason', () => {
  const data = new Uint8Array(3);
  expect(() => port().say(portMessage.DATA, data)).toThrow(/before the port was named/);
  expect(() => port().say(portMessage.EVENT, bytesOf(['u8', 0]))).toThrow(/before it was named/);
  expect(() => port().say(portMessage.INIT, bytesOf(['u32', 0xffffffff], ['u32', 9], ['u8', 0]))).toThrow(SpiceError);
  expect(() => port().say(portMessage.INIT, init(false, 'x'.repeat(300)))).toThrow(/301 bytes/);
  expect(() => port().say(portMessage.INIT, bytesOf(['u32', 1], ['u32', 900], ['u8', 0]))).toThrow(SpiceError);
  const twice = port();
  twice.say(portMessage.INIT, init(true));
  expect(() => twice.say(portMessage.INIT, init(true))).toThrow(/twice/);
  expect(() => twice.say(portMessage.COMPRESSED_DATA, data)).toThrow(/packed/);
});

test('whatever is said, a port throws nothing but a SpiceError', () => {
  const message = fc.tuple(
    fc.constantFrom(...Object.values(portMessage), 300),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.boolean().map((open) => init(open)),
    ),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
      const { say } = port();
      try {
        for (const [type, body] of messages) say(type, body);
      } catch (thrown) {
        if (!(thrown instanceof SpiceError)) throw thrown;
      }
    }),
  );
});
