import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter, LineTooLongError } from './line-splitter.ts';

/** Cuts `bytes` at the given places. */
function cut(bytes: Buffer, places: number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

test('lines are the same however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string().map((text) => text.replaceAll('\n', ''))), fc.array(fc.nat()), (lines, places) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const splitter = new LineSplitter(10_000);
      const got = cut(bytes, places).flatMap((chunk) => splitter.push(chunk).map(String));
      expect(got).toEqual(lines);
    }),
  );
});

test('lines are the same byte by byte', () => {
  const splitter = new LineSplitter(100);
  const got = [...Buffer.from('één\n\ntwo\n')].flatMap((byte) => splitter.push(Buffer.from([byte])).map(String));
  expect(got).toEqual(['één', '', 'two']);
});

test('a line that never ends is refused before it fills the memory', () => {
  const splitter = new LineSplitter(1000);
  expect(() => {
    for (let i = 0; i < 20; i++) splitter.push(Buffer.alloc(100, 'x'));
  }).toThrow(LineTooLongError);
});

test('a line of exactly the limit passes', () => {
  expect(new LineSplitter(5).push(Buffer.from('12345\n'))).toHaveLength(1);
  expect(() => new LineSplitter(5).push(Buffer.from('123456\n'))).toThrow(LineTooLongError);
});
