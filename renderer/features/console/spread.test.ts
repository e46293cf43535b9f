import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PhysicalDisplay } from '../../../contract/shell.ts';
import { guestSizeFor } from '../../console/pointer/geometry.ts';
import { assignDisplays, placesOf } from './spread.ts';

const display = (id: string, x: number, y: number, width: number, height: number, scale = 1): PhysicalDisplay => ({
  id,
  label: `model ${id}`,
  x,
  y,
  width,
  height,
  scale,
});
const left = display('l', 0, 0, 1920, 1080);
const middle = display('m', 1920, 0, 1280, 800, 2);
const right = display('r', 3200, 0, 1920, 1080);

const ids = (assignment: ReadonlyMap<number, PhysicalDisplay>) => [...assignment].map(([head, { id }]) => `${head}${id}`);

test('the first monitor is on the display of its window, the others go from the left to the right', () => {
  expect(ids(assignDisplays([0, 1, 2], [right, left, middle], {}, 'm'))).toEqual(['0m', '1l', '2r']);
  expect(ids(assignDisplays([0, 1], [right, left, middle], {}, null))).toEqual(['0l', '1m']);
  expect(ids(assignDisplays([0, 1, 2], [left, right], {}, 'r'))).toEqual(['0r', '1l']);
  expect(ids(assignDisplays([0], [], {}, 'r'))).toEqual([]);
});

test('what was chosen holds, also for a display that has another id and stands where it stood, and not for one that is gone', () => {
  expect(ids(assignDisplays([0, 1, 2], [left, middle, right], { 0: right, 2: left }, 'l'))).toEqual(['0r', '1m', '2l']);
  expect(ids(assignDisplays([0, 1], [left, { ...right, id: 'new' }], { 0: right }, 'l'))).toEqual(['0new', '1l']);
  expect(ids(assignDisplays([0, 1], [left, middle], { 0: right, 1: left }, 'l'))).toEqual(['0m', '1l']);
});

test('monitors lie to each other as their displays do, in pixels', () => {
  expect(
    placesOf(
      new Map([
        [0, left],
        [1, middle],
        [2, right],
      ]),
    ),
  ).toEqual([
    { head: 0, xPx: 0, yPx: 0 },
    { head: 1, xPx: 1920, yPx: 0 },
    { head: 2, xPx: 1920 + 2560, yPx: 0 },
  ]);
  const above = display('a', 100, -900, 1600, 900);
  expect(
    placesOf(
      new Map([
        [0, left],
        [1, above],
      ]),
    ),
  ).toEqual([
    { head: 0, xPx: 0, yPx: 900 },
    { head: 1, xPx: 100, yPx: 0 },
  ]);
});

test('monitors never lie upon each other, whatever the displays and their scales', () => {
  const cell = fc.record({
    width: fc.integer({ min: 640, max: 3840 }),
    height: fc.integer({ min: 480, max: 2160 }),
    scale: fc.constantFrom(1, 1.25, 1.5, 2),
  });
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 6 }), fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), (cells, below) => {
      // Each stands to the right of all before it, or under them.
      let [x, y] = [0, 0];
      const displays = cells.map(({ width, height, scale }, index) => {
        const made = below[index] ? display(String(index), 0, y, width, height, scale) : display(String(index), x, 0, width, height, scale);
        x = Math.max(x, made.x + width);
        y = Math.max(y, made.y + height);
        return made;
      });
      const places = placesOf(new Map(displays.map((each, head) => [head, each])));
      const boxes = places.map(({ head, xPx, yPx }) => ({ xPx, yPx, ...guestSizeFor(displays[head] ?? left, displays[head]?.scale ?? 1) }));
      for (const [index, one] of boxes.entries())
        for (const other of boxes.slice(index + 1)) {
          const apart =
            one.xPx + one.widthPx <= other.xPx ||
            other.xPx + other.widthPx <= one.xPx ||
            one.yPx + one.heightPx <= other.yPx ||
            other.yPx + other.heightPx <= one.yPx;
          expect(apart).toBe(true);
        }
    }),
  );
});
