/** Pixels between pixels: what a transformed source has at the places of a destination, as pixman computes it in 16.16 fixed point. */
import { modulo } from './fill.ts';
import type { Region } from './region.ts';
import type { Rect, Source } from './surface.ts';

/** PIXMAN_REPEAT_*: what is beyond the edges. */
export const repeatMode = { none: 0, normal: 1, pad: 2, reflect: 3 } as const;

/** `x' = xx·x + xy·y + x0` and the same for y, each in 16.16. */
export type Transform = { xx: number; xy: number; x0: number; yx: number; yy: number; y0: number };

const one = 0x10000;
const half = 0x8000;
const leastFixed = -0x8000_0000;
const mostFixed = 0x7fff_ffff;
/** How far pixman wants a place to be from what a fixed number can hold. */
const fixedMargin = 8;

/** Gives rows of a source. One is made for each kind of drawing and used for command after command. */
export class Sampler {
  #source: Source = { width: 0, height: 0, pixels: new Uint32Array(0), opaque: true };
  #alphaBits = 0;
  #repeat: number = repeatMode.none;
  #interpolate = false;
  /** Whole pixels apart from the destination and nothing else. */
  #shiftX = 0;
  #shiftY = 0;
  #shiftOnly = true;
  #transform: Transform = { xx: one, xy: 0, x0: 0, yx: 0, yy: one, y0: 0 };
  /** Where the centre of the destination's first pixel lies. */
  #startX = 0;
  #startY = 0;
  #extents: Rect = { left: 0, top: 0, right: 0, bottom: 0 };
  #covers = false;

  /** Whether every pixel that the destination needs is one of the source, by itself or by repetition. */
  get covers(): boolean {
    return this.#covers;
  }

  /**
   * For `area` of the source stretched over `box`. False when the server would draw nothing, since 16.16 cannot hold the places; `region`
   * says which are needed. Pixels get full alpha if `opaque`, else have what they have.
   */
  scale(source: Source, opaque: boolean, area: Rect, box: Rect, region: Region, interpolate: boolean): boolean {
    const transform = this.#transform;
    transform.xx = Math.trunc(((area.right - area.left) * one) / (box.right - box.left));
    transform.xy = 0;
    transform.x0 = area.left * one;
    transform.yx = 0;
    transform.yy = Math.trunc(((area.bottom - area.top) * one) / (box.bottom - box.top));
    transform.y0 = area.top * one;
    return this.#begin(source, opaque, interpolate, repeatMode.none, transform, region, box.left, box.top);
  }

  /** As above for any transform: null is none. Places of the destination count from (`originX`, `originY`). */
  transformed(
    source: Source,
    opaque: boolean,
    interpolate: boolean,
    repeat: number,
    transform: Transform | null,
    region: Region,
    originX: number,
    originY: number,
  ): boolean {
    const own = this.#transform;
    own.xx = transform ? transform.xx : one;
    own.xy = transform ? transform.xy : 0;
    own.x0 = transform ? transform.x0 : 0;
    own.yx = transform ? transform.yx : 0;
    own.yy = transform ? transform.yy : one;
    own.y0 = transform ? transform.y0 : 0;
    return this.#begin(source, opaque, interpolate, repeat, own, region, originX, originY);
  }

