import { expect, test } from 'vitest';
import { hashOf, readSpicePictures, type SpicePicture } from '../../../../tests/support/spice-pictures.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { applyLzAlpha, decodeLz } from './lz.ts';
import type { Palette } from './palette.ts';

const pictures = readSpicePictures('lz');

function paletteOf({ colours }: SpicePicture): Palette | null {
  if (colours === undefined) return null;
  const entries = new Int32Array(256).fill(0xff000000 | 0);
  for (const [index, colour] of colours.entries())
    entries[index] = 0xff000000 | ((colour & 0xff) << 16) | (colour & 0xff00) | (colour >> 16);
  return { id: 1n, colours: entries };
}

test('every type of LZ picture becomes the pixels that the server had, from the top or from the bottom', () => {
  const wrong = pictures.filter((each) => hashOf(decodeLz(each.data, paletteOf(each)).pixels) !== each.sha256);
  expect(wrong.map(({ form, picture, topDown }) => `${form} ${picture} ${topDown}`)).toEqual([]);
  expect(new Set(pictures.map(({ form }) => form)).size).toBe(11);
});

test('a picture is the same in memory that another one left', () => {
  const memory = new Uint32Array(200 * 200).fill(0x12345678);
  for (const each of pictures) expect(hashOf(decodeLz(each.data, paletteOf(each), memory).pixels)).toBe(each.sha256);
});

test('an LZ stream that is cut anywhere is refused', () => {
  for (const each of pictures.filter(({ data }) => data.byteLength < 1500))
    for (let length = 0; length < each.data.byteLength; length += 1 + (length >> 4))
      expect(() => decodeLz(each.data.subarray(0, length), paletteOf(each))).toThrow(SpiceError);
});

test('alpha of its own is laid over a picture of its size alone', () => {
  const alpha = pictures.find(({ form, picture, topDown }) => form === 'xxxa' && picture === 'stripes' && topDown === false);
  const same = pictures.find(({ form, picture }) => form === 'rgba' && picture === 'stripes');
  if (!alpha || !same) throw new Error('The fixtures lack stripes.');
  const whole = decodeLz(same.data);
  const opaque = { ...whole, pixels: whole.pixels.map((pixel) => pixel | 0xff000000), opaque: true };
  expect(hashOf(applyLzAlpha(alpha.data, opaque, false).pixels)).toBe(same.sha256);
  expect(() => applyLzAlpha(alpha.data, opaque, true)).toThrow('the alpha is not of the size of its picture');
  expect(() => applyLzAlpha(same.data, opaque, true)).toThrow('has no alpha alone');
});

const header = (type: number, width: number, height: number, stride: number) => {
  const bytes = new DataView(new ArrayBuffer(60));
  for (const [index, word] of [0x20205a4c, 0x00010001, type, width, height, stride, 1].entries()) bytes.setUint32(4 * index, word);
  return new Uint8Array(bytes.buffer);
};

test('what a header promises is checked before memory is taken for it', () => {
  expect(() => decodeLz(header(8, 16_384, 4096, 65_536))).toThrow('pixels do not come out of 60 bytes');
  expect(() => decodeLz(header(8, 0x8000_0000, 1, 4))).toThrow('not possible');
  expect(() => decodeLz(header(12, 4, 4, 16))).toThrow('there is no type 12');
  expect(() => decodeLz(header(5, 40, 4, 30))).toThrow('30 bytes a row are wrong for 40 pixels');
  expect(() => decodeLz(header(5, 4, 4, 4))).toThrow('a palette is missing');
});

test('a reference cannot lead before the first pixel, nor a length beyond the last', () => {
  const withCommands = (...commands: number[]) => {
    const bytes = header(8, 4, 2, 16);
    bytes.set(commands, 28);
    return bytes;
  };
  expect(() => decodeLz(withCommands(0, 1, 2, 3, 0x20, 1))).toThrow('leads out of the picture');
  expect(() => decodeLz(withCommands(0, 1, 2, 3, 0xe0, 255, 255, 3, 0))).toThrow('holds more pixels than it says');
  expect(() => decodeLz(withCommands(8))).toThrow('holds more pixels than it says');
  expect([...decodeLz(withCommands(0, 1, 2, 3, 0xe0, 0, 0)).pixels]).toEqual(Array(8).fill(0xff010203));
});
