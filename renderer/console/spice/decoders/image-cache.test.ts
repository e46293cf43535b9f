import { expect, test } from 'vitest';
import { ImageCache } from './image-cache.ts';

const picture = (pixels: number) => ({ width: pixels, height: 1, pixels: new Uint32Array(pixels), opaque: true });

test('the cache never holds more than it may, whatever is to be kept', () => {
  const cache = new ImageCache(100);
  cache.put(1n, picture(60), false);
  expect(() => cache.put(2n, picture(41), false)).toThrow('more than 100 pixels are to be kept');
  cache.put(1n, picture(90), false);
  expect(cache.pixels).toBe(90);
  cache.replace(1n, picture(100));
  expect(cache.pixels).toBe(100);
  cache.clear();
  cache.put(2n, picture(41), false);
  expect(cache.pixels).toBe(41);
});

test('a picture that two channels put there stays until both have let it go', () => {
  const cache = new ImageCache(100);
  cache.put(1n, picture(10), true);
  cache.put(1n, picture(10), true);
  cache.replace(1n, picture(10));
  cache.remove(1n);
  expect(cache.find(1n, true)).not.toBeNull();
  cache.remove(1n);
  cache.remove(1n);
  expect([cache.find(1n, false), cache.pixels]).toEqual([null, 0]);
});
