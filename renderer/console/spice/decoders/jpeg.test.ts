import { inflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readSpicePictures } from '../../../../tests/support/spice-pictures.ts';
import { decodeJpeg, decodeJpegAlpha, type PlatformJpeg, readJpegSize } from './jpeg.ts';

const jpegs = readSpicePictures('jpeg');
const decoded = readSpicePictures('djpeg');

/** What libjpeg-turbo, which is in browsers too, made of the same file. */
const libjpeg: PlatformJpeg = (jpeg) => {
  const which = jpegs.findIndex(({ data }) => Buffer.compare(data, jpeg) === 0);
  const result = decoded[which];
  if (!result) return Promise.reject(new Error('not a JPEG that it knows'));
  const rgb = inflateSync(result.data);
  const { width, height } = result;
  const pixels = new Uint32Array(width * height).map((_, at) => 0xff000000 | rgb.readUIntLE(3 * at, 3));
  return Promise.resolve({ width, height, pixels, opaque: true });
};

test('the size of a JPEG is read from it, and compared before it is decoded', async () => {
  expect(jpegs.length).toBe(3);
  for (const { data, width, height } of jpegs) {
    expect(readJpegSize(data)).toEqual({ width, height });
    expect((await decodeJpeg(data, width, height, libjpeg)).pixels.length).toBe(width * height);
    await expect(decodeJpeg(data, width + 1, height, libjpeg)).rejects.toThrow('were announced');
  }
});

test('a JPEG without a frame, cut short or unknown to the platform is refused', async () => {
  const [{ data, width, height } = { data: new Uint8Array(0), width: 0, height: 0 }] = jpegs;
  expect(() => readJpegSize(data.subarray(0, 60))).toThrow('cut short');
  expect(() => readJpegSize(Uint8Array.of(0xff, 0xd8, 0xff, 0xda, 0, 4, 0, 0))).toThrow('has no frame header');
  expect(() => readJpegSize(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0))).toThrow('has no length');
  expect(() => readJpegSize(Uint8Array.of(0x89, 0x50))).toThrow('does not begin as one');
  const damaged = data.slice();
  damaged[damaged.length - 10] = 0;
  await expect(decodeJpeg(damaged, width, height, libjpeg)).rejects.toThrow('JPEG: not a JPEG that it knows');
});

test('colours of a JPEG come under the alpha that follows them', async () => {
  const jpeg = jpegs.find(({ picture }) => picture === 'three');
  const alpha = readSpicePictures('lz').find(({ form, picture, topDown }) => form === 'xxxa' && picture === 'three' && topDown);
  if (!jpeg || !alpha) throw new Error('The fixtures lack them.');
  const { width, height } = jpeg;
  const both = Buffer.concat([jpeg.data, alpha.data]);
  const picture = await decodeJpegAlpha(both, jpeg.data.byteLength, true, width, height, libjpeg);
  const colours = await libjpeg(jpeg.data);
  expect(picture.opaque).toBe(false);
  expect([...picture.pixels].map((pixel) => pixel & 0xffffff)).toEqual([...colours.pixels].map((pixel) => pixel & 0xffffff));
  expect(new Set([...picture.pixels].map((pixel) => pixel >>> 24)).size).toBeGreaterThan(1);
  await expect(decodeJpegAlpha(both, 1e6, true, width, height, libjpeg)).rejects.toThrow('are not there');
});
