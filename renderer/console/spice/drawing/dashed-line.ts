/**
 * Dashed lines of one pixel, as the server draws them: with the code that X has for wide lines, each dash a rectangle one pixel across, joined
 * by mitres, and gaps left as they are.
 */

import { fillPolygon, type Slope, type Vertex } from './polygon.ts';
import { rop } from './raster-operations.ts';
import { HeldSpans, type SpanPainter } from './spans.ts';
import type { Rect } from './surface.ts';

/** How many dashes of one command are drawn at most, those that cannot be seen not counted. */
const maxDashes = 2_000_000;
/** What is further away than the longest dash cannot be seen. */
const marginPx = 260;
/** From so many repetitions of all dashes on they are passed over at once, when they cannot be seen: adding them up takes as long as the line. */
const minSkipped = 64;
/** 1/sin²(5.5°): longer mitres are cut off. */
const mitreLimit = 108.856472512142;

/** Where a line ends: its direction away from the end, and one corner of the end. */
type Face = { x: number; y: number; dx: number; dy: number; cornerX: number; cornerY: number; constant: number };

const makeFace = (): Face => ({ x: 0, y: 0, dx: 0, dy: 0, cornerX: 0, cornerY: 0, constant: 0 });
const makeVertices = (): Vertex[] => Array.from({ length: 4 }, () => ({ x: 0, y: 0 }));
const makeSlopes = (): Slope[] => Array.from({ length: 4 }, () => ({ dx: 0, dy: 0, constant: 0 }));

/** Draws one open or closed polyline after another. */
export class DashedLine {
  readonly #painter: SpanPainter;
  readonly #dashes: Uint8Array;
  readonly #offset: number;
  readonly #held: HeldSpans | null;
  #index = 0;
  /** How much of the dash at `#index` is drawn already. */
  #done = 0;
  #dashesLeft = maxDashes;
  /** The sum of all dashes and gaps. */
  readonly #period: number;
  readonly #extents: Rect = { left: 0, top: 0, right: 0, bottom: 0 };
  /** Between these distances from its start a segment can be seen. */
  #seenFrom = 0;
  #seenTo = 0;
  readonly #paint: (x: number, y: number, width: number) => void;
  readonly #top: Vertex;
  readonly #right: Vertex;
  readonly #bottom: Vertex;
  readonly #left: Vertex;
  readonly #vertices = makeVertices();
  readonly #slopes = makeSlopes();
  readonly #joinVertices = makeVertices();
  readonly #joinSlopes = makeSlopes();

