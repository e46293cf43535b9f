import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Shrinker } from './shrink.ts';
import type { Rect } from './surface.ts';

const whole = (width: number, height: number): Rect => ({ left: 0, top: 0, right: width, bottom: height });

function shrunk(pixels: Uint32Array, width: number, height: number, toWidth: number, toHeight: number): Uint32Array {
  const into = new Uint32Array(toWidth * toHeight);
  new Shrinker(width, height, toWidth, toHeight).shrink(pixels, 0, width, whole(width, height), into);
  return into;
}

/** The mean by area of one colour, in numbers with fractions. */
function mean(
  pixels: Uint32Array,
  width: number,
  height: number,
  toWidth: number,
  toHeight: number,
  x: number,
  y: number,
  shift: number,
): number {
  const [left, right] = [(x * width) / toWidth, ((x + 1) * width) / toWidth];
  const [top, bottom] = [(y * height) / toHeight, ((y + 1) * height) / toHeight];
  let [sum, area] = [0, 0];
  for (let row = Math.floor(top); row < Math.min(height, Math.ceil(bottom)); row++)
    for (let column = Math.floor(left); column < Math.min(width, Math.ceil(right)); column++) {
      const covered = (Math.min(row + 1, bottom) - Math.max(row, top)) * (Math.min(column + 1, right) - Math.max(column, left));
      sum += covered * (((pixels[row * width + column] as number) >>> shift) & 0xff);
      area += covered;
    }
  return sum / area;
}

const sizes = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })).chain(([width, height]) =>
  fc.record({
    width: fc.constant(width),
    height: fc.constant(height),
    toWidth: fc.integer({ min: 1, max: width }),
    toHeight: fc.integer({ min: 1, max: height }),
    pixels: fc
      .array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: width * height, maxLength: width * height })
      .map((values) => Uint32Array.from(values)),
  }),
);

test('every pixel is the mean of what lies under it', () => {
  fc.assert(
    fc.property(sizes, ({ width, height, toWidth, toHeight, pixels }) => {
      const into = shrunk(pixels, width, height, toWidth, toHeight);
      for (let y = 0; y < toHeight; y++)
        for (let x = 0; x < toWidth; x++) {
          const pixel = into[y * toWidth + x] as number;
          expect(pixel >>> 24).toBe(255);
          // Weights are 256ths: of forty pixels in a row each can be off by half of one.
          for (const shift of [0, 8, 16])
            expect(Math.abs(((pixel >>> shift) & 0xff) - mean(pixels, width, height, toWidth, toHeight, x, y, shift))).toBeLessThan(4);
        }
    }),
  );
});

test('an even ground stays as it is, and a picture of the same size too', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 0xffffff }), ({ width, height, toWidth, toHeight, pixels }, colour) => {
      const ground = new Uint32Array(width * height).fill(colour);
      expect(new Set(shrunk(ground, width, height, toWidth, toHeight))).toEqual(new Set([(0xff000000 | colour) >>> 0]));
      expect(shrunk(pixels, width, height, width, height)).toEqual(pixels.map((pixel) => (0xff000000 | pixel) >>> 0));
    }),
  );
});

test('no row is lost: lines a pixel high are as dark at two thirds of the size wherever they lie', () => {
  const [width, height] = [30, 90];
  for (let line = 30; line < 33; line++) {
    const pixels = new Uint32Array(width * height);
    pixels.fill(0xffffff, line * width, (line + 1) * width);
    const into = shrunk(pixels, width, height, 20, 60);
    let light = 0;
    for (let y = 0; y < 60; y++) light += (into[y * 20 + 7] as number) & 0xff;
    expect(Math.abs(light - (255 * 2) / 3)).toBeLessThan(3);
  }
});

test('what is made anew where something changed is what all of it would have become, and nothing else is touched', () => {
  fc.assert(
    fc.property(sizes, fc.array(fc.nat({ max: 39 }), { minLength: 4, maxLength: 4 }), (picture, [a = 0, b = 0, c = 0, d = 0]) => {
      const { width, height, toWidth, toHeight, pixels } = picture;
      const sorted = (one: number, other: number, most: number): [number, number] => {
        const [first, last] = [Math.min(one, other) % most, Math.max(one, other) % most];
        return [Math.min(first, last), Math.max(first, last) + 1];
      };
      const [[left, right], [top, bottom]] = [sorted(a, b, width), sorted(c, d, height)];
      const into = shrunk(pixels, width, height, toWidth, toHeight);
      const changed = pixels.slice();
      for (let row = top; row < bottom; row++)
        for (let column = left; column < right; column++) changed[row * width + column] = ~(changed[row * width + column] as number) >>> 0;
      const before = into.slice();
      const part = new Shrinker(width, height, toWidth, toHeight).shrink(changed, 0, width, { left, top, right, bottom }, into);
      expect(into).toEqual(shrunk(changed, width, height, toWidth, toHeight));
      for (let at = 0; at < into.length; at++) {
        const [x, y] = [at % toWidth, Math.floor(at / toWidth)];
        if (x < part.left || x >= part.right || y < part.top || y >= part.bottom) expect(into[at]).toBe(before[at]);
      }
    }),
  );
});

test('a monitor is a part of a larger picture', () => {
  const surface = Uint32Array.from({ length: 100 * 50 }, (_, at) => at * 977);
  const part = new Uint32Array(40 * 30);
  for (let row = 0; row < 30; row++) part.set(surface.subarray((row + 5) * 100 + 60, (row + 5) * 100 + 100), row * 40);
  const into = new Uint32Array(25 * 17);
  new Shrinker(40, 30, 25, 17).shrink(surface, 5 * 100 + 60, 100, whole(40, 30), into);
  expect(into).toEqual(shrunk(part, 40, 30, 25, 17));
});