  #begin(
    source: Source,
    opaque: boolean,
    interpolate: boolean,
    repeat: number,
    transform: Transform,
    region: Region,
    originX: number,
    originY: number,
  ): boolean {
    const { xx, xy, x0, yx, yy, y0 } = transform;
    this.#source = source;
    this.#alphaBits = opaque ? 0xff000000 : 0;
    this.#repeat = repeat;
    if (source.width === 0 || source.height === 0 || region.empty) return false;
    this.#shiftOnly = xx === one && yy === one && xy === 0 && yx === 0 && x0 % one === 0 && y0 % one === 0;
    this.#shiftX = x0 / one;
    this.#shiftY = y0 / one;
    // A scale that is a whole number and lands in the middle of pixels needs no neighbours: their weights are zero.
    this.#interpolate = interpolate && !this.#shiftOnly;
    this.#startX = Math.floor((xx * half + xy * half + x0 * one + half) / one);
    this.#startY = Math.floor((yx * half + yy * half + y0 * one + half) / one);
    const extents = this.#extents;
    region.extents(extents);
    return this.#isRepresentable(extents.left - originX, extents.top - originY, extents.right - originX, extents.bottom - originY);
  }

  /** `count` pixels from that place of the destination on. */
  row(x: number, y: number, count: number, out: Uint32Array): void {
    if (this.#shiftOnly) this.#shiftedRow(x + this.#shiftX, y + this.#shiftY, count, out);
    else {
      const { xx, xy, yx, yy } = this.#transform;
      const startX = this.#startX + xx * x + xy * y;
      const startY = this.#startY + yx * x + yy * y;
      if (this.#interpolate) this.#interpolatedRow(startX - half, startY - half, count, out);
      else this.#nearestRow(startX - 1, startY - 1, count, out);
    }
  }

  #shiftedRow(fromX: number, fromY: number, count: number, out: Uint32Array): void {
    const { width, height, pixels } = this.#source;
    const repeat = this.#repeat;
    const alphaBits = this.#alphaBits;
    const row = wrapped(fromY, height, repeat);
    if (row < 0) {
      out.fill(0, 0, count);
      return;
    }
    const start = row * width;
    if (fromX >= 0 && fromX + count <= width) {
      for (let at = 0; at < count; at++) out[at] = (pixels[start + fromX + at] as number) | alphaBits;
      return;
    }
    for (let at = 0; at < count; at++) {
      const column = wrapped(fromX + at, width, repeat);
      out[at] = column < 0 ? 0 : (pixels[start + column] as number) | alphaBits;
    }
  }

  #nearestRow(fromX: number, fromY: number, count: number, out: Uint32Array): void {
    const { width, height, pixels } = this.#source;
    const repeat = this.#repeat;
    const alphaBits = this.#alphaBits | 0;
    const stepX = this.#transform.xx;
    const stepY = this.#transform.yx;
    if (stepY === 0) {
      const row = wrapped(fromY >> 16, height, repeat);
      if (row < 0) {
        out.fill(0, 0, count);
        return;
      }
      const start = row * width;
      let x = fromX;
      for (let at = 0; at < count; at++, x += stepX) {
        const place = x >> 16;
        const column = place >= 0 && place < width ? place : wrapped(place, width, repeat);
        out[at] = column < 0 ? 0 : (pixels[start + column] as number) | alphaBits;
      }
      return;
    }
    let x = fromX;
    let y = fromY;
    for (let at = 0; at < count; at++, x += stepX, y += stepY) {
      const column = wrapped(x >> 16, width, repeat);
      const row = wrapped(y >> 16, height, repeat);
      out[at] = column < 0 || row < 0 ? 0 : (pixels[row * width + column] as number) | alphaBits;
    }
  }

  #interpolatedRow(fromX: number, fromY: number, count: number, out: Uint32Array): void {
    const { width, height, pixels } = this.#source;
    const repeat = this.#repeat;
    const alphaBits = this.#alphaBits | 0;
    const stepX = this.#transform.xx;
    const stepY = this.#transform.yx;
    let x = fromX;
    let y = fromY;
    for (let at = 0; at < count; at++, x += stepX, y += stepY) {
      // Seven bits of weight, as pixman was built with.
      const weightX = ((x >> 9) & 0x7f) << 1;
      const weightY = ((y >> 9) & 0x7f) << 1;
      const left = x >> 16;
      const top = y >> 16;
      if (left >= 0 && top >= 0 && left + 1 < width && top + 1 < height) {
        const corner = top * width + left;
        out[at] = mix(
          (pixels[corner] as number) | alphaBits,
          (pixels[corner + 1] as number) | alphaBits,
          (pixels[corner + width] as number) | alphaBits,
          (pixels[corner + width + 1] as number) | alphaBits,
          weightX,
          weightY,
        );
        continue;
      }
      const leftColumn = wrapped(left, width, repeat);
      const rightColumn = wrapped(left + 1, width, repeat);
      const topRow = wrapped(top, height, repeat);
      const bottomRow = wrapped(top + 1, height, repeat);
      out[at] = mix(
        this.#pixel(leftColumn, topRow),
        this.#pixel(rightColumn, topRow),
        this.#pixel(leftColumn, bottomRow),
        this.#pixel(rightColumn, bottomRow),
        weightX,
        weightY,
      );
    }
  }

  #pixel(x: number, y: number): number {
    return x < 0 || y < 0 ? 0 : (this.#source.pixels[y * this.#source.width + x] as number) | this.#alphaBits;
  }

  /** Whether pixman would accept the extents of a destination: it draws nothing at all when one place around them does not fit. */
  #isRepresentable(left: number, top: number, right: number, bottom: number): boolean {
    const { xx, xy, yx, yy } = this.#transform;
    const before = (this.#interpolate ? half : 1) + fixedMargin;
    const after = (this.#interpolate ? half : -1) + fixedMargin;
    this.#covers = this.#repeat !== repeatMode.none || this.#isInside(left, top, right, bottom);
    for (const x of [left - 1, right])
      for (const y of [top - 1, bottom]) {
        const atX = this.#startX + xx * x + xy * y;
        const atY = this.#startY + yx * x + yy * y;
        if (!(atX - before >= leastFixed && atX + after <= mostFixed && atY - before >= leastFixed && atY + after <= mostFixed))
          return false;
      }
    return true;
  }

  #isInside(left: number, top: number, right: number, bottom: number): boolean {
    const { xx, xy, yx, yy } = this.#transform;
    const { width, height } = this.#source;
    const before = this.#interpolate ? half : 1;
    const after = this.#interpolate ? half : -1;
    for (const x of [left, right - 1])
      for (const y of [top, bottom - 1]) {
        const atX = this.#startX + xx * x + xy * y;
        const atY = this.#startY + yx * x + yy * y;
        if (atX < before || atY < before || atX + after >= width * one || atY + after >= height * one) return false;
      }
    return true;
  }
}

