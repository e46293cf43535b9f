import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Drawing, Random } from '../../../../tests/support/spice-drawing-parts.ts';
import { hashOf, readBitmap, readMaskBitmap, surfaceFrom } from '../../../../tests/support/spice-drawing-surfaces.ts';
import { type DrawingSet, drawingSets, fileOfDrawings, makeDrawing } from '../../../../tests/support/spice-drawings.ts';
import { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { type DrawMessageName, DrawMessageReader, drawMessage } from './draw-messages.ts';
import { Rasteriser } from './rasteriser.ts';
import { createSurface, type Surface, surfaceFormat } from './surface.ts';

const sets = Object.entries(drawingSets) as [DrawingSet, number][];
const reader = new DrawMessageReader();

/** Draws all messages; surfaces that are not the first are off-screen, and the first is for every other seed. */
function draw(drawing: Drawing, firstOffScreen: boolean): Surface[] {
  const surfaces = drawing.surfaces.map((surface) => surfaceFrom(surface, surface.id > 0 || firstOffScreen));
  for (const { name, bytes } of drawing.messages) drawOn(surfaces, name, bytes);
  return surfaces;
}

function drawOn(surfaces: readonly Surface[], name: DrawMessageName, bytes: Uint8Array): void {
  const rasteriser = new Rasteriser({
    surface: (id) => surfaces[id],
    picture: ({ offset }) => readBitmap(bytes, offset),
    mask: ({ offset }) => readMaskBitmap(bytes, offset),
  });
  rasteriser.draw(reader.read(name, new Reader(bytes)));
}

for (const [set, count] of sets) {
  test(`${count} drawings of ${set} come out as the server's own renderer drew them`, async () => {
    const expected = (await readFile(new URL(`golden/${fileOfDrawings(set)}.txt`, import.meta.url), 'utf8')).trim().split('\n');
    const differing: number[] = [];
    for (let seed = 0; seed < count; seed++) {
      const hash = hashOf(draw(makeDrawing(set, seed), seed % 2 === 1))
        .toString(16)
        .padStart(8, '0');
      if (hash !== expected[seed]) differing.push(seed);
    }
    expect(differing).toEqual([]);
    expect(expected).toHaveLength(count);
  });
}

test('messages that were damaged at random draw within bounds or end in an error that says why', () => {
  const random = new Random(4);
  let refused = 0;
  let drawn = 0;
  for (let round = 0; round < 6000; round++) {
    const [set] = random.of(sets);
    const drawing = makeDrawing(set, random.int(0, 300));
    const surfaces = drawing.surfaces.map((surface) => surfaceFrom(surface, random.chance(50)));
    for (const message of drawing.messages) {
      const bytes = message.bytes.slice(0, random.chance(30) ? random.int(0, message.bytes.length) : message.bytes.length);
      // The image's own header is another file's to check, and this test's stand-in for it checks nothing.
      for (let damage = random.int(1, 6); damage > 0 && bytes.length > 0; damage--)
        bytes[random.int(0, Math.min(bytes.length, 90) - 1)] = random.of([0, 1, 0x7f, 0x80, 0xff, random.u32() & 0xff]);
      const rasteriser = new Rasteriser({
        surface: (id) => surfaces[id],
        picture: () => ({ width: 7, height: 5, pixels: new Uint32Array(35).fill(0x80402010), opaque: false }),
        mask: () => ({ width: 9, height: 9, bits: new Uint8Array(81).fill(1) }),
      });
      try {
        rasteriser.draw(reader.read(message.name, new Reader(bytes)));
        drawn++;
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(SpiceError);
        refused++;
      }
    }
  }
  expect(refused).toBeGreaterThan(500);
  expect(drawn).toBeGreaterThan(500);
});

test('a surface that is shown keeps its alpha whatever is drawn upon it', () => {
  const random = new Random(9);
  for (let round = 0; round < 1500; round++) {
    const [set] = random.of(sets);
    const [target] = draw(makeDrawing(set, random.int(0, 300)), false) as [Surface];
    if (target.format === surfaceFormat.xrgb) expect(target.pixels.every((pixel) => pixel >= 0xff000000)).toBe(true);
  }
});

test('a picture drawn from the surface that it is drawn upon is as it was before', () => {
  const surface = createSurface(0, 4, 1, surfaceFormat.argb);
  surface.pixels.set([1, 2, 3, 4]);
  const image = [...word(1), ...word(0), 104, 0, ...word(4), ...word(1), ...word(0)];
  const body = [...word(0), ...rect(1, 0, 4, 1), 0, ...word(57), ...rect(0, 0, 3, 1), 8, 0, 1, 0, ...word(0), ...word(0), ...word(0)];
  drawOn([surface], 'DRAW_COPY', Uint8Array.from([...body, ...image]));
  expect([...surface.pixels]).toEqual([1, 1, 2, 3]);
});

test('every name of a message that draws is read, and each with the surface that it names or not at all', () => {
  for (const name of Object.keys(drawMessage) as DrawMessageName[]) {
    const drawing = sets
      .map(([set]) => makeDrawing(set, 5))
      .flatMap(({ messages }) => messages)
      .find((message) => message.name === name);
    if (!drawing) continue;
    expect(() => drawOn([], name, drawing.bytes)).toThrow('there is no surface 0');
  }
});

function word(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24];
}

function rect(left: number, top: number, right: number, bottom: number): number[] {
  return [top, left, bottom, right].flatMap(word);
}
