import { expect, test } from 'vitest';
import { hashOf, readSpicePictures } from '../../../../tests/support/spice-pictures.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { Lz4Decoder } from './lz4.ts';

const pictures = readSpicePictures('lz4');

test('LZ4 pictures of all formats become the pixels that the server had, from the top or from the bottom', () => {
  const decoder = new Lz4Decoder();
  const wrong = pictures.filter(({ data, width, height, sha256 }) => hashOf(decoder.decode(data, width, height).pixels) !== sha256);
  expect(wrong.map(({ form, picture }) => `${form} ${picture}`)).toEqual([]);
  expect(new Set(pictures.map(({ form }) => form))).toEqual(new Set(['rgb16', 'rgb24', 'rgb32', 'rgba']));
  expect(new Set(pictures.map(({ topDown }) => topDown)).size).toBe(2);
});

test('an LZ4 stream that is cut anywhere, or is of another size than announced, is refused', () => {
  const decoder = new Lz4Decoder();
  for (const { data, width, height } of pictures.filter(({ data }) => data.byteLength < 1500)) {
    for (let length = 0; length < data.byteLength; length += 1 + (length >> 4))
      expect(() => decoder.decode(data.subarray(0, length), width, height)).toThrow(SpiceError);
    expect(() => decoder.decode(data, width, height + 1)).toThrow('came out where');
    if (height > 1) expect(() => decoder.decode(data, width, height - 1)).toThrow('holds more than its picture has');
  }
});

test('blocks that lie are refused', () => {
  const decoder = new Lz4Decoder();
  const block = (...bytes: number[]) => Uint8Array.of(1, 8, 0, 0, 0, bytes.length, ...bytes);
  expect(() => decoder.decode(block(0x10, 1, 0, 0), 1, 1)).toThrow('leads out of the picture');
  expect(() => decoder.decode(block(0x10, 1, 9, 0), 1, 1)).toThrow('leads out of the picture');
  expect(() => decoder.decode(block(0x1f, 1, 1, 0, 255, 255, 255, 0), 2, 1)).toThrow('holds more than its picture has');
  expect(() => decoder.decode(Uint8Array.of(1, 8, 255, 255, 255, 255, 0), 1, 1)).toThrow('a block is cut short');
  expect(() => decoder.decode(Uint8Array.of(1, 5, 0, 0, 0, 1, 0), 1, 1)).toThrow('pixels of format 5 are not possible');
  expect(() => decoder.decode(block(0), 16_384, 4096)).toThrow('do not come out of');
});
