import { expect, test } from 'vitest';
import { compare, isBlank } from './pixels.ts';

const picture = (widthPx: number, heightPx: number, change: (bytes: Uint8Array) => void = () => {}) => {
  const bytes = new Uint8Array(widthPx * heightPx * 4);
  change(bytes);
  return { widthPx, heightPx, bytes };
};

test('equal pictures have no difference, whatever their alpha', () => {
  expect(compare(picture(4, 3), picture(4, 3))).toBeNull();
  expect(
    compare(
      picture(4, 3),
      picture(4, 3, (bytes) => bytes.set([0, 0, 0, 255])),
    ),
  ).toBeNull();
});

test('what differs is counted and located', () => {
  const other = picture(4, 3, (bytes) => {
    bytes[(1 * 4 + 2) * 4] = 1;
    bytes[(2 * 4 + 3) * 4 + 2] = 1;
  });
  expect(compare(picture(4, 3), other)).toEqual({ differing: 2, text: '2 pixels differ, all between (2, 1) and (3, 2)' });
  expect(compare(picture(4, 3), picture(3, 4))?.text).toBe('the sizes differ: 4×3 and 3×4');
});

test('a picture of one colour is blank', () => {
  expect(isBlank(picture(4, 3))).toBe(true);
  expect(isBlank(picture(4, 3, (bytes) => bytes.set([9], 20)))).toBe(false);
});
