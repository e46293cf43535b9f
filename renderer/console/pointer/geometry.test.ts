import { expect, test } from 'vitest';
import {
  type Box,
  chooseScale,
  guestPixelAt,
  guestSizeFor,
  largestZoom,
  panAt,
  place as placeView,
  type Rotation,
  type ScaleMode,
  seenAt,
  turnBack,
  zoomBy,
} from './geometry.ts';

const vga = { widthPx: 640, heightPx: 480 };
const rotations: readonly Rotation[] = [0, 90, 180, 270];
const upright = { rotation: 0, zoom: 1 } as const;
const corner = { x: 0, y: 0 };
const place = (guest: typeof vga, box: Box, ratio: number, mode: ScaleMode) => placeView(guest, box, ratio, { mode, ...upright }, corner);
const ratios = [1, 1.1, 1.25, 1.5, 1.75, 2, 2.25, 3];

test('at every display scale an exact picture covers one physical pixel for each of its own, beginning on a physical pixel', () => {
  for (const ratio of ratios)
    for (const left of [0, 0.3, 16, 17.4, 211.2]) {
      const placed = place(vga, { left, top: left / 3, width: 1000, height: 800 }, ratio, 'exact');
      expect(placed.width * ratio).toBeCloseTo(640, 6);
      expect(placed.height * ratio).toBeCloseTo(480, 6);
      expect(((left + placed.left) * ratio) % 1).toSatisfy((rest: number) => rest < 1e-6 || rest > 1 - 1e-6);
      expect(((left / 3 + placed.top) * ratio) % 1).toSatisfy((rest: number) => rest < 1e-6 || rest > 1 - 1e-6);
      expect(placed.sharp).toBe(true);
    }
});

test('a picture that fits more than once is enlarged by a whole number where that fills most of the box', () => {
  expect(chooseScale(vga, { widthPx: 1500, heightPx: 1100 }, 'fit')).toBe(2);
  expect(chooseScale(vga, { widthPx: 800, heightPx: 600 }, 'fit')).toBe(1);
  expect(chooseScale(vga, { widthPx: 1216, heightPx: 912 }, 'fit')).toBe(1.9);
});

test('a picture larger than its box is made smaller and keeps its shape', () => {
  const placed = place({ widthPx: 1920, heightPx: 1080 }, { left: 0, top: 0, width: 960, height: 700 }, 1, 'fit');
  expect(placed).toMatchObject({ left: 0, width: 960, height: 540, top: 80, sharp: false });
});

test('a picture larger than its box in exact mode begins at the corner', () => {
  const placed = place({ widthPx: 1920, heightPx: 1080 }, { left: 10, top: 20, width: 960, height: 700 }, 1, 'exact');
  expect(placed).toMatchObject({ left: 0, top: 0, width: 1920, height: 1080 });
});

test('every guest pixel can be pointed at, at fractional display scales', () => {
  for (const ratio of ratios) {
    const box = { left: 13.37, top: 7.5, width: 1111, height: 777 };
    for (const mode of ['fit', 'exact'] as const) {
      const placed = place(vga, box, ratio, mode);
      const picture = { left: box.left + placed.left, top: box.top + placed.top, width: placed.width, height: placed.height };
      const seen = new Set<number>();
      // The pointer moves in physical pixels; from one edge to the other it must meet every guest pixel when the picture is not shrunk.
      const steps = Math.round(placed.width * ratio);
      for (let step = 0; step < steps; step++) seen.add(guestPixelAt({ x: picture.left + step / ratio, y: picture.top }, picture, vga).xPx);
      if (placed.scale >= 1) expect(seen.size, `${ratio} ${mode}`).toBe(640);
      expect(Math.min(...seen)).toBe(0);
      expect(Math.max(...seen)).toBe(placed.scale >= 1 ? 639 : Math.floor(((steps - 1) * 640) / steps));
    }
  }
});

test('beside the picture the nearest edge is meant', () => {
  const picture = { left: 100, top: 100, width: 640, height: 480 };
  expect(guestPixelAt({ x: -5, y: 9999 }, picture, vga)).toEqual({ xPx: 0, yPx: 479 });
  expect(guestPixelAt({ x: 740, y: 100 }, picture, vga)).toEqual({ xPx: 639, yPx: 0 });
  expect(guestPixelAt({ x: 1, y: 1 }, { left: 0, top: 0, width: 0, height: 0 }, vga)).toEqual({ xPx: 0, yPx: 0 });
});

