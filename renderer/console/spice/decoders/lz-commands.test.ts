import { expect, test } from 'vitest';
import { Chance } from '../../../../tests/fuzz/mutate.ts';
import { type LzPart, LzWriter } from '../../../../tests/support/lz-writer.ts';
import { decodeGlz } from './glz.ts';
import { GlzWindow } from './glz-window.ts';
import { decodeLz } from './lz.ts';

const magic = 0x20205a4c;
const version = 0x0001_0001;
const types = { rgb16: 6, rgb24: 7, rgb32: 8, rgba: 9 } as const;
const shortest = { rgb24: 1, rgb16: 2, alpha: 3 };

/** Longer than a byte can tell now and then, and mostly short. */
const lengthUpTo = (most: number, chance: Chance) => 1 + chance.number(Math.min(most, chance.of([3, 12, 40, 300, 2000])));

const spread = (pixel: number) => {
  const five = (pixel >>> 3) & 0x1f1f1f;
  return ((five << 3) | ((five >>> 2) & 0x070707) | 0xff000000) >>> 0;
};

type Reference = (writer: LzWriter, length: number, done: number) => ((index: number) => number) | null;

/** Commands for `count` pixels by chance, and what they mean: `refer` writes a reference and says where each of its pixels comes from. */
function writeCommands(writer: LzWriter, part: LzPart, expected: number[], count: number, chance: Chance, refer: Reference): void {
  const merge = (at: number, pixel: number) =>
    part === 'alpha' ? (((expected[at] ?? 0) & 0xffffff) | (pixel & 0xff000000)) >>> 0 : ((pixel & 0xffffff) | 0xff000000) >>> 0;
  for (let done = 0; done < count; ) {
    const length = lengthUpTo(count - done, chance);
    const from = chance.number(3) > 0 && length >= shortest[part] ? refer(writer, length, done) : null;
    if (from !== null) for (const end = done + length; done < end; done++) expected[done] = merge(done, from(done));
    else {
      const pixels = Array.from({ length: Math.min(length, 32) }, () => (chance.number(0x7fffffff) << 1) >>> 0);
      writer.literals(part, pixels);
      for (const pixel of pixels) {
        expected[done] = merge(done, part === 'rgb16' ? spread(pixel) : pixel);
        done++;
      }
    }
  }
}

test('LZ references of every length and distance copy what they point to', () => {
  const chance = new Chance(20_261_125);
  let farthest = 0;
  for (let round = 0; round < 60; round++) {
    const type = chance.of(Object.keys(types) as (keyof typeof types)[]);
    const width = 1 + chance.number(400);
    const height = 1 + chance.number(250);
    const bytes = type === 'rgb16' ? 2 : type === 'rgb24' ? 3 : 4;
    const writer = new LzWriter().bigEndian(magic, version, types[type], width, height, width * bytes, 1);
    const expected: number[] = [];
    const parts: LzPart[] = type === 'rgba' ? ['rgb24', 'alpha'] : [type === 'rgb16' ? 'rgb16' : 'rgb24'];
    for (const part of parts)
      writeCommands(writer, part, expected, width * height, chance, (to, length, done) => {
        if (done === 0) return null;
        const distance = 1 + chance.number(Math.min(done, chance.of([1, 5, 300, 9000, 65_535 + 8191])));
        farthest = Math.max(farthest, distance);
        to.lzReference(part, length, distance);
        return (index) => expected[index - distance] as number;
      });
    expect([...decodeLz(writer.done()).pixels]).toEqual(expected);
  }
  expect(farthest).toBeGreaterThan(40_000);
});

test('GLZ references into this and hundreds of earlier pictures, however far into them, copy what they point to', () => {
  const chance = new Chance(424_242);
  const window = new GlzWindow(4_000_000);
  const pictures: number[][] = [];
  for (let id = 0; id < 400; id++) {
    const type = chance.of(Object.keys(types) as (keyof typeof types)[]);
    // The first is larger than two of the three ways to tell an offset can reach.
    const [width, height] = id === 0 ? [600, 400] : [1 + chance.number(90), 1 + chance.number(80)];
    const writer = new LzWriter()
      .bigEndian(magic, version)
      .byte(types[type] | 0x10)
      .bigEndian(width, height, width * 4, 0, id, id);
    const expected: number[] = [];
    const parts: LzPart[] = type === 'rgba' ? ['rgb24', 'alpha'] : [type === 'rgb16' ? 'rgb16' : 'rgb24'];
    for (const part of parts)
      writeCommands(writer, part, expected, width * height, chance, (to, length, done) => {
        const back = chance.number(2) === 0 ? 0 : chance.of([id, chance.number(id + 1)]);
        if (back === 0) {
          if (done === 0) return null;
          const distance = 1 + chance.number(done);
          to.glzReference(part, length, 0, distance);
          return (index) => expected[index - distance] as number;
        }
        const source = pictures[id - back] as number[];
        if (source.length < length) return null;
        const offset = chance.number(source.length - length + 1);
        to.glzReference(part, length, back, offset);
        return (index) => source[offset + index - done] as number;
      });
    const picture = decodeGlz(writer.done(), window);
    if ('missingPicture' in picture) throw new Error(`Picture ${picture.missingPicture} is missing.`);
    expect(Buffer.compare(Buffer.from(picture.pixels.buffer), Buffer.from(Uint32Array.from(expected).buffer))).toBe(0);
    pictures.push(expected);
  }
});
