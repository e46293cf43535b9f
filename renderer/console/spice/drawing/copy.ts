/** DRAW_COPY, DRAW_BLEND and DRAW_OPAQUE: a picture or a surface, in its size or scaled, upon what is there. */
import { mergeRow, rop } from './raster-operations.ts';
import type { Region } from './region.ts';
import { copyPixels, detached, fitRow, fitsAsIs, fittedSource, Row } from './rows.ts';
import { repeatMode, Sampler, type Transform } from './scale.ts';
import { bitsOf, type Rect, type Source, type Surface } from './surface.ts';

const fitted = new Row();
const sampler = new Sampler();
const stretched: Transform = { xx: 0, xy: 0, x0: 0, yx: 0, yy: 0, y0: 0 };

/**
 * Draws what of `area` of the source lies inside of it into `box`, where `region` allows. What would come from beyond the source's edges is
 * left alone in its size, and transparent black when scaled, as on the server.
 */
export function copyRegion(
  target: Surface,
  region: Region,
  source: Source,
  area: Rect,
  box: Rect,
  operation: number,
  interpolate: boolean,
): void {
  const from = detached(source, target);
  if (area.right - area.left === box.right - box.left && area.bottom - area.top === box.bottom - box.top)
    blitRegion(target, region, from, area.left - box.left, area.top - box.top, operation);
  else scaleRegion(target, region, fittedSource(from, target), area, box, operation, interpolate);
}

/** `aheadX` and `aheadY` are what is added to a place on the surface to have it on the source. */
export function blitRegion(target: Surface, region: Region, source: Source, aheadX: number, aheadY: number, operation: number): void {
  const { boxes } = region;
  const asIs = fitsAsIs(source, target);
  const bits = bitsOf(target.format);
  for (let box = 0; box < region.count * 4; box += 4) {
    const left = Math.max(boxes[box] as number, -aheadX);
    const top = Math.max(boxes[box + 1] as number, -aheadY);
    const right = Math.min(boxes[box + 2] as number, source.width - aheadX);
    const bottom = Math.min(boxes[box + 3] as number, source.height - aheadY);
    const count = right - left;
    if (count <= 0 || top >= bottom) continue;
    if (asIs && operation === rop.copy && count === target.width && count === source.width) {
      copyPixels(target.pixels, top * count, source.pixels, (top + aheadY) * count, (bottom - top) * count);
      continue;
    }
    for (let row = top; row < bottom; row++) {
      const at = row * target.width + left;
      const start = (row + aheadY) * source.width + left + aheadX;
      if (operation === rop.copy) {
        copyPixels(target.pixels, at, source.pixels, start, count);
        if (!asIs) fitRow(target, target.pixels, at, at + count);
      } else if (asIs) mergeRow(target.pixels, at, at + count, source.pixels, start, operation, bits, target.opaqueBits);
      else {
        const pixels = fitted.of(count);
        copyPixels(pixels, 0, source.pixels, start, count);
        fitRow(target, pixels, 0, count);
        mergeRow(target.pixels, at, at + count, pixels, 0, operation, bits, target.opaqueBits);
      }
    }
  }
}

/**
 * Stretches a whole picture over `box`, upside down if so wanted. Unlike DRAW_COPY it takes the picture to go on beyond its edges as it ends
 * there, so that these do not darken.
 */
export function stretchRegion(target: Surface, region: Region, source: Source, box: Rect, upsideDown: boolean): void {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  if (!upsideDown && width === source.width && height === source.height) {
    blitRegion(target, region, source, -box.left, -box.top, rop.copy);
    return;
  }
  const yy = Math.trunc((source.height * 0x10000) / height);
  stretched.xx = Math.trunc((source.width * 0x10000) / width);
  stretched.yy = upsideDown ? -yy : yy;
  stretched.y0 = upsideDown ? source.height * 0x10000 : 0;
  if (sampler.transformed(source, source.opaque, true, repeatMode.pad, stretched, region, box.left, box.top))
    drawSampled(target, region, box, rop.copy);
}

function scaleRegion(
  target: Surface,
  region: Region,
  source: Source,
  area: Rect,
  destination: Rect,
  operation: number,
  interpolate: boolean,
): void {
  if (!sampler.scale(source, source.opaque, area, destination, region, interpolate)) return;
  drawSampled(target, region, destination, operation);
}

/** Draws what the sampler has, whose places count from the corner of `destination`. */
function drawSampled(target: Surface, region: Region, destination: Rect, operation: number): void {
  const { boxes } = region;
  const bits = bitsOf(target.format);
  for (let box = 0; box < region.count * 4; box += 4) {
    const left = boxes[box] as number;
    const count = (boxes[box + 2] as number) - left;
    const pixels = fitted.of(count);
    for (let row = boxes[box + 1] as number; row < (boxes[box + 3] as number); row++) {
      const at = row * target.width + left;
      sampler.row(left - destination.left, row - destination.top, count, pixels);
      fitRow(target, pixels, 0, count);
      if (operation === rop.copy) copyPixels(target.pixels, at, pixels, 0, count);
      else mergeRow(target.pixels, at, at + count, pixels, 0, operation, bits, target.opaqueBits);
    }
  }
}
