import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { hashOf, readSpicePictures } from '../../../../tests/support/spice-pictures.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { decodeGlz, type GlzWait } from './glz.ts';
import { GlzWindow } from './glz-window.ts';
import type { Picture } from './picture.ts';
import { ZlibGlzDecoder } from './zlib-glz.ts';

const pictures = readSpicePictures('glz');
/** What the encoder was told. A decoder lets old pictures go when it has the new one, and with several channels later. */
const windowPixels = 40_000;
const maxPixels = 2 * windowPixels;

function hashOrWait(result: Picture | GlzWait): string {
  return 'missingPicture' in result ? `waits for ${result.missingPicture}` : hashOf(result.pixels);
}

test('GLZ pictures that refer to each other become the pixels that the server had, in a window no larger than its own', () => {
  const window = new GlzWindow(maxPixels);
  for (const { data, sha256 } of pictures) {
    expect(hashOrWait(decodeGlz(data, window))).toBe(sha256);
    expect(window.pixels).toBeLessThanOrEqual(windowPixels);
  }
  expect(window.pixels).toBeGreaterThan(windowPixels / 2);
});

test('with two channels that come in any order, each picture waits for those that it refers to', async () => {
  const window = new GlzWindow(maxPixels);
  const shown: string[] = [];
  let waited = 0;
  const channel = async (number: 0 | 1) => {
    for (const each of pictures as ((typeof pictures)[number] & { channel?: number })[]) {
      if (each.channel !== number) continue;
      let result = decodeGlz(each.data, window);
      while ('missingPicture' in result) {
        waited++;
        await window.whenAdded(result.missingPicture);
        result = decodeGlz(each.data, window);
      }
      shown.push(hashOf(result.pixels));
    }
  };
  await Promise.all([channel(1), channel(0)]);
  expect(waited).toBeGreaterThan(0);
  expect(shown.toSorted()).toEqual(pictures.map(({ sha256 }) => sha256).toSorted());
  expect(window.pixels).toBeLessThanOrEqual(windowPixels);
});

test('a picture that waits is told when there will be no other', async () => {
  const window = new GlzWindow(maxPixels);
  const waiting = window.whenAdded(3);
  window.clear();
  await expect(waiting).rejects.toThrow('will not come');
});

test('the window never holds more than it may, whatever is to be kept', () => {
  const window = new GlzWindow(1000);
  window.add({ id: 0, windowDistance: 0, pixels: new Int32Array(600), opaque: true });
  expect(() => window.add({ id: 1, windowDistance: 1, pixels: new Int32Array(600), opaque: true })).toThrow(
    'would hold more than 1000 pixels',
  );
  expect(() => window.add({ id: 0, windowDistance: 0, pixels: new Int32Array(1), opaque: true })).toThrow('came twice');
  window.add({ id: 1, windowDistance: 0, pixels: new Int32Array(300), opaque: true });
  expect([window.pixels, window.find(0)]).toEqual([300, undefined]);
  expect(() => {
    for (let id = 2; id < 100; id++) window.add({ id, windowDistance: id - 1, pixels: new Int32Array(1), opaque: true });
  }).toThrow('would hold more than 1000 pixels');
});

test('a session that another server hands over goes on with its numbers', () => {
  const window = new GlzWindow(1000);
  for (let id = 5000; id < 6000; id++)
    window.add({ id, windowDistance: Math.min(2, id - 5000), pixels: new Int32Array(100), opaque: true });
  expect(window.pixels).toBe(300);
});

test('a GLZ stream that is cut anywhere is refused and leaves the window as it was', () => {
  const window = new GlzWindow(maxPixels);
  for (const { data } of pictures.slice(0, 30)) {
    const { pixels } = window;
    for (let length = 0; length < data.byteLength; length += 1 + (length >> 3))
      expect(() => decodeGlz(data.subarray(0, length), window)).toThrow(SpiceError);
    expect(window.pixels).toBe(pixels);
    decodeGlz(data, window);
  }
});

test('deflated GLZ becomes the same, and a stream that holds more or less than announced is refused', () => {
  const decoder = new ZlibGlzDecoder();
  const window = new GlzWindow(maxPixels);
  for (const { data, glzBytes = 0, width, height, sha256 } of readSpicePictures('zlib-glz')) {
    expect(() => decoder.decode(data, glzBytes - 1, width, height, window)).toThrow('holds more than was announced');
    expect(() => decoder.decode(data, glzBytes + 1, width, height, window)).toThrow('bytes came out where');
    expect(hashOrWait(decoder.decode(data, glzBytes, width, height, window))).toBe(sha256);
  }
  expect(() => decoder.decode(deflateSync(new Uint8Array(9)), 1e9, 10, 10, window)).toThrow('too many for 10 × 10 pixels');
});
