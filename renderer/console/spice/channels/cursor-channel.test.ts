import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf } from '../../../../tests/support/scripted-spice.ts';
import type { ConsoleCursor } from '../../console.ts';
import { cursorMessage, cursorType } from '../protocol/constants.ts';
import { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { CursorChannel } from './cursor-channel.ts';

function openCursor() {
  const cursors: ConsoleCursor[] = [];
  const places: number[][] = [];
  const channel = new CursorChannel({ cursor: (cursor) => void cursors.push(cursor), cursorMoved: (x, y) => void places.push([x, y]) });
  return { cursors, places, tell: (type: number, body: Uint8Array) => channel.message(type, new Reader(body)) };
}

type Shape = { type: number; width: number; height: number; data: number[]; flags?: number; id?: bigint };

const header = ({ type, width, height, flags = 0, id = 7n }: Omit<Shape, 'data'>) =>
  bytesOf(['u16', flags], ['u64', id], ['u8', type], ['u16', width], ['u16', height], ['u16', 1], ['u16', 2]);
/** SPICE_MSG_CURSOR_SET at (3, -4). */
const set = (shape: Shape, visible = 1) =>
  bytesOf(['u16', 3], ['u16', 0xfffc], ['u8', visible], header(shape), Uint8Array.from(shape.data));

/** The pixels that a shape comes to, as "rrggbbaa". */
function shown(shape: Shape): string[] {
  const { cursors, tell } = openCursor();
  tell(cursorMessage.SET, set(shape));
  const [cursor] = cursors;
  if (cursor?.kind !== 'shape') throw new Error(`it is ${cursor?.kind}`);
  expect([cursor.widthPx, cursor.heightPx, cursor.hotXPx, cursor.hotYPx]).toEqual([shape.width, shape.height, 1, 2]);
  return Buffer.from(cursor.rgba).toString('hex').match(/.{8}/g) ?? [];
}

test('a cursor with alpha is taken back from its premultiplied colours', () => {
  expect(shown({ type: cursorType.ALPHA, width: 2, height: 1, data: [0x10, 0x20, 0x40, 0x80, 1, 2, 3, 255] })).toEqual([
    '80402080',
    '030201ff',
  ]);
});

test('a black and white cursor covers, shows through, or is black where it would invert', () => {
  expect(shown({ type: cursorType.MONO, width: 4, height: 1, data: [0b0011_0000, 0b0101_0000] })).toEqual([
    '000000ff',
    'ffffffff',
    '00000000',
    '000000ff',
  ]);
});

test('colours of 4 and 8 bits come from the palette, those of 16, 24 and 32 from themselves, each under its mask', () => {
  const palette = (length: number) => Array.from({ length }, (_, index) => [index, 0x20, 0x30, 0]).flat();
  expect(shown({ type: cursorType.COLOR4, width: 3, height: 1, data: [0x1f, 0x20, ...palette(16), 0b0100_0000] })).toEqual([
    '302001ff',
    '00000000',
    '302002ff',
  ]);
  expect(shown({ type: cursorType.COLOR8, width: 2, height: 1, data: [200, 7, ...palette(256), 0] })).toEqual(['3020c8ff', '302007ff']);
  expect(shown({ type: cursorType.COLOR16, width: 2, height: 1, data: [0x00, 0x7c, 0xff, 0x7f, 0b0100_0000] })).toEqual([
    'ff0000ff',
    '000000ff',
  ]);
  expect(shown({ type: cursorType.COLOR24, width: 2, height: 1, data: [1, 2, 3, 4, 5, 6, 0b1000_0000] })).toEqual(['00000000', '060504ff']);
  expect(shown({ type: cursorType.COLOR32, width: 2, height: 1, data: [1, 2, 3, 0, 4, 5, 6, 0, 0] })).toEqual(['030201ff', '060504ff']);
});

test('a cursor is where the guest says, hidden when it says, and the host’s own when it says nothing', () => {
  const { cursors, places, tell } = openCursor();
  const white = { type: cursorType.MONO, width: 8, height: 1, data: [0, 0xff] };
  tell(cursorMessage.INIT, bytesOf(['u16', 1], ['u16', 2], ['u16', 0], ['u16', 0], ['u8', 1], ['u16', 1]));
  tell(cursorMessage.SET, set(white, 0));
  tell(cursorMessage.MOVE, bytesOf(['u16', 0xffff], ['u16', 9]));
  tell(cursorMessage.HIDE, new Uint8Array(0));
  tell(cursorMessage.SET, set({ type: cursorType.MONO, width: 8, height: 1, data: [0xff, 0] }));
  tell(cursorMessage.RESET, new Uint8Array(0));
  expect(cursors.map(({ kind }) => kind)).toEqual(['default', 'hidden', 'hidden', 'hidden', 'default']);
  expect(places).toEqual([
    [1, 2],
    [3, -4],
    [-1, 9],
    [3, -4],
  ]);
});

test('a shape that is kept comes back by its number until it is to be forgotten', () => {
  const { cursors, tell } = openCursor();
  const kept = { type: cursorType.MONO, width: 8, height: 1, data: [0, 0xff], flags: 2, id: 0xfedcba9876543210n };
  tell(cursorMessage.SET, set(kept));
  tell(cursorMessage.SET, set({ ...kept, flags: 4, data: [] }));
  expect(cursors[1]).toEqual(cursors[0]);
  tell(cursorMessage.INVAL_ONE, bytesOf(['u64', kept.id]));
  tell(cursorMessage.SET, set({ ...kept, flags: 4, data: [] }));
  expect(cursors[2]).toEqual({ kind: 'default' });
});

test('sizes, kinds and counts that cannot be are refused', () => {
  const { tell } = openCursor();
  expect(() => tell(cursorMessage.SET, set({ type: cursorType.ALPHA, width: 65535, height: 65535, data: [] }))).toThrow(
    'a cursor of 65535 × 65535 pixels is not possible',
  );
  expect(() => tell(cursorMessage.SET, set({ type: 9, width: 1, height: 1, data: [0] }))).toThrow('a cursor of type 9 does not exist');
  expect(() => tell(cursorMessage.SET, set({ type: cursorType.ALPHA, width: 64, height: 64, data: [1] }))).toThrow('cut short');
  expect(() => {
    for (let id = 0n; id < 1000n; id++)
      tell(cursorMessage.SET, set({ type: cursorType.MONO, width: 8, height: 1, data: [0, 0xff], flags: 2, id }));
  }).toThrow('more than 512 cursors are to be kept');
});

test('whatever a cursor message holds, it is drawn or refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(cursorMessage)), fc.uint8Array({ maxLength: 200 }), (type, body) => {
      try {
        openCursor().tell(type, body);
      } catch (error) {
        expect(error).toBeInstanceOf(SpiceError);
      }
    }),
    { numRuns: 2000 },
  );
});
