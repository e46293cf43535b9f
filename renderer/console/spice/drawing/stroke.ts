/** DRAW_STROKE: a path of lines and curves, one pixel wide, whole or dashed. */
import { SpiceError } from '../protocol/spice-error.ts';
import { DashedLine } from './dashed-line.ts';
import type { SpanPainter } from './spans.ts';
import { thinLine } from './thin-line.ts';

/** SPICE_PATH_* */
export const pathFlag = { begin: 1, end: 2, close: 8, bezier: 16 } as const;
/** SPICE_LINE_FLAGS_* */
export const lineFlag = { startWithGap: 4, styled: 8 } as const;

/** A curve is halved so often at most: far more than one across the largest surface needs. */
const maxHalvings = 16;
const maxPoints = 2_000_000;

/** Segments as a message has them, in 28.4 fixed point: x and y in turn. */
export interface Path {
  segmentCount: number;
  /** For each segment its flags and how many points it has. */
  segments: Int32Array;
  points: Int32Array;
}

/** The lines that a path comes to, in whole pixels. */
let line = new Int32Array(256);

/** `dashes` in pixels, empty for a whole line. */
export function drawStroke(painter: SpanPainter, path: Path, dashes: Uint8Array, dashOffset: number): void {
  const dashed = dashes.some((length) => length > 0) ? new DashedLine(painter, dashes, dashOffset) : null;
  let length = 0;
  let drawn = 0;
  const flush = (): void => {
    drawn += length;
    if (drawn > maxPoints) throw new SpiceError(`a path of more than ${maxPoints} points`);
    if (length > 0 && dashed) dashed.draw(line, length);
    else
      for (let at = 2; at < length * 2; at += 2)
        thinLine(painter, line[at - 2] as number, line[at - 1] as number, line[at] as number, line[at + 1] as number);
    length = 0;
  };
  let from = 0;
  for (let segment = 0; segment < path.segmentCount; segment++) {
    const flags = path.segments[segment * 2] as number;
    const end = from + (path.segments[segment * 2 + 1] as number) * 2;
    let at = from;
    from = end;
    if (flags & pathFlag.begin) {
      flush();
      if (at < end) {
        length = append(length, wholePixel(path.points[at] as number), wholePixel(path.points[at + 1] as number));
        at += 2;
      }
    }
    if (flags & pathFlag.bezier) {
      // A curve goes on from a point: without one there is nothing to draw.
      for (; at + 6 <= end && length > 0; at += 6) length = appendCurve(length, path.points, at);
    } else
      for (; at < end; at += 2) length = append(length, wholePixel(path.points[at] as number), wholePixel(path.points[at + 1] as number));
    if (flags & pathFlag.end) {
      if (flags & pathFlag.close && length > 0) length = append(length, line[0] as number, line[1] as number);
      flush();
    }
  }
  flush();
}

/** A half is rounded down. */
export function wholePixel(fixed: number): number {
  return (fixed >> 4) + ((fixed & 15) > 8 ? 1 : 0);
}

function append(length: number, x: number, y: number): number {
  if (length >= maxPoints) throw new SpiceError(`a path of more than ${maxPoints} points`);
  if (length * 2 + 2 > line.length) {
    const longer = new Int32Array(line.length * 2);
    longer.set(line);
    line = longer;
  }
  line[length * 2] = x;
  line[length * 2 + 1] = y;
  return length + 1;
}

function appendCurve(length: number, points: Int32Array, at: number): number {
  return halve(
    length,
    (line[length * 2 - 2] as number) * 16,
    (line[length * 2 - 1] as number) * 16,
    points[at] as number,
    points[at + 1] as number,
    points[at + 2] as number,
    points[at + 3] as number,
    points[at + 4] as number,
    points[at + 5] as number,
    0,
  );
}

/** Halves a cubic curve until each piece is as good as straight, which is when its control points are less than half a pixel off. */
function halve(
  length: number,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  x3: number,
  y3: number,
  depth: number,
): number {
  if (depth === maxHalvings || isStraight(x1 - x0, y1 - y0, x2 - x3, y2 - y3, x3 - x0, y3 - y0))
    return append(length, wholePixel(x3), wholePixel(y3));
  const x01 = middle(x0, x1);
  const y01 = middle(y0, y1);
  const x12 = middle(x1, x2);
  const y12 = middle(y1, y2);
  const x23 = middle(x2, x3);
  const y23 = middle(y2, y3);
  const x012 = middle(x01, x12);
  const y012 = middle(y01, y12);
  const x123 = middle(x12, x23);
  const y123 = middle(y12, y23);
  const x = middle(x012, x123);
  const y = middle(y012, y123);
  const half = halve(length, x0, y0, x01, y01, x012, y012, x, y, depth + 1);
  return halve(half, x, y, x123, y123, x23, y23, x3, y3, depth + 1);
}

/** The vectors from each end to its control point, and from the first end to the second; 28.4 squared needs more than 53 bits. */
function isStraight(ax: number, ay: number, cx: number, cy: number, bx: number, by: number): boolean {
  const first = BigInt(ax * ax + ay * ay) >> 4n;
  const chord = BigInt(bx * bx + by * by) >> 4n;
  const second = BigInt(cx * cx + cy * cy) >> 4n;
  const alongFirst = BigInt(ax * bx + ay * by) >> 4n;
  const alongSecond = BigInt(-cx * bx - cy * by) >> 4n;
  return (first * chord - alongFirst * alongFirst) >> 3n < chord && (second * chord - alongSecond * alongSecond) >> 3n < chord;
}

function middle(one: number, other: number): number {
  return Math.trunc((one + other) / 2);
}
