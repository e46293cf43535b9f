import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Region } from './region.ts';

const width = 20;
const height = 16;
const rect = fc.tuple(
  fc.integer({ min: -8, max: 28 }),
  fc.integer({ min: -8, max: 28 }),
  fc.integer({ min: -8, max: 28 }),
  fc.integer({ min: -8, max: 28 }),
);

/** How often each pixel of the surface lies in a box; throws for a box that is not inside of it. */
function coverage({ boxes, count }: Region): number[] {
  const covered = new Array<number>(width * height).fill(0);
  for (let at = 0; at < count * 4; at += 4) {
    const [left, top, right, bottom] = boxes.subarray(at, at + 4) as unknown as [number, number, number, number];
    if (!(left >= 0 && top >= 0 && left < right && top < bottom && right <= width && bottom <= height))
      throw new Error(`${left} ${top} ${right} ${bottom} is not inside.`);
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) covered[y * width + x] = (covered[y * width + x] ?? 0) + 1;
  }
  return covered;
}

const expected = (within: (x: number, y: number) => boolean) =>
  Array.from({ length: width * height }, (_, at) => (within(at % width, Math.floor(at / width)) ? 1 : 0));

test('a region is what of the box lies in any of the clip rectangles, each pixel once, however many there are', () => {
  const region = new Region();
  fc.assert(
    fc.property(rect, fc.oneof(fc.array(rect, { maxLength: 12 }), fc.array(rect, { minLength: 65, maxLength: 90 })), (box, rects) => {
      const [left, top, right, bottom] = box;
      const inBox = (x: number, y: number) => x >= left && x < right && y >= top && y < bottom;
      region.setRect({ left, top, right, bottom }, width, height);
      expect(coverage(region)).toEqual(expected(inBox));
      region.intersectRects(Int32Array.from(rects.flat()), rects.length);
      expect(coverage(region)).toEqual(
        expected((x, y) => inBox(x, y) && rects.some(([x1, y1, x2, y2]) => x >= x1 && x < x2 && y >= y1 && y < y2)),
      );
    }),
    { numRuns: 300 },
  );
});

test('a mask leaves the pixels that it names, or the others, and none outside of it', () => {
  const region = new Region();
  fc.assert(
    fc.property(
      rect,
      fc.integer({ min: -6, max: 20 }),
      fc.integer({ min: -6, max: 20 }),
      fc.array(fc.constantFrom(0, 1), { minLength: 63, maxLength: 63 }),
      fc.boolean(),
      ([left, top, right, bottom], maskX, maskY, bits, inverse) => {
        region.setRect({ left, top, right, bottom }, width, height);
        region.intersectMask({ width: 9, height: 7, bits: Uint8Array.from(bits) }, maskX, maskY, inverse);
        expect(coverage(region)).toEqual(
          expected((x, y) => {
            if (x < left || x >= right || y < top || y >= bottom) return false;
            const [column, row] = [x - maskX, y - maskY];
            return column >= 0 && column < 9 && row >= 0 && row < 7 && bits[row * 9 + column] === (inverse ? 0 : 1);
          }),
        );
      },
    ),
  );
});