test('the size asked of a guest fills the box in physical pixels, in steps that X servers accept', () => {
  expect(guestSizeFor({ width: 1003, height: 701 }, 1)).toEqual({ widthPx: 1000, heightPx: 700 });
  expect(guestSizeFor({ width: 1003, height: 701 }, 1.5)).toEqual({ widthPx: 1504, heightPx: 1050 });
  expect(guestSizeFor({ width: 100, height: 90 }, 1)).toEqual({ widthPx: 640, heightPx: 480 });
});

test('whole multiples are as many as fit, and never fewer than one', () => {
  expect(chooseScale(vga, { widthPx: 1279, heightPx: 5000 }, 'whole')).toBe(1);
  expect(chooseScale(vga, { widthPx: 1280, heightPx: 960 }, 'whole')).toBe(2);
  expect(chooseScale(vga, { widthPx: 2000, heightPx: 1500 }, 'whole')).toBe(3);
  expect(chooseScale(vga, { widthPx: 300, heightPx: 200 }, 'whole')).toBe(1);
});

test('a picture that is turned fills a tall box as the upright one fills a wide one', () => {
  const wide = placeView(vga, { left: 0, top: 0, width: 1920, height: 1440 }, 1, { mode: 'fit', ...upright }, corner);
  const tall = placeView(vga, { left: 0, top: 0, width: 1440, height: 1920 }, 1, { mode: 'fit', rotation: 90, zoom: 1 }, corner);
  expect([tall.width, tall.height, tall.scale]).toEqual([wide.height, wide.width, wide.scale]);
});

test('every guest pixel of a turned picture is pointed at where it is seen', () => {
  const guest = { widthPx: 7, heightPx: 5 };
  for (const rotation of rotations)
    for (let yPx = 0; yPx < guest.heightPx; yPx++)
      for (let xPx = 0; xPx < guest.widthPx; xPx++) {
        const seen = seenAt({ xPx: xPx + 0.5, yPx: yPx + 0.5 }, guest, rotation);
        const picture = { left: 30, top: 40, width: rotation % 180 === 0 ? 14 : 10, height: rotation % 180 === 0 ? 10 : 14 };
        expect(guestPixelAt({ x: 30 + seen.x * 2, y: 40 + seen.y * 2 }, picture, guest, rotation)).toEqual({ xPx, yPx });
      }
});

test('a movement to the right over a turned picture goes where the guest’s pointer is seen to go to the right', () => {
  const guest = { widthPx: 100, heightPx: 50 };
  for (const rotation of rotations) {
    const by = turnBack({ x: 3, y: 0 }, rotation);
    const before = seenAt({ xPx: 20, yPx: 20 }, guest, rotation);
    const after = seenAt({ xPx: 20 + by.x, yPx: 20 + by.y }, guest, rotation);
    expect([after.x - before.x, after.y - before.y]).toEqual([3, 0]);
  }
});

test('a zoomed picture is seen whole by moving the pointer across the box, and what is pointed at stays there while zooming', () => {
  const box = { left: 10, top: 20, width: 640, height: 480 };
  for (const rotation of rotations)
    for (const share of [0, 0.25, 0.5, 1]) {
      const point = { x: box.left + box.width * share, y: box.top + box.height * share };
      const pointed = [1, 2, 4].map((zoom) => {
        const guest = rotation % 180 === 0 ? vga : { widthPx: 480, heightPx: 640 };
        const placed = placeView(guest, box, 1, { mode: 'fit', rotation, zoom }, panAt(point, box));
        expect(placed.left).toBeLessThanOrEqual(0);
        expect(placed.left + placed.width).toBeGreaterThanOrEqual(box.width);
        return { x: (point.x - box.left - placed.left) / placed.width, y: (point.y - box.top - placed.top) / placed.height };
      });
      for (const { x, y } of pointed) {
        expect(x).toBeCloseTo(share, 2);
        expect(y).toBeCloseTo(share, 2);
      }
    }
});

test('zoom stays between none and its largest, and comes back to none exactly', () => {
  let zoom = 1;
  for (let notch = 0; notch < 4; notch++) zoom = zoomBy(zoom, 1);
  for (let notch = 0; notch < 4; notch++) zoom = zoomBy(zoom, -1);
  expect(zoom).toBe(1);
  expect(zoomBy(1, -3)).toBe(1);
  expect(zoomBy(1, 99)).toBe(largestZoom);
});
