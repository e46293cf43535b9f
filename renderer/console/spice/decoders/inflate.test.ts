import { constants, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SpiceError } from '../protocol/spice-error.ts';
import { Inflater } from './inflate.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 4000 }),
  // Repetitive, as pictures are.
  fc
    .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 900 })), { maxLength: 20 })
    .map((runs) => Uint8Array.from(runs.flatMap(([pattern, count]) => Array.from({ length: count }, () => [...pattern]).flat()))),
);
const settings = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FILTERED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
});

test('whatever zlib deflates, in whatever way, is inflated to what it was', () => {
  const inflater = new Inflater();
  fc.assert(
    fc.property(bytes, settings, (raw, how) => {
      const out = new Uint8Array(raw.byteLength);
      inflater.inflate(deflateSync(raw, how), out);
      expect(Buffer.compare(out, raw)).toBe(0);
    }),
    { numRuns: 400 },
  );
});

test('a damaged or cut stream is refused, or fills what it was given and nothing beyond', () => {
  const inflater = new Inflater();
  fc.assert(
    fc.property(bytes, settings, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (raw, how, where, change, cut) => {
      const packed = deflateSync(raw, how);
      const at = where % packed.length;
      if (!cut) packed[at] = (packed[at] as number) ^ change;
      // Its last four bytes are a checksum, which is not looked at.
      const given = cut ? packed.subarray(0, at % (packed.length - 4)) : packed;
      const memory = new Uint8Array(raw.byteLength + 16).fill(0xa5);
      try {
        inflater.inflate(given, memory.subarray(8, 8 + raw.byteLength));
        expect(cut).toBe(false);
      } catch (error) {
        expect(error).toBeInstanceOf(SpiceError);
      }
      expect([...memory.subarray(0, 8), ...memory.subarray(8 + raw.byteLength)]).toEqual(Array(16).fill(0xa5));
    }),
    { numRuns: 600 },
  );
});

test('a bomb is stopped at the size that was announced', () => {
  const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 });
  const began = performance.now();
  expect(() => new Inflater().inflate(bomb, new Uint8Array(1000))).toThrow('holds more than was announced');
  expect(performance.now() - began).toBeLessThan(100);
});