  /** Lengths of dash and gap in turn, not all of them zero; the first line begins after `offset` pixels of them. */
  constructor(painter: SpanPainter, dashes: Uint8Array, offset: number) {
    this.#painter = painter;
    this.#dashes = dashes;
    this.#offset = offset;
    this.#period = dashes.reduce((sum, length) => sum + length, 0);
    this.#held = touchesOnce(painter.operation) ? new HeldSpans() : null;
    this.#paint = (x, y, width) => this.#painter.span(x, y, width);
    [this.#top, this.#right, this.#bottom, this.#left] = this.#vertices as [Vertex, Vertex, Vertex, Vertex];
  }

  /** `points` holds x and y in turn. */
  draw(points: Int32Array, pointCount: number): void {
    const last = pointCount * 2 - 2;
    const closed = points[0] === points[last] && points[1] === points[last + 1];
    // Where pixels would be touched twice all spans are held back; lines of a single piece never do.
    const held = pointCount < 3 ? null : this.#held;
    const paint = held ? (x: number, y: number, width: number) => held.add(x, y, width) : this.#paint;
    this.#index = 0;
    this.#done = 0;
    this.#advance(this.#offset);
    let first = true;
    let firstFace: Face | null = null;
    let previous: Face | null = null;
    let previousEndsDrawn = false;
    for (let at = 2; at <= last; at += 2) {
      const x1 = points[at - 2] as number;
      const y1 = points[at - 1] as number;
      const x2 = points[at] as number;
      const y2 = points[at + 1] as number;
      let endsDrawn: boolean = previousEndsDrawn;
      if (x1 !== x2 || y1 !== y2) {
        const startsDrawn = (this.#index & 1) === 0;
        const start = makeFace();
        const end = makeFace();
        this.#segment(x1, y1, x2, y2, start, end, paint);
        endsDrawn = ((this.#index & 1) ^ (this.#done === 0 ? 0 : 1)) !== 0;
        if (startsDrawn) {
          if (first || !previousEndsDrawn) {
            if (first && closed) firstFace = { ...start };
          } else if (previous) this.#join(start, previous, held !== null, paint);
        }
        previous = end;
        previousEndsDrawn = endsDrawn;
        first = false;
      }
      if (at === last && previous && endsDrawn && firstFace) this.#join(firstFace, previous, held !== null, paint);
    }
    held?.paint(this.#painter);
  }

  /** Goes on by `distance` pixels without drawing. */
  #advance(distance: number): void {
    const dashes = this.#dashes;
    const left = (dashes[this.#index] as number) - this.#done;
    if (distance < left) {
      this.#done += distance;
      return;
    }
    let rest = distance - left;
    this.#nextDash();
    if (this.#period <= rest) rest %= this.#period;
    while (rest >= (dashes[this.#index] as number)) {
      rest -= dashes[this.#index] as number;
      this.#nextDash();
    }
    this.#done = rest;
  }

  #nextDash(): void {
    this.#index = this.#index + 1 === this.#dashes.length ? 0 : this.#index + 1;
  }

  #segment(
    x1: number,
    y1: number,
    x2: number,
    y2: number,
    start: Face,
    end: Face,
    paint: (x: number, y: number, width: number) => void,
  ): void {
    const dx = x2 - x1;
    const dy = y2 - y1;
    const length = Math.sqrt(dx * dx + dy * dy);
    // Half a pixel along the line.
    let alongX: number;
    let alongY: number;
    if (dx === 0) [alongX, alongY] = [0, Math.sign(dy) * 0.5];
    else if (dy === 0) [alongX, alongY] = [Math.sign(dx) * 0.5, 0];
    else {
      const scale = 0.5 / length;
      [alongX, alongY] = [scale * dx, scale * dy];
    }
    const constant = 0.5 * length;
    const [top, right, bottom, left] = [this.#top, this.#right, this.#bottom, this.#left];
    const [topSlope, rightSlope, bottomSlope, leftSlope] = this.#slopes as [Slope, Slope, Slope, Slope];
    setSlope(topSlope, dx, dy, constant);
    setSlope(rightSlope, -dy, dx, 0);
    setSlope(bottomSlope, -dx, -dy, constant);
    setSlope(leftSlope, dy, -dx, 0);
    setVertex(top, alongY, -alongX);
    setVertex(right, alongY, -alongX);
    setVertex(bottom, -alongY, alongX);
    setVertex(left, -alongY, alongX);
    let rest = length;
    let dash = (this.#dashes[this.#index] as number) - this.#done;
    this.#look(x1, y1, dx, dy, length);
    while (rest > dash && this.#dashesLeft > 0) {
      const at = length - rest;
      const seen = at <= this.#seenTo && at + dash >= this.#seenFrom;
      if (!seen) {
        const periods = Math.floor((Math.min(rest, at < this.#seenFrom ? this.#seenFrom - at : rest) - dash) / this.#period) - 1;
        if (periods >= minSkipped) {
          const shift = (periods * this.#period) / length;
          for (const vertex of this.#vertices) setVertex(vertex, vertex.x + shift * dx, vertex.y + shift * dy);
          leftSlope.constant -= shift * length * length;
          rest -= periods * this.#period;
          continue;
        }
      } else this.#dashesLeft--;
      const stepX = (dash * dx) / length;
      const stepY = (dash * dy) / length;
      setVertex(right, right.x + stepX, right.y + stepY);
      setVertex(bottom, bottom.x + stepX, bottom.y + stepY);
      rightSlope.constant = right.x * dx + right.y * dy;
      if (seen && (this.#index & 1) === 0) fillPolygon(this.#vertices, this.#slopes, 4, x1, y1, paint);
      rest -= dash;
      this.#nextDash();
      dash = this.#dashes[this.#index] as number;
      setVertex(top, right.x, right.y);
      setVertex(left, bottom.x, bottom.y);
      leftSlope.constant = -rightSlope.constant;
    }
    if ((this.#index & 1) === 0 && rest <= dash) {
      setVertex(top, top.x - dx, top.y - dy);
      setVertex(left, left.x - dx, left.y - dy);
      setVertex(right, alongY, -alongX);
      setVertex(bottom, -alongY, alongX);
      rightSlope.constant = 0;
      leftSlope.constant += dx * dx + dy * dy;
      fillPolygon(this.#vertices, this.#slopes, 4, x2, y2, paint);
    }
    let ahead = Math.max(0, Math.trunc(dash - rest));
    if (ahead === 0) {
      this.#nextDash();
      ahead = this.#dashes[this.#index] as number;
    }
    this.#done = (this.#dashes[this.#index] as number) - ahead;
    setFace(start, x1, y1, dx, dy, alongY, -alongX, constant);
    setFace(end, x2, y2, -dx, -dy, -alongY, alongX, constant);
  }

  /** Finds between which distances from its start a segment comes near what may be drawn upon. */
  #look(x: number, y: number, dx: number, dy: number, length: number): void {
    const extents = this.#extents;
    this.#painter.region.extents(extents);
    let from = 0;
    let to = 1;
    if (dx !== 0) {
      const [one, other] = [(extents.left - marginPx - x) / dx, (extents.right + marginPx - x) / dx];
      from = Math.max(from, Math.min(one, other));
      to = Math.min(to, Math.max(one, other));
    } else if (x < extents.left - marginPx || x > extents.right + marginPx) to = -1;
    if (dy !== 0) {
      const [one, other] = [(extents.top - marginPx - y) / dy, (extents.bottom + marginPx - y) / dy];
      from = Math.max(from, Math.min(one, other));
      to = Math.min(to, Math.max(one, other));
    } else if (y < extents.top - marginPx || y > extents.bottom + marginPx) to = -1;
    this.#seenFrom = from <= to ? from * length : Number.POSITIVE_INFINITY;
    this.#seenTo = from <= to ? to * length : Number.NEGATIVE_INFINITY;
  }

  /** Fills the wedge between two segments that meet. Both faces are changed. */
  #join(left: Face, right: Face, held: boolean, paint: (x: number, y: number, width: number) => void): void {
    // With spans painted at once, one of the two lines has the pixel in the corner already when it comes from there.
    if (!held && (leadsOn(left) || leadsOn(right))) return;
    const denominator = -left.dx * right.dy + right.dx * left.dy;
    if (denominator === 0) return;
    if (denominator > 0) turn(left);
    else turn(right);
    const swapped = denominator > 0 ? 1 : -1;
    const vertices = this.#joinVertices as [Vertex, Vertex, Vertex, Vertex];
    const slopes = this.#joinSlopes as [Slope, Slope, Slope, Slope];
    setVertex(vertices[0], right.cornerX, right.cornerY);
    setSlope(slopes[0], -right.dy, right.dx, 0);
    setVertex(vertices[1], 0, 0);
    setSlope(slopes[1], left.dy, -left.dx, 0);
    setVertex(vertices[2], left.cornerX, left.cornerY);
    const y =
      (left.dy * (right.cornerX * right.dy - right.cornerY * right.dx) - right.dy * (left.cornerX * left.dy - left.cornerY * left.dx)) /
      denominator;
    const x =
      left.dy !== 0 ? left.cornerX + ((y - left.cornerY) * left.dx) / left.dy : right.cornerX + ((y - right.cornerY) * right.dx) / right.dy;
    if ((x * x + y * y) * 4 <= mitreLimit) {
      setSlope(slopes[2], left.dx * swapped, left.dy * swapped, left.constant * swapped);
      setVertex(vertices[3], x, y);
      setSlope(slopes[3], right.dx * swapped, right.dy * swapped, right.constant * swapped);
      fillPolygon(vertices, slopes, 4, left.x, left.y, paint);
      return;
    }
    const dx = right.cornerX - left.cornerX;
    const dy = right.cornerY - left.cornerY;
    const scale = Math.max(Math.abs(dx), Math.abs(dy));
    const slopeX = Math.trunc((dx * 65536) / scale);
    const slopeY = Math.trunc((dy * 65536) / scale);
    setSlope(slopes[2], slopeX, slopeY, ((left.cornerX + right.cornerX) * slopeY - (left.cornerY + right.cornerY) * slopeX) / 2);
    fillPolygon(vertices, slopes, 3, left.x, left.y, paint);
  }
}

/** Whether a pixel that is painted twice is not as if it were painted once, by the operations for which X is careful. */
function touchesOnce(operation: number): boolean {
  return (operation & 0xc) === 0x8 || (operation & 0x3) === 0x2 || operation === rop.invert;
}

function leadsOn(face: Face): boolean {
  return face.dx > 0 || (face.dx === 0 && face.dy > 0);
}

function turn(face: Face): void {
  face.cornerX = -face.cornerX;
  face.cornerY = -face.cornerY;
  face.dx = -face.dx;
  face.dy = -face.dy;
}

function setVertex(vertex: Vertex, x: number, y: number): void {
  vertex.x = x;
  vertex.y = y;
}

function setSlope(slope: Slope, dx: number, dy: number, constant: number): void {
  slope.dx = dx;
  slope.dy = dy;
  slope.constant = constant;
}

function setFace(face: Face, x: number, y: number, dx: number, dy: number, cornerX: number, cornerY: number, constant: number): void {
  face.x = x;
  face.y = y;
  face.dx = dx;
  face.dy = dy;
  face.cornerX = cornerX;
  face.cornerY = cornerY;
  face.constant = constant;
}
