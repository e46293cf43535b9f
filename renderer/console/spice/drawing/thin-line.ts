/** Lines of one pixel, as X draws its lines of width zero: Bresenham's, without the last point. */
import type { SpanPainter } from './spans.ts';

/** Which way a line goes, as bits of an octant's number. */
const yMajor = 1;
const yDecreasing = 2;
const xDecreasing = 4;
/** The octants in which a tie goes along the axis and not across: so a line has the same pixels from either end. */
const biasedOctants =
  (1 << (yDecreasing | yMajor)) | (1 << (xDecreasing | yDecreasing | yMajor)) | (1 << (xDecreasing | yDecreasing)) | (1 << xDecreasing);

/**
 * From (`x1`, `y1`) up to but without (`x2`, `y2`), however far outside they are: only the steps that can lie on a surface of that size
 * are taken.
 */
export function thinLine(painter: SpanPainter, x1: number, y1: number, x2: number, y2: number): void {
  const { width, height } = painter.target;
  const deltaX = Math.abs(x2 - x1);
  const deltaY = Math.abs(y2 - y1);
  const signX = x2 < x1 ? -1 : 1;
  const signY = y2 < y1 ? -1 : 1;
  const octant = (x2 < x1 ? xDecreasing : 0) | (y2 < y1 ? yDecreasing : 0);
  if (deltaX > deltaY) {
    const bias = (biasedOctants >> octant) & 1;
    const first = Math.max(0, signX > 0 ? -x1 : x1 - width + 1);
    const last = Math.min(deltaX - 1, signX > 0 ? width - 1 - x1 : x1);
    if (first > last) return;
    const across = Math.floor((2 * first * deltaY + deltaX - bias) / (2 * deltaX));
    let error = 2 * first * deltaY - 2 * across * deltaX - deltaX - bias;
    let x = x1 + signX * first;
    let y = y1 + signY * across;
    let spanX = x;
    let spanWidth = 0;
    for (let step = first; step <= last; step++) {
      if (signX < 0) spanX = x;
      spanWidth++;
      x += signX;
      error += 2 * deltaY;
      if (error >= 0) {
        painter.span(spanX, y, spanWidth);
        y += signY;
        error -= 2 * deltaX;
        spanX = x;
        spanWidth = 0;
      }
    }
    if (spanWidth > 0) painter.span(spanX, y, spanWidth);
    return;
  }
  const bias = (biasedOctants >> (octant | yMajor)) & 1;
  const first = Math.max(0, signY > 0 ? -y1 : y1 - height + 1);
  const last = Math.min(deltaY - 1, signY > 0 ? height - 1 - y1 : y1);
  if (first > last) return;
  const across = Math.floor((2 * first * deltaX + deltaY - bias) / (2 * deltaY));
  let error = 2 * first * deltaX - 2 * across * deltaY - deltaY - bias;
  let x = x1 + signX * across;
  let y = y1 + signY * first;
  for (let step = first; step <= last; step++) {
    painter.span(x, y, 1);
    error += 2 * deltaX;
    if (error >= 0) {
      x += signX;
      error -= 2 * deltaY;
    }
    y += signY;
  }
}
