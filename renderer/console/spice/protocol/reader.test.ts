import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Reader } from './reader.ts';
import { SpiceError } from './spice-error.ts';

test('numbers are read lowest byte first, at any alignment', () => {
  const reader = new Reader(Uint8Array.from([9, 0x01, 0x02, 0x83, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0x80]), 1);
  expect(reader.u8()).toBe(1);
  expect(reader.u16()).toBe(0x8302);
  expect(reader.i16()).toBe(-1);
  expect(reader.i32()).toBe(-2);
  expect(reader.u64()).toBe(0x8000000000000001n);
  expect(reader.remaining).toBe(0);
  reader.seek(5);
  expect(reader.u32()).toBe(0xfffffffe);
  expect(reader.offset).toBe(9);
});

const step = fc.oneof(
  fc.constantFrom('u8', 'u16', 'i16', 'i32', 'u32', 'u64', 'rest').map((kind) => ({ kind, value: 0 })),
  fc
    .tuple(fc.constantFrom('skip', 'seek', 'bytesOf', 'count'), fc.integer({ min: -5, max: 2 ** 33 }))
    .map(([kind, value]) => ({ kind, value })),
);

test('nothing beyond the message is read, whatever is asked for', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 60 }), fc.array(step, { maxLength: 20 }), (bytes, steps) => {
      // What lies around the message is never seen: changing it changes nothing.
      const results = [0, 255].map((around) => {
        const surrounded = new Uint8Array(bytes.length + 20).fill(around);
        surrounded.set(bytes, 10);
        const reader = new Reader(surrounded, 10, 10 + bytes.length);
        return steps.map(({ kind, value }) => {
          try {
            if (kind === 'skip') return reader.skip(value);
            if (kind === 'seek') return reader.seek(value);
            if (kind === 'bytesOf') return [...reader.bytesOf(value)];
            if (kind === 'count') return reader.count(value, 4, 'things');
            if (kind === 'rest') return [...reader.rest()];
            return reader[kind as 'u8' | 'u16' | 'i16' | 'i32' | 'u32' | 'u64']();
          } catch (error) {
            expect(error).toBeInstanceOf(SpiceError);
            return (error as Error).message;
          }
        });
      });
      expect(results[0]).toEqual(results[1]);
    }),
  );
});

test('a count that cannot be true is refused before anything is made of it', () => {
  expect(() => new Reader(new Uint8Array(8)).count(0xffffffff, 2, 'channels')).toThrow('4294967295 channels do not fit into 8 bytes');
  expect(new Reader(new Uint8Array(8)).count(4, 2, 'channels')).toBe(4);
});

test('an error says where it is once, from the inside', () => {
  const error = new SpiceError('cut short').within('display', 'DRAW_COPY').within('main', 'INIT');
  expect(error.message).toBe('display: DRAW_COPY: cut short');
});
