import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelType, Framing, ProtocolError } from './framing.ts';

const linkReplyBytes = 186;

function linkHeader({ magic = 'REDQ', major = 2, size = linkReplyBytes } = {}): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set(new TextEncoder().encode(magic));
  const view = new DataView(bytes.buffer);
  view.setUint32(4, major, true);
  view.setUint32(12, size, true);
  return bytes;
}

function message(type: number, body: Uint8Array, claimed = body.byteLength): Uint8Array {
  const bytes = new Uint8Array(6 + body.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, type, true);
  view.setUint32(2, claimed, true);
  bytes.set(body, 6);
  return bytes;
}

function concat(parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

function frame(channel: number = channelType.display) {
  const pieces: number[] = [];
  const framing = new Framing(
    () => channel,
    (piece) => pieces.push(piece.byteLength),
  );
  return { framing, pieces };
}

const opening = concat([linkHeader(), new Uint8Array(linkReplyBytes), new Uint8Array(4)]);

test('the pieces are the same however the bytes are cut on the way', () => {
  const bodies = fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.uint8Array({ maxLength: 300 })), { maxLength: 12 });
  fc.assert(
    fc.property(bodies, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 20 }), (messages, cuts) => {
      const stream = concat([opening, ...messages.map(([type, body]) => message(type, body))]);
      const { framing, pieces } = frame();
      for (let at = 0, turn = 0; at < stream.byteLength; turn++) {
        const length = cuts[turn % cuts.length] ?? 1;
        framing.feed(stream.subarray(at, at + length));
        at += length;
      }
      const expected = [16, linkReplyBytes, 4];
      for (const [, body] of messages) expected.push(...(body.byteLength > 0 ? [6, body.byteLength] : [6]));
      expect(pieces).toEqual(expected);
    }),
  );
});

test('a server that does not speak SPICE is refused at its first bytes', () => {
  expect(() => frame().framing.feed(linkHeader({ magic: 'RFB ' }))).toThrow('does not speak SPICE');
  expect(() => frame().framing.feed(linkHeader({ major: 3 }))).toThrow('SPICE 3');
  expect(() => frame().framing.feed(linkHeader({ size: 0xffffffff }))).toThrow(ProtocolError);
  expect(() => frame().framing.feed(linkHeader({ size: 0 }))).toThrow(ProtocolError);
});

test('a message that claims an impossible size is refused before its body comes', () => {
  for (const channel of Object.values(channelType)) {
    const { framing } = frame(channel);
    framing.feed(opening);
    expect(() => framing.feed(message(101, new Uint8Array(0), 0xffffffff))).toThrow(ProtocolError);
  }
});

test('a message type that does not exist is refused', () => {
  for (const type of [0, 501, 0xffff]) {
    const { framing } = frame();
    framing.feed(opening);
    expect(() => framing.feed(message(type, new Uint8Array(0)))).toThrow(ProtocolError);
  }
});

test('no bytes whatever make it fail in any other way than by refusing them', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }), fc.boolean(), (chunks, opened) => {
      const { framing } = frame();
      try {
        if (opened) framing.feed(opening);
        for (const chunk of chunks) framing.feed(chunk);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
  );
});
