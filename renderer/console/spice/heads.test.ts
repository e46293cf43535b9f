import { expect, test } from 'vitest';
import { Heads } from './heads.ts';

const size = (widthPx: number, heightPx: number) => ({ widthPx, heightPx });
const monitor = (id: number, xPx: number, yPx: number, widthPx: number, heightPx: number) => ({ id, xPx, yPx, widthPx, heightPx });

test('a card that says nothing of monitors is one, and a channel for each is one each', () => {
  const heads = new Heads();
  expect(heads.picture(0, size(800, 600))).toBe(true);
  expect(heads.picture(0, size(800, 600))).toBe(false);
  expect(heads.picture(1, size(640, 480))).toBe(true);
  expect(heads.list).toEqual([
    { id: 0, display: 0, xPx: 0, yPx: 0, ...size(800, 600) },
    { id: 1, display: 1, xPx: 0, yPx: 0, ...size(640, 480) },
  ]);
  // A picture that goes is followed by another.
  expect(heads.picture(1, null)).toBe(false);
  expect(heads.list).toHaveLength(2);
});

test('monitors of one picture lie where the server says, in the order of their numbers, and those without a size are off', () => {
  const heads = new Heads();
  heads.picture(0, size(1824, 768));
  expect(heads.monitors(0, [monitor(1, 1024, 0, 800, 600), monitor(0, 0, 0, 1024, 768), monitor(2, 0, 0, 0, 0)])).toBe(true);
  expect(heads.list.map(({ id, xPx, widthPx }) => [id, xPx, widthPx])).toEqual([
    [0, 0, 1024],
    [1, 1024, 800],
  ]);
  heads.monitors(0, [monitor(0, 0, 0, 1024, 768)]);
  expect([heads.list.length, heads.most]).toEqual([1, 2]);
});

test('monitors that were told before their picture are kept when they make it up, and forgotten with another picture', () => {
  const heads = new Heads();
  heads.monitors(0, [monitor(0, 0, 0, 1024, 768), monitor(1, 1024, 0, 800, 600)]);
  expect(heads.list).toEqual([]);
  heads.picture(0, size(1824, 768));
  expect(heads.list).toHaveLength(2);
  // The firmware's picture after a reset.
  heads.picture(0, size(720, 400));
  expect(heads.list).toEqual([{ id: 0, display: 0, xPx: 0, yPx: 0, ...size(720, 400) }]);
});

test('what lies outside is cut off, and a number that is taken or too high is nobody’s', () => {
  const heads = new Heads();
  heads.picture(0, size(100, 50));
  heads.monitors(0, [
    monitor(0, 60, 10, 0xffffffff, 0xffffffff),
    monitor(0, 0, 0, 10, 10),
    monitor(1, 0xffffffff, 0, 9, 9),
    monitor(77, 0, 0, 9, 9),
  ]);
  expect(heads.list).toEqual([{ display: 0, ...monitor(0, 60, 10, 40, 40) }]);
  heads.picture(200, size(8, 8));
  expect(heads.list).toHaveLength(1);
});
