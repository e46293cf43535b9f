/** DRAW_TEXT: the glyphs of a string, each pixel of them covered more or less, laid over what is there in one colour or a pattern. */

import { modulo } from './fill.ts';
import { multiply, over } from './pixel-arithmetic.ts';
import type { Region } from './region.ts';
import { fittedSource } from './rows.ts';
import { fitPixels, isOpaque, needsFitting, type Rect, type Source, type Surface, surfaceFormat } from './surface.ts';

/** SPICE_STRING_FLAGS_* */
export const stringFlag = { rasterA1: 1, rasterA4: 2, rasterA8: 4 } as const;

/** The glyphs of one string: five numbers each, left, top, width, height, and where the rows begin in `bytes`, from the lowest row up. */
export interface GlyphRun {
  /** 1, 4 or 8 bits a pixel. */
  bits: 1 | 4 | 8;
  count: number;
  places: Int32Array;
  bytes: Uint8Array;
}

const part: Rect = { left: 0, top: 0, right: 0, bottom: 0 };
let coverage = new Uint8Array(4096);

/** `tile`, else `pixel`, is the colour; both are premultiplied and `0xAABBGGRR`. */
export function drawText(
  target: Surface,
  region: Region,
  run: GlyphRun,
  pixel: number,
  tile: Source | null,
  tileX: number,
  tileY: number,
): void {
  if (run.count === 0 || region.empty) return;
  let left = Number.POSITIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < run.count * 5; at += 5) {
    const x = run.places[at] as number;
    const y = run.places[at + 1] as number;
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + (run.places[at + 2] as number));
    bottom = Math.max(bottom, y + (run.places[at + 3] as number));
  }
  // Only what can be seen is put together: a string's box is as large as its server says.
  region.extents(part);
  part.left = Math.max(part.left, left);
  part.top = Math.max(part.top, top);
  part.right = Math.min(part.right, right);
  part.bottom = Math.min(part.bottom, bottom);
  const width = part.right - part.left;
  const height = part.bottom - part.top;
  if (width <= 0 || height <= 0) return;
  if (coverage.length < width * height) coverage = new Uint8Array(width * height * 2);
  else coverage.fill(0, 0, width * height);
  for (let glyph = 0; glyph < run.count; glyph++) coverGlyph(run, glyph, width);
  const from = tile ? fittedSource(tile, target) : null;
  const { boxes } = region;
  for (let box = 0; box < region.count * 4; box += 4) {
    const x1 = Math.max(part.left, boxes[box] as number);
    const x2 = Math.min(part.right, boxes[box + 2] as number);
    if (x1 >= x2) continue;
    const y2 = Math.min(part.bottom, boxes[box + 3] as number);
    for (let row = Math.max(part.top, boxes[box + 1] as number); row < y2; row++) {
      const covered = (row - part.top) * width + x1 - part.left;
      if (from) paintTiledRow(target, row * target.width + x1, x2 - x1, covered, from, x1 - left - tileX, row - top - tileY);
      else paintRow(target, row * target.width + x1, x2 - x1, covered, pixel);
    }
  }
}

/** A string's colour as the server reads it: on surfaces of 16 bits with five bits for each part, whichever of the two formats it is. */
export function textPixel(target: Surface, colour: number): number {
  if (target.format !== surfaceFormat.rgb555 && target.format !== surfaceFormat.rgb565)
    return (0xff000000 | ((colour & 0xff) << 16) | (colour & 0xff00) | ((colour >>> 16) & 0xff)) >>> 0;
  const blue = Math.floor(((colour & 0x1f) * 0xffff) / 0x1f) >>> 8;
  const green = Math.floor((((colour >>> 5) & 0x1f) * 0xffff) / 0x1f) >>> 8;
  const red = Math.floor((((colour >>> 10) & 0x1f) * 0xffff) / 0x1f) >>> 8;
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

/** Adds what of a glyph lies in `part` to the coverage, whose rows are `width` long. */
function coverGlyph(run: GlyphRun, glyph: number, width: number): void {
  const { places, bytes, bits } = run;
  const left = places[glyph * 5] as number;
  const top = places[glyph * 5 + 1] as number;
  const glyphWidth = places[glyph * 5 + 2] as number;
  const glyphHeight = places[glyph * 5 + 3] as number;
  const start = places[glyph * 5 + 4] as number;
  const stride = (glyphWidth * bits + 7) >> 3;
  const x1 = Math.max(left, part.left);
  const x2 = Math.min(left + glyphWidth, part.right);
  const y2 = Math.min(top + glyphHeight, part.bottom);
  for (let row = Math.max(top, part.top); row < y2; row++) {
    const from = start + (glyphHeight - 1 - (row - top)) * stride;
    const to = (row - part.top) * width - part.left;
    if (bits === 1)
      for (let x = x1; x < x2; x++) {
        const column = x - left;
        if (((bytes[from + (column >> 3)] as number) & (0x80 >> (column & 7))) !== 0) coverage[to + x] = 0xff;
      }
    else
      for (let x = x1; x < x2; x++) {
        const column = x - left;
        // Four bits are the high half of eight, so that 15 does not cover wholly; and where glyphs overlap, the right one of a byte's two
        // pixels is compared with the left one's bits still on: it is what the server draws.
        const value =
          bits === 8
            ? (bytes[from + column] as number)
            : (column & 1) === 0
              ? (bytes[from + (column >> 1)] as number) & 0xf0
              : (bytes[from + (column >> 1)] as number) << 4;
        if (value > (coverage[to + x] as number)) coverage[to + x] = value & 0xff;
      }
  }
}

function paintRow(target: Surface, start: number, count: number, covered: number, pixel: number): void {
  const { pixels, format } = target;
  const set = target.opaqueBits | 0;
  const kept = isOpaque(format) && set === 0 ? 0x00ffffff : -1;
  const wholly = (pixel & kept) | set;
  for (let index = 0; index < count; index++) {
    const part = coverage[covered + index] as number;
    if (part === 0xff) pixels[start + index] = wholly;
    else if (part !== 0) pixels[start + index] = (over(multiply(pixel, part), pixels[start + index] as number) & kept) | set;
  }
  if (needsFitting(format)) fitPixels(format, pixels, start, start + count);
}

/** `x` and `y` are the place in the endless pattern. */
function paintTiledRow(target: Surface, start: number, count: number, covered: number, tile: Source, x: number, y: number): void {
  const { pixels, format } = target;
  const set = target.opaqueBits | 0;
  const kept = isOpaque(format) && set === 0 ? 0x00ffffff : -1;
  const alphaBits = tile.opaque ? 0xff000000 : 0;
  const row = modulo(y, tile.height) * tile.width;
  let column = modulo(x, tile.width);
  for (let index = 0; index < count; index++) {
    const part = coverage[covered + index] as number;
    const pixel = (tile.pixels[row + column] as number) | alphaBits;
    if (part !== 0) pixels[start + index] = (over(multiply(pixel, part), pixels[start + index] as number) & kept) | set;
    if (++column === tile.width) column = 0;
  }
  if (needsFitting(format)) fitPixels(format, pixels, start, start + count);
}
