import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Damage } from './damage.ts';
import type { Rect } from './surface.ts';

const side = 40;
const rect = fc.tuple(fc.nat(side), fc.nat(side), fc.nat(side), fc.nat(side)).map(
  ([one, two, three, four]): Rect => ({
    left: Math.min(one, two),
    right: Math.max(one, two),
    top: Math.min(three, four),
    bottom: Math.max(three, four),
  }),
);

function taken(damage: Damage): Rect[] {
  const rects: Rect[] = [];
  damage.take((each) => rects.push({ ...each }));
  return rects;
}

test('every pixel that was added is taken, in few rectangles that lie within the bounds of all', () => {
  fc.assert(
    fc.property(fc.array(rect, { maxLength: 40 }), fc.integer({ min: 1, max: 2000 }), (rects, scale) => {
      const damage = new Damage();
      const scaled = rects.map(({ left, top, right, bottom }) => ({
        left: left * scale,
        top: top * scale,
        right: right * scale,
        bottom: bottom * scale,
      }));
      for (const { left, top, right, bottom } of scaled) damage.add(left, top, right, bottom);
      const solid = scaled.filter(({ left, top, right, bottom }) => left < right && top < bottom);
      expect(damage.empty).toBe(solid.length === 0);
      const result = taken(damage);
      expect(result.length).toBeLessThanOrEqual(8);
      expect(damage.empty).toBe(true);
      for (let y = 0; y < side; y++)
        for (let x = 0; x < side; x++) {
          const within = ({ left, top, right, bottom }: Rect) =>
            x * scale >= left && x * scale < right && y * scale >= top && y * scale < bottom;
          if (solid.some(within)) expect(result.some(within)).toBe(true);
        }
      for (const { left, top, right, bottom } of result) {
        expect(left).toBeGreaterThanOrEqual(Math.min(...solid.map((each) => each.left)));
        expect(top).toBeGreaterThanOrEqual(Math.min(...solid.map((each) => each.top)));
        expect(right).toBeLessThanOrEqual(Math.max(...solid.map((each) => each.right)));
        expect(bottom).toBeLessThanOrEqual(Math.max(...solid.map((each) => each.bottom)));
      }
    }),
  );
});

test('two places far apart stay two, and lines of text below each other become one', () => {
  const damage = new Damage();
  damage.add(0, 0, 100, 100);
  damage.add(900, 700, 1000, 800);
  expect(taken(damage)).toHaveLength(2);
  for (let line = 0; line < 50; line++) damage.add(0, line * 16, 720, line * 16 + 16);
  expect(taken(damage)).toEqual([{ left: 0, top: 0, right: 720, bottom: 800 }]);
});
