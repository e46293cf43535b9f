import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { clampToDisplays, minWindowSize, WindowPlacements } from './window-placement.ts';

const left = { x: 0, y: 0, width: 1920, height: 1040 };
const right = { x: 1920, y: 0, width: 2560, height: 1400 };

function freshFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gh-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'window', 'windows.json');
}

test('a window that is visible stays where it was', () => {
  const bounds = { x: 100, y: 50, width: 1000, height: 700 };
  expect(clampToDisplays(bounds, [left, right])).toEqual(bounds);
  expect(clampToDisplays({ ...bounds, x: 2000 }, [left, right])).toEqual({ ...bounds, x: 2000 });
});

test('a window of a display that is gone comes back onto one that is there', () => {
  expect(clampToDisplays({ x: 2500, y: 100, width: 1000, height: 700 }, [left])).toEqual({ x: 920, y: 100, width: 1000, height: 700 });
  expect(clampToDisplays({ x: -5000, y: -5000, width: 3000, height: 3000 }, [left])).toEqual(left);
});

test('no window is smaller than the minimum or begins outside its display', () => {
  const whole = fc.integer({ min: -10_000, max: 10_000 });
  const size = fc.integer({ min: 1, max: 20_000 });
  fc.assert(
    fc.property(whole, whole, size, size, (x, y, width, height) => {
      const clamped = clampToDisplays({ x, y, width, height }, [left, right]);
      const area = [left, right].find((candidate) => clamped.x >= candidate.x && clamped.x < candidate.x + candidate.width);
      return (
        area !== undefined &&
        clamped.y >= area.y &&
        clamped.width >= minWindowSize.width &&
        clamped.height >= minWindowSize.height &&
        clamped.x + clamped.width <= area.x + area.width &&
        clamped.y + clamped.height <= area.y + area.height
      );
    }),
  );
});

test('placements are kept across starts, one for each window', () => {
  const path = freshFile();
  const placement = { bounds: { x: 1, y: 2, width: 900, height: 700 }, maximised: true, fullScreen: false };
  new WindowPlacements(path).set('main', placement);
  new WindowPlacements(path).set('g000000000', { ...placement, maximised: false });
  const again = new WindowPlacements(path);
  expect(again.get('main')).toEqual(placement);
  expect(again.get('g000000000')).toEqual({ ...placement, maximised: false });
});

test('a file that is cut short or was written by somebody else counts as none', () => {
  const path = freshFile();
  const placements = new WindowPlacements(path);
  placements.set('main', { bounds: { x: 0, y: 0, width: 900, height: 700 }, maximised: false, fullScreen: false });
  const whole = readFileSync(path, 'utf8');
  for (const text of [whole.slice(0, 30), '', 'null', '{"main":{"bounds":{"x":"0"}}}', '[]']) {
    writeFileSync(path, text);
    expect(new WindowPlacements(path).get('main')).toBeNull();
  }
});

test('consoles that were torn off long ago are forgotten', () => {
  const path = freshFile();
  const placements = new WindowPlacements(path);
  for (let index = 0; index < 300; index++)
    placements.set(`g${index}`, { bounds: { x: 0, y: 0, width: 900, height: 700 }, maximised: false, fullScreen: false });
  expect(placements.get('g0')).toBeNull();
  expect(placements.get('g299')).not.toBeNull();
  expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')))).toHaveLength(200);
});
