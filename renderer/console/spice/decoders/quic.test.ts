import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hashOf, readSpicePictures } from '../../../../tests/support/spice-pictures.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { QuicDecoder } from './quic.ts';

const pictures = readSpicePictures('quic');

test('every type of QUIC picture becomes the pixels that the server had', () => {
  const decoder = new QuicDecoder();
  const wrong = pictures.filter(({ data, width, height, sha256 }) => {
    const picture = decoder.decode(data);
    return picture.width !== width || picture.height !== height || hashOf(picture.pixels) !== sha256;
  });
  expect(wrong.map(({ form, picture }) => `${form} ${picture}`)).toEqual([]);
  expect(new Set(pictures.map(({ form }) => form))).toEqual(new Set(['gray', 'rgb16', 'rgb24', 'rgb32', 'rgba']));
});

test('a picture is the same in memory that another one left', () => {
  const decoder = new QuicDecoder();
  const memory = new Uint32Array(400 * 400).fill(0x12345678);
  for (const { data, sha256 } of pictures) expect(hashOf(decoder.decode(data, memory).pixels)).toBe(sha256);
});

test('a QUIC stream that is cut anywhere is refused', () => {
  const decoder = new QuicDecoder();
  // The encoder ends with up to three words that no pixel needs.
  for (const { data } of pictures.filter(({ data }) => data.byteLength < 1500))
    for (let length = 0; length < data.byteLength - 12; length += 1 + (length >> 4))
      expect(() => decoder.decode(data.subarray(0, length))).toThrow(SpiceError);
});

test('a damaged QUIC stream is refused or becomes some picture of the same size, and the next one is right', () => {
  const decoder = new QuicDecoder();
  const [good] = pictures;
  if (!good) throw new Error('There are no pictures.');
  fc.assert(
    fc.property(
      fc.nat(pictures.length - 1),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      (which, changes) => {
        const { data, width, height } = pictures[which] as (typeof pictures)[number];
        const damaged = data.slice();
        for (const [where, value] of changes) damaged[20 + Math.floor(where * (damaged.length - 21))] = value;
        try {
          const picture = decoder.decode(damaged);
          expect([picture.width, picture.height, picture.pixels.length]).toEqual([width, height, width * height]);
        } catch (error) {
          expect(error).toBeInstanceOf(SpiceError);
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(hashOf(decoder.decode(good.data).pixels)).toBe(good.sha256);
});

test('what a header promises is checked before memory is taken for it', () => {
  const decoder = new QuicDecoder();
  const header = (type: number, width: number, height: number) =>
    new Uint8Array(new Int32Array([0x43495551, 0, type, width, height, 0, 0, 0]).buffer);
  expect(() => decoder.decode(header(4, 100_000, 2))).toThrow('a QUIC picture of 100000 × 2 pixels is not possible');
  expect(() => decoder.decode(header(4, 0, 2))).toThrow('not possible');
  expect(() => decoder.decode(header(4, 16_384, 4096))).toThrow('4096 rows do not fit into 32 bytes');
  expect(() => decoder.decode(header(6, 2, 2))).toThrow('there is no type 6');
  expect(() => decoder.decode(new Uint8Array(40))).toThrow('does not begin with');
});
