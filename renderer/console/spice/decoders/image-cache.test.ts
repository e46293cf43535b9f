import { expect, test } from 'vitest';
import { ImageCache } from './image-cache.ts';

const picture = (pixels: number) => ({ width: pixels, height: 1, pixels: new Uint32Array(pixels), opaque: true });

test('the cache never holds more than it may, whatever is to be kept', () => {
  const cache = new ImageCache(1000);
  cache.put(1n, picture(600), false);
  expect(() => cache.put(2n, picture(400), false)).toThrow('more than 1000 pixels are to be kept');
  cache.put(1n, picture(900), false);
  expect(cache.pixels).toBe(900);
  expect(() => cache.replace(1n, picture(1000))).toThrow('are to be kept');
  cache.clear();
  cache.put(2n, picture(400), false);
  expect(cache.pixels).toBe(400);
  expect(() => {
    for (let id = 3n; id < 100n; id++) cache.put(id, picture(1), false);
  }).toThrow('are to be kept');
});

test('a picture that two channels put there stays until both have let it go', () => {
  const cache = new ImageCache(1000);
  cache.put(1n, picture(10), true);
  cache.put(1n, picture(10), true);
  cache.replace(1n, picture(10));
  cache.remove(1n);
  expect(cache.find(1n, true)).not.toBeNull();
  cache.remove(1n);
  cache.remove(1n);
  expect([cache.find(1n, false), cache.pixels]).toEqual([null, 0]);
});
