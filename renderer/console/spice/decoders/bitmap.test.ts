import { expect, test } from 'vitest';
import { bitmapFormat, decodeBitmap } from './bitmap.ts';
import { PaletteCache } from './palette.ts';

const colours = new Int32Array(256).map((_, index) => 0xff000000 | index);
const palette = { id: 7n, colours };
const indices = (picture: { pixels: Uint32Array }) => [...picture.pixels].map((pixel) => pixel & 0xffffff);

test('one and four bits a pixel are read from either end of their bytes, with rows of any padding', () => {
  const data = Uint8Array.of(0b1010_0001, 0b1000_0000, 9, 9, 0b0111_0000, 0, 9, 9);
  const one = { width: 9, height: 2, stride: 4, palette, data };
  expect(indices(decodeBitmap({ ...one, format: bitmapFormat.indexed1Be, topDown: true }))).toEqual([
    1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0,
  ]);
  expect(indices(decodeBitmap({ ...one, format: bitmapFormat.indexed1Le, topDown: false }))).toEqual([
    0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0,
  ]);
  const four = { width: 3, height: 2, stride: 2, topDown: true, palette, data: Uint8Array.of(0x12, 0x3f, 0x45, 0x6f) };
  expect(indices(decodeBitmap({ ...four, format: bitmapFormat.indexed4Be }))).toEqual([1, 2, 3, 4, 5, 6]);
  expect(indices(decodeBitmap({ ...four, format: bitmapFormat.indexed4Le }))).toEqual([2, 1, 15, 5, 4, 15]);
  expect(indices(decodeBitmap({ ...four, width: 2, format: bitmapFormat.indexed8 }))).toEqual([0x12, 0x3f, 0x45, 0x6f]);
});

test('the other formats become R, G, B and A, at any address', () => {
  const of = (format: number, width: number, stride: number, ...bytes: number[]) => {
    const results = [0, 1].map((shift) => {
      const memory = new Uint8Array(bytes.length + shift);
      memory.set(bytes, shift);
      const picture = decodeBitmap({
        format,
        width,
        height: bytes.length / stride,
        stride,
        topDown: true,
        palette: null,
        data: memory.subarray(shift),
      });
      return { hex: [...picture.pixels].map((pixel) => pixel.toString(16)), opaque: picture.opaque };
    });
    expect(results[1]).toEqual(results[0]);
    return results[0];
  };
  expect(of(bitmapFormat.rgb32, 1, 4, 1, 2, 3, 4, 5, 6, 7, 8)).toEqual({ hex: ['ff010203', 'ff050607'], opaque: true });
  expect(of(bitmapFormat.rgba, 1, 8, 1, 2, 3, 4, 9, 9, 9, 9)).toEqual({ hex: ['4010203'], opaque: false });
  expect(of(bitmapFormat.rgb24, 1, 4, 1, 2, 3, 9)).toEqual({ hex: ['ff010203'], opaque: true });
  // 0 10000 00001 11111
  expect(of(bitmapFormat.rgb16, 1, 2, 0x3f, 0x40)).toEqual({ hex: ['ffff0884'], opaque: true });
  expect(of(bitmapFormat.alpha8, 2, 2, 0x80, 0xff)).toEqual({ hex: ['80000000', 'ff000000'], opaque: false });
});

test('a bitmap that is not what it says is refused', () => {
  const good = { format: bitmapFormat.rgb32, width: 2, height: 2, stride: 8, topDown: true, palette: null, data: new Uint8Array(16) };
  expect(() => decodeBitmap({ ...good, data: new Uint8Array(15) })).toThrow('15 bytes are too few');
  expect(() => decodeBitmap({ ...good, stride: 7 })).toThrow('7 bytes a row are too few for 2 pixels');
  expect(() => decodeBitmap({ ...good, stride: 1e6 })).toThrow('too many');
  expect(() => decodeBitmap({ ...good, format: 11 })).toThrow('there is no bitmap format 11');
  expect(() => decodeBitmap({ ...good, width: 20_000 })).toThrow('not possible');
  expect(() => decodeBitmap({ ...good, format: bitmapFormat.indexed8 })).toThrow('a bitmap has no palette');
});

test('palettes are kept until they are thrown away, and not without end', () => {
  const cache = new PaletteCache();
  cache.put(palette);
  expect(cache.get(7n)).toBe(palette);
  cache.remove(7n);
  expect(() => cache.get(7n)).toThrow('palette 7 is used but was never sent');
  for (let id = 0n; id < 1024n; id++) cache.put({ ...palette, id });
  expect(() => cache.put({ ...palette, id: 1024n })).toThrow('more than 1024 palettes');
  cache.put({ ...palette, id: 5n });
  cache.clear();
  expect(() => cache.get(5n)).toThrow('never sent');
});
