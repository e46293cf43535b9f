import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError } from './framing.ts';
import type { CursorCache } from './wire.ts';
import {
  AgentMessages,
  buildButton,
  buildKey,
  buildLocks,
  buildMotion,
  buildPosition,
  filterChannelList,
  maskOf,
  parseCursor,
} from './wire.ts';

const hex = (buffer: ArrayBuffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

test('keys are sent as the bytes of their scan code, the first byte lowest', () => {
  expect(buildKey([0x1e], true).map(hex)).toEqual(['65 00 04 00 00 00 1e 00 00 00']);
  expect(buildKey([0x1e], false).map(hex)).toEqual(['66 00 04 00 00 00 9e 00 00 00']);
  expect(buildKey([0xe0, 0x1d], true).map(hex)).toEqual(['65 00 04 00 00 00 e0 1d 00 00']);
  expect(buildKey([0xe0, 0x1d], false).map(hex)).toEqual(['66 00 04 00 00 00 e0 9d 00 00']);
});

test('Pause is sent as two messages of three bytes', () => {
  expect(buildKey([0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5], true).map(hex)).toEqual([
    '65 00 04 00 00 00 e1 1d 45 00',
    '65 00 04 00 00 00 e1 9d c5 00',
  ]);
});

test('pointer messages carry position, movement, buttons and what is held', () => {
  expect(hex(buildPosition(1000, 2, 1))).toBe('70 00 0b 00 00 00 e8 03 00 00 02 00 00 00 01 00 00');
  expect(hex(buildMotion(-1, 2, 0))).toBe('6f 00 0a 00 00 00 ff ff ff ff 02 00 00 00 00 00');
  expect(hex(buildButton('right', true, maskOf('right')))).toBe('71 00 03 00 00 00 03 04 00');
  expect(hex(buildButton('right', false, 0))).toBe('72 00 03 00 00 00 03 00 00');
  expect(hex(buildLocks({ kind: 'locks', scroll: false, num: true, caps: true }))).toBe('67 00 02 00 00 00 06 00');
});

test('only wanted channels stay in the list', () => {
  const list = new Uint8Array([4, 0, 0, 0, 2, 0, 2, 1, 3, 0, 9, 0]).buffer;
  expect(hex(filterChannelList(list, (type, id) => type <= 4 && id === 0))).toBe('02 00 00 00 02 00 03 00');
});

test('a list that claims more channels than it has is refused', () => {
  expect(() => filterChannelList(new Uint8Array([255, 255, 255, 255, 2, 0]).buffer, () => true)).toThrow(ProtocolError);
  expect(() => filterChannelList(new Uint8Array([3, 0, 0, 0, 2, 0]).buffer, () => true)).toThrow(ProtocolError);
});

function cursorBody(flags: number, type: number, width: number, height: number, data: number[], id = 7): ArrayBuffer {
  const bytes = new Uint8Array(19 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, flags, true);
  view.setBigUint64(2, BigInt(id), true);
  view.setUint8(10, type);
  view.setUint16(11, width, true);
  view.setUint16(13, height, true);
  view.setUint16(15, 1, true);
  view.setUint16(17, 2, true);
  bytes.set(data, 19);
  return bytes.buffer;
}

test('a cursor with alpha is turned from premultiplied BGRA into RGBA', () => {
  const cursor = parseCursor(cursorBody(0, 0, 2, 1, [0, 0, 128, 128, 10, 20, 30, 255]), 0, new Map());
  expect(cursor).toEqual({
    kind: 'shape',
    widthPx: 2,
    heightPx: 1,
    hotXPx: 1,
    hotYPx: 2,
    rgba: new Uint8ClampedArray([255, 0, 0, 128, 30, 20, 10, 255]),
  });
});

test('a cursor is found again in the cache, and an unknown one is the default', () => {
  const cache: CursorCache = new Map();
  const first = parseCursor(cursorBody(2, 0, 1, 1, [1, 2, 3, 255]), 0, cache);
  expect(parseCursor(cursorBody(4, 0, 1, 1, []), 0, cache)).toBe(first);
  expect(parseCursor(cursorBody(4, 0, 1, 1, [], 8), 0, cache)).toEqual({ kind: 'default' });
});

test('a wholly transparent cursor is a hidden one', () => {
  expect(parseCursor(cursorBody(0, 0, 1, 1, [0, 0, 0, 0]), 0, new Map())).toEqual({ kind: 'hidden' });
});

test('a cursor of two colours is read from its two masks', () => {
  const cursor = parseCursor(cursorBody(0, 1, 3, 1, [0b00100000, 0b01000000]), 0, new Map());
  expect(cursor?.kind === 'shape' && [...cursor.rgba]).toEqual([0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 0]);
});

test('no bytes whatever make the cursor parser fail in any other way than by refusing them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseCursor(bytes.slice().buffer, 0, new Map());
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
  );
});

test('the capabilities of the agent are found however its messages are cut', () => {
  const message = new Uint8Array(32);
  const view = new DataView(message.buffer);
  view.setUint32(0, 1, true);
  view.setUint32(4, 6, true);
  view.setUint32(16, 12, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, 0b10, true);
  const clipboard = new Uint8Array(30);
  new DataView(clipboard.buffer).setUint32(4, 4, true);
  new DataView(clipboard.buffer).setUint32(16, 10, true);
  const stream = new Uint8Array([...clipboard, ...message]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 61 }), (length) => {
      const heard: [boolean, number][] = [];
      const agent = new AgentMessages((...announced) => heard.push(announced));
      for (let at = 0; at < stream.length; at += length) agent.feed(stream.slice(at, at + length).buffer);
      expect(heard).toEqual([[true, 2]]);
    }),
  );
});
