/** DRAW_TRANSPARENT: a picture without those of its pixels that have one colour. */
import type { Region } from './region.ts';
import { copyPixels, detached, fitRow, fitsAsIs, fittedSource, Row } from './rows.ts';
import { Sampler } from './scale.ts';
import { fitPixels, needsFitting, type Rect, type Source, type Surface, surfaceFormat, swapRedBlue } from './surface.ts';

const fitted = new Row();
const key = new Uint32Array(1);
const sampler = new Sampler();

/** `colour` is `0xRRGGBB`: pixels of it stay as they are. */
export function drawTransparent(target: Surface, region: Region, source: Source, area: Rect, box: Rect, colour: number): void {
  const alphaOnly = target.format === surfaceFormat.a8 || target.format === surfaceFormat.a1;
  const compared = alphaOnly ? 0xff000000 : 0xffffff;
  key[0] = alphaOnly ? 0 : swapRedBlue(colour);
  if (needsFitting(target.format)) fitPixels(target.format, key, 0, 1);
  const left = (key[0] & compared) >>> 0;
  const { boxes } = region;
  const scaled = area.right - area.left !== box.right - box.left || area.bottom - area.top !== box.bottom - box.top;
  const from = scaled ? fittedSource(source, target) : detached(source, target);
  if (scaled && !sampler.scale(from, false, area, box, region, false)) return;
  const asIs = fitsAsIs(from, target);
  const aheadX = area.left - box.left;
  const aheadY = area.top - box.top;
  for (let at = 0; at < region.count * 4; at += 4) {
    let x1 = boxes[at] as number;
    let y1 = boxes[at + 1] as number;
    let x2 = boxes[at + 2] as number;
    let y2 = boxes[at + 3] as number;
    if (!scaled) {
      x1 = Math.max(x1, -aheadX);
      y1 = Math.max(y1, -aheadY);
      x2 = Math.min(x2, from.width - aheadX);
      y2 = Math.min(y2, from.height - aheadY);
    }
    const count = x2 - x1;
    if (count <= 0) continue;
    for (let row = y1; row < y2; row++) {
      const to = row * target.width + x1;
      const start = (row + aheadY) * from.width + x1 + aheadX;
      if (!scaled && asIs) {
        keyedRow(target.pixels, to, count, from.pixels, start, left, compared);
        continue;
      }
      const pixels = fitted.of(count);
      if (scaled) sampler.row(x1 - box.left, row - box.top, count, pixels);
      else copyPixels(pixels, 0, from.pixels, start, count);
      fitRow(target, pixels, 0, count);
      keyedRow(target.pixels, to, count, pixels, 0, left, compared);
    }
  }
}

function keyedRow(to: Uint32Array, at: number, count: number, from: Uint32Array, start: number, left: number, compared: number): void {
  for (let index = 0; index < count; index++) {
    const pixel = from[start + index] as number;
    if ((pixel & compared) >>> 0 !== left) to[at + index] = pixel;
  }
}
