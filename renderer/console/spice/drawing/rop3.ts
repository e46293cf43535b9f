/** DRAW_ROP3: any of the 256 operations of a picture, a brush and what is there. */

import { modulo, repeatRow } from './fill.ts';
import { type MergeWords, mergeWords } from './raster-operations.ts';
import type { Region } from './region.ts';
import { copyPixels, detached, fitRow, fitsAsIs, fittedSource, Row } from './rows.ts';
import { Sampler } from './scale.ts';
import { bitsOf, type Rect, type Source, type Surface } from './surface.ts';

const sampler = new Sampler();
const sourceRow = new Row();
const brushRow = new Row();
const whereZero: MergeWords = { sourceMask: 0, sourceFlip: 0, resultMask: 0, resultFlip: 0 };
const whereOne: MergeWords = { sourceMask: 0, sourceFlip: 0, resultMask: 0, resultFlip: 0 };

/** What the picture and the surface make under a brush bit of 0 (the low half of the code) or 1, numbered as the sixteen operations are. */
function operationUnder(code: number, brushBit: 0 | 1): number {
  const half = (code >> (brushBit * 4)) & 15;
  // In a code, bit 2·source + destination; in an operation, bit 3 − (2·source + destination).
  return ((half & 1) << 3) | ((half & 2) << 1) | ((half & 4) >> 1) | ((half & 8) >> 3);
}

/**
 * `tile` with its place, or else `pixel`, is the brush. Where the source has no pixels nothing is drawn.
 */
export function drawRop3(
  target: Surface,
  region: Region,
  source: Source,
  area: Rect,
  box: Rect,
  code: number,
  interpolate: boolean,
  pixel: number,
  tile: Source | null,
  tileX: number,
  tileY: number,
): void {
  const brush = tile ? detached(tile, target) : null;
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const scaled = area.right - area.left !== width || area.bottom - area.top !== height;
  const from = scaled ? fittedSource(source, target) : detached(source, target);
  if (scaled && !beginScaling(from, area, box, region, interpolate)) return;
  mergeWords(operationUnder(code, 0), whereZero);
  mergeWords(operationUnder(code, 1), whereOne);
  const bits = bitsOf(target.format);
  const aheadX = area.left - box.left;
  const aheadY = area.top - box.top;
  const { boxes } = region;
  for (let at = 0; at < region.count * 4; at += 4) {
    const left = scaled ? (boxes[at] as number) : Math.max(boxes[at] as number, -aheadX);
    const right = scaled ? (boxes[at + 2] as number) : Math.min(boxes[at + 2] as number, from.width - aheadX);
    const top = scaled ? (boxes[at + 1] as number) : Math.max(boxes[at + 1] as number, -aheadY);
    const bottom = scaled ? (boxes[at + 3] as number) : Math.min(boxes[at + 3] as number, from.height - aheadY);
    const count = right - left;
    if (count <= 0) continue;
    const pixels = sourceRow.of(count);
    const brushPixels = brushRow.of(count);
    brushPixels.fill(pixel, 0, count);
    for (let row = top; row < bottom; row++) {
      if (scaled) sampler.row(left - box.left, row - box.top, count, pixels);
      else copyPixels(pixels, 0, from.pixels, (row + aheadY) * from.width + left + aheadX, count);
      if (scaled || !fitsAsIs(from, target)) fitRow(target, pixels, 0, count);
      if (brush) {
        repeatRow(brushPixels, count, brush, modulo(left - tileX, brush.width), modulo(row - tileY, brush.height));
        if (!fitsAsIs(brush, target)) fitRow(target, brushPixels, 0, count);
      }
      mergeThree(target.pixels, row * target.width + left, count, pixels, brushPixels, bits, target.opaqueBits);
    }
  }
}

function mergeThree(
  pixels: Uint32Array,
  start: number,
  count: number,
  source: Uint32Array,
  brush: Uint32Array,
  bits: number,
  opaqueBits: number,
): void {
  const { sourceMask: mask0, sourceFlip: flip0, resultMask: result0, resultFlip: end0 } = whereZero;
  const { sourceMask: mask1, sourceFlip: flip1, resultMask: result1, resultFlip: end1 } = whereOne;
  const set = opaqueBits | 0;
  for (let index = 0; index < count; index++) {
    const under = brush[index] as number;
    const from = source[index] as number;
    const there = pixels[start + index] as number;
    const zero = (there & ((from & mask0) ^ flip0)) ^ ((from & result0) ^ end0);
    const one = (there & ((from & mask1) ^ flip1)) ^ ((from & result1) ^ end1);
    const merged = (zero & ~under) | (one & under);
    pixels[start + index] = (merged & bits) | (there & ~bits) | set;
  }
}

/** The server scales for ROP3 in another way than for the rest: it begins at a whole pixel of the result. */
function beginScaling(source: Source, area: Rect, box: Rect, region: Region, interpolate: boolean): boolean {
  const scaleX = (area.right - area.left) / (box.right - box.left);
  const scaleY = (area.bottom - area.top) / (box.bottom - box.top);
  const xx = Math.trunc(scaleX * 0x10000);
  const yy = Math.trunc(scaleY * 0x10000);
  if (xx === 0 || yy === 0) return false;
  const firstX = Math.floor(area.left / scaleX + 0.5);
  const firstY = Math.floor(area.top / scaleY + 0.5);
  const transform = { xx, xy: 0, x0: xx * firstX, yx: 0, yy, y0: yy * firstY };
  return sampler.transformed(source, source.opaque, interpolate, 0, transform, region, box.left, box.top);
}