/** Which pixel of a row or column is meant by a place outside; −1 for none. */
function wrapped(place: number, size: number, repeat: number): number {
  if (place >= 0 && place < size) return place;
  switch (repeat) {
    case repeatMode.normal:
      return modulo(place, size);
    case repeatMode.pad:
      return place < 0 ? 0 : size - 1;
    case repeatMode.reflect: {
      const folded = modulo(place, size * 2);
      return folded < size ? folded : size * 2 - folded - 1;
    }
    default:
      return -1;
  }
}

/** Weights are of 256, for right and bottom. Two colours at a time go down first, which takes their sixteen bits each exactly. */
function mix(topLeft: number, topRight: number, bottomLeft: number, bottomRight: number, weightX: number, weightY: number): number {
  const fromTop = 256 - weightY;
  const fromLeft = 256 - weightX;
  const leftEven = Math.imul(topLeft & 0xff00ff, fromTop) + Math.imul(bottomLeft & 0xff00ff, weightY);
  const leftOdd = Math.imul((topLeft >>> 8) & 0xff00ff, fromTop) + Math.imul((bottomLeft >>> 8) & 0xff00ff, weightY);
  const rightEven = Math.imul(topRight & 0xff00ff, fromTop) + Math.imul(bottomRight & 0xff00ff, weightY);
  const rightOdd = Math.imul((topRight >>> 8) & 0xff00ff, fromTop) + Math.imul((bottomRight >>> 8) & 0xff00ff, weightY);
  const red = Math.imul(leftEven & 0xffff, fromLeft) + Math.imul(rightEven & 0xffff, weightX);
  const green = Math.imul(leftOdd & 0xffff, fromLeft) + Math.imul(rightOdd & 0xffff, weightX);
  const blue = Math.imul(leftEven >>> 16, fromLeft) + Math.imul(rightEven >>> 16, weightX);
  const alpha = Math.imul(leftOdd >>> 16, fromLeft) + Math.imul(rightOdd >>> 16, weightX);
  return (red >>> 16) | ((green >>> 8) & 0xff00) | (blue & 0xff0000) | ((alpha << 8) & 0xff000000);
}
