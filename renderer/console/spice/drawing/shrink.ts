/**
 * Makes a picture smaller as the eye does: every pixel is the mean of all that lies under it, by area. A browser takes the four nearest ones, so
 * that of a guest at two thirds of its size every third row counts for nothing, and text loses strokes.
 */
import type { Rect } from './surface.ts';

/** Weights of the pixels under one are parts of that many, so that an even ground stays exactly as it is. */
const whole = 256;

/** Along one axis: which pixels lie under each of the smaller picture, and how much of it each of them covers. */
class Axis {
  readonly from: number;
  readonly to: number;
  /** The first pixel under each. */
  readonly first: Int32Array;
  /** Of the weights, where those of each begin; one more, where those of the last end. */
  readonly start: Int32Array;
  readonly weights: Int32Array;

  /** `from` and `to`: lengths in pixels, `to` no more than `from`. */
  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
    this.first = new Int32Array(to);
    this.start = new Int32Array(to + 1);
    const weights: number[] = [];
    const step = from / to;
    for (let at = 0; at < to; at++) {
      const [begin, end] = [at * step, Math.min(from, (at + 1) * step)];
      const first = Math.floor(begin);
      this.first[at] = first;
      // By what is covered up to there, so that rounding never loses a part.
      let given = 0;
      for (let pixel = first; pixel < end - 1e-9; pixel++) {
        const until = Math.round(((Math.min(pixel + 1, end) - begin) / (end - begin)) * whole);
        weights.push(until - given);
        given = until;
      }
      this.start[at + 1] = weights.length;
    }
    this.weights = Int32Array.from(weights);
  }

  /** The pixels of the smaller picture under which some of these lie. */
  touched(begin: number, end: number): [number, number] {
    return [Math.floor((begin * this.to) / this.from), Math.min(this.to, Math.ceil((end * this.to) / this.from))];
  }
}

export class Shrinker {
  readonly width: number;
  readonly height: number;
  readonly #across: Axis;
  readonly #down: Axis;
  /** A row of which the height is done and the width is not: red and blue, and green, apart. */
  readonly #redBlue: Int32Array;
  readonly #green: Int32Array;

  /** From one size to another that is no larger, all in pixels and at least 1. */
  constructor(fromWidth: number, fromHeight: number, width: number, height: number) {
    this.width = width;
    this.height = height;
    this.#across = new Axis(fromWidth, width);
    this.#down = new Axis(fromHeight, height);
    this.#redBlue = new Int32Array(fromWidth);
    this.#green = new Int32Array(fromWidth);
  }

  /**
   * Makes what shows `damage` of a picture anew. `pixels`: red in the lowest byte, rows of `stride`, the picture beginning at `offset`; `into`:
   * the smaller picture, opaque. Returns which part of that has changed.
   */
  shrink(pixels: Uint32Array, offset: number, stride: number, damage: Rect, into: Uint32Array): Rect {
    const [left, right] = this.#across.touched(damage.left, damage.right);
    const [top, bottom] = this.#down.touched(damage.top, damage.bottom);
    for (let row = top; row < bottom; row++) {
      this.#mixRows(pixels, offset, stride, row, left, right);
      this.#mixColumns(into, row * this.width, left, right);
    }
    return { left, top, right, bottom };
  }

  /** Two colours at a time lie in one number, each with eight bits for what its weights add up to. */
  #mixRows(pixels: Uint32Array, offset: number, stride: number, row: number, left: number, right: number): void {
    const { first, start, weights } = this.#down;
    const [redBlue, green] = [this.#redBlue, this.#green];
    const begin = this.#across.first[left] as number;
    const last = right - 1;
    const end = (this.#across.first[last] as number) + (this.#across.start[right] as number) - (this.#across.start[last] as number);
    redBlue.fill(0x00800080, begin, end);
    green.fill(0x80, begin, end);
    let at = offset + (first[row] as number) * stride;
    for (let index = start[row] as number; index < (start[row + 1] as number); index++, at += stride) {
      const weight = weights[index] as number;
      for (let column = begin; column < end; column++) {
        const pixel = pixels[at + column] as number;
        redBlue[column] = (redBlue[column] as number) + Math.imul(pixel & 0xff00ff, weight);
        green[column] = (green[column] as number) + Math.imul((pixel >>> 8) & 0xff, weight);
      }
    }
  }

  #mixColumns(into: Uint32Array, rowStart: number, left: number, right: number): void {
    const { first, start, weights } = this.#across;
    const [redBlue, green] = [this.#redBlue, this.#green];
    for (let column = left; column < right; column++) {
      let [mixedRedBlue, mixedGreen] = [0x00800080, 0x80];
      let from = first[column] as number;
      for (let index = start[column] as number; index < (start[column + 1] as number); index++, from++) {
        const weight = weights[index] as number;
        mixedRedBlue = (mixedRedBlue + Math.imul(((redBlue[from] as number) >>> 8) & 0xff00ff, weight)) | 0;
        mixedGreen += Math.imul(((green[from] as number) >>> 8) & 0xff, weight);
      }
      into[rowStart + column] = (0xff000000 | ((mixedRedBlue >>> 8) & 0xff00ff) | (mixedGreen & 0xff00)) >>> 0;
    }
  }
}
