/** DRAW_FILL, DRAW_BLACKNESS, DRAW_WHITENESS, DRAW_INVERS: a colour or a tile upon what is there. */
import { mergeColour, mergeRow, rop } from './raster-operations.ts';
import type { Region } from './region.ts';
import { copyPixels, detached, fitRow, fitsAsIs, Row } from './rows.ts';
import { bitsOf, type Source, type Surface } from './surface.ts';

/** Below this a loop is done before `fill` begins. */
const minFillPx = 16;
const tileRow = new Row();

/** `pixel` is one of the surface's: see `pixelOf`. */
export function fillRegion(target: Surface, region: Region, pixel: number, operation: number): void {
  const { boxes } = region;
  for (let box = 0; box < region.count * 4; box += 4)
    fillBox(target, boxes[box] as number, boxes[box + 1] as number, boxes[box + 2] as number, boxes[box + 3] as number, pixel, operation);
}

/** A rectangle that lies inside the surface. */
export function fillBox(target: Surface, left: number, top: number, right: number, bottom: number, pixel: number, operation: number): void {
  const { pixels, width } = target;
  const bits = bitsOf(target.format);
  if (operation !== rop.copy) {
    for (let row = top; row < bottom; row++)
      mergeColour(pixels, row * width + left, row * width + right, pixel, operation, bits, target.opaqueBits);
    return;
  }
  const count = right - left;
  if (count === width) pixels.fill(pixel, top * width, bottom * width);
  else if (count >= minFillPx) for (let row = top; row < bottom; row++) pixels.fill(pixel, row * width + left, row * width + right);
  else for (let row = top; row < bottom; row++) for (let at = row * width + left, end = at + count; at < end; at++) pixels[at] = pixel;
}

/** Lays tiles of `tile` over a region; (`x`, `y`) is where one of them begins. */
export function tileRegion(target: Surface, region: Region, tile: Source, x: number, y: number, operation: number): void {
  const { boxes } = region;
  const from = detached(tile, target);
  for (let box = 0; box < region.count * 4; box += 4)
    tileBox(
      target,
      boxes[box] as number,
      boxes[box + 1] as number,
      boxes[box + 2] as number,
      boxes[box + 3] as number,
      from,
      x,
      y,
      operation,
    );
}

/** A rectangle that lies inside the surface. The tile must not be the surface itself. */
export function tileBox(
  target: Surface,
  left: number,
  top: number,
  right: number,
  bottom: number,
  tile: Source,
  x: number,
  y: number,
  operation: number,
): void {
  const { pixels, width } = target;
  const bits = bitsOf(target.format);
  const asIs = fitsAsIs(tile, target);
  const count = right - left;
  const row = tileRow.of(count);
  const firstX = modulo(left - x, tile.width);
  for (let line = top; line < bottom; line++) {
    repeatRow(row, count, tile, firstX, modulo(line - y, tile.height));
    if (!asIs) fitRow(target, row, 0, count);
    const at = line * width + left;
    if (operation === rop.copy) copyPixels(pixels, at, row, 0, count);
    else mergeRow(pixels, at, at + count, row, 0, operation, bits, target.opaqueBits);
  }
}

/** One row of a tile, again and again from `firstX` on. */
export function repeatRow(row: Uint32Array, count: number, tile: Source, firstX: number, tileY: number): void {
  const start = tileY * tile.width;
  let x = firstX;
  const once = Math.min(count, tile.width);
  for (let at = 0; at < once; at++) {
    row[at] = tile.pixels[start + x] as number;
    if (++x === tile.width) x = 0;
  }
  // What is there already is a whole number of tiles: it is doubled until the row is full.
  for (let done = once; done < count; done *= 2) row.copyWithin(done, 0, Math.min(done, count - done));
}

/** The remainder that is never negative. */
export function modulo(value: number, by: number): number {
  const rest = value % by;
  return rest < 0 ? rest + by : rest;
}
