import { expect, test } from 'vitest';
import { moveCursor, rangeKeys, typedTarget } from './table-selection.ts';

test('keys move inside the list and never beyond its ends', () => {
  expect(moveCursor('ArrowDown', -1, 3, 2)).toBe(0);
  expect(moveCursor('ArrowDown', 2, 3, 2)).toBe(2);
  expect(moveCursor('ArrowUp', 0, 3, 2)).toBe(0);
  expect(moveCursor('PageDown', 1, 100, 20)).toBe(21);
  expect(moveCursor('PageUp', 1, 100, 20)).toBe(0);
  expect([moveCursor('Home', 5, 9, 2), moveCursor('End', 5, 9, 2)]).toEqual([0, 8]);
  expect(moveCursor('ArrowDown', -1, 0, 2)).toBeNull();
  expect(moveCursor('x', 0, 3, 2)).toBeNull();
});

test('a range is the same from both ends', () => {
  expect([...rangeKeys(['a', 'b', 'c', 'd'], 3, 1)]).toEqual(['b', 'c', 'd']);
  expect([...rangeKeys(['a', 'b', 'c', 'd'], 1, 3)]).toEqual(['b', 'c', 'd']);
});

test('typing finds the next row that begins so, and the same letter again the one after', () => {
  const texts = ['Alpine', 'Debian 11', 'debian 12', 'Fedora'];
  expect(typedTarget(texts, 'd', 0)).toBe(1);
  expect(typedTarget(texts, 'dd', 1)).toBe(2);
  expect(typedTarget(texts, 'ddd', 2)).toBe(1);
  expect(typedTarget(texts, 'debian 12', 1)).toBe(2);
  expect(typedTarget(texts, 'x', 0)).toBeNull();
  expect(typedTarget([], 'x', 0)).toBeNull();
});
