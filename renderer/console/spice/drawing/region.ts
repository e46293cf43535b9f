/** The pixels that a command may touch, as rectangles that do not overlap: with XOR a pixel that is touched twice would be as before. */
import type { Mask } from './mask.ts';
import type { Rect } from './surface.ts';

/** Up to here rectangles are joined by a sweep, which takes their square; beyond, by counting over the area. */
const maxSwept = 64;

/**
 * A region is made once and used for command after command. Each box is four numbers of `boxes`: left, top, right, bottom.
 *
 * INVARIANT: every box of a region lies inside the surface that it was made for (`region.test.ts`).
 */
export class Region {
  boxes = new Int32Array(64);
  count = 0;
  #other = new Int32Array(64);
  #ys = new Int32Array(64);
  #spans = new Int32Array(64);

  get empty(): boolean {
    return this.count === 0;
  }

  /** What of a rectangle lies inside a surface of that size. */
  setRect(box: Rect, width: number, height: number): void {
    const left = Math.max(0, box.left);
    const top = Math.max(0, box.top);
    const right = Math.min(width, box.right);
    const bottom = Math.min(height, box.bottom);
    this.count = 0;
    if (left < right && top < bottom) this.#push(left, top, right, bottom);
  }

  /** Leaves what lies in any of the rectangles, which may overlap and be empty. Each is left, top, right, bottom. Only for a single box. */
  intersectRects(rects: Int32Array, rectCount: number): void {
    if (this.count === 0) return;
    const left = this.boxes[0] as number;
    const top = this.boxes[1] as number;
    const right = this.boxes[2] as number;
    const bottom = this.boxes[3] as number;
    this.count = 0;
    let disjoint = true;
    for (let at = 0; at < rectCount * 4; at += 4) {
      const x1 = Math.max(left, rects[at] as number);
      const y1 = Math.max(top, rects[at + 1] as number);
      const x2 = Math.min(right, rects[at + 2] as number);
      const y2 = Math.min(bottom, rects[at + 3] as number);
      if (x1 >= x2 || y1 >= y2) continue;
      // Servers send bands from the top, each with its rectangles from the left: such are disjoint.
      if (this.count > 0) {
        const last = this.count * 4 - 4;
        const follows =
          y1 >= (this.boxes[last + 3] as number) ||
          (y1 === this.boxes[last + 1] && y2 === this.boxes[last + 3] && x1 >= (this.boxes[last + 2] as number));
        if (!follows) disjoint = false;
      }
      this.#push(x1, y1, x2, y2);
    }
    if (disjoint) return;
    if (this.count <= maxSwept) this.#sweep();
    else this.#accumulate(left, top, right, bottom);
  }

  /** Leaves what lies in a rectangle. */
  intersectRect(rect: Rect): void {
    const { boxes, count } = this;
    this.count = 0;
    for (let at = 0; at < count * 4; at += 4) {
      const left = Math.max(boxes[at] as number, rect.left);
      const top = Math.max(boxes[at + 1] as number, rect.top);
      const right = Math.min(boxes[at + 2] as number, rect.right);
      const bottom = Math.min(boxes[at + 3] as number, rect.bottom);
      if (left < right && top < bottom) this.#push(left, top, right, bottom);
    }
  }

  /** Leaves those pixels where the mask is 1, or 0 when `inverse`; (`x`, `y`) is where its first pixel lies. Nothing is outside of a mask. */
  intersectMask(mask: Mask, x: number, y: number, inverse: boolean): void {
    const from = this.boxes;
    const fromCount = this.count;
    this.boxes = this.#other;
    this.#other = from;
    this.count = 0;
    const wanted = inverse ? 0 : 1;
    const { bits, width } = mask;
    for (let box = 0; box < fromCount * 4; box += 4) {
      const left = Math.max(from[box] as number, x);
      const top = Math.max(from[box + 1] as number, y);
      const right = Math.min(from[box + 2] as number, x + width);
      const bottom = Math.min(from[box + 3] as number, y + mask.height);
      for (let row = top; row < bottom; row++) {
        const start = (row - y) * width - x;
        let at = left;
        while (at < right) {
          while (at < right && bits[start + at] !== wanted) at++;
          if (at >= right) break;
          const first = at;
          while (at < right && bits[start + at] === wanted) at++;
          this.#push(first, row, at, row + 1);
        }
      }
    }
  }

  /** The smallest rectangle around all of it; only when it is not empty. */
  extents(into: Rect): void {
    const { boxes } = this;
    into.left = boxes[0] as number;
    into.top = boxes[1] as number;
    into.right = boxes[2] as number;
    into.bottom = boxes[3] as number;
    for (let at = 4; at < this.count * 4; at += 4) {
      into.left = Math.min(into.left, boxes[at] as number);
      into.top = Math.min(into.top, boxes[at + 1] as number);
      into.right = Math.max(into.right, boxes[at + 2] as number);
      into.bottom = Math.max(into.bottom, boxes[at + 3] as number);
    }
  }

  #push(left: number, top: number, right: number, bottom: number): void {
    const at = this.count * 4;
    if (at + 4 > this.boxes.length) this.boxes = grown(this.boxes);
    const { boxes } = this;
    boxes[at] = left;
    boxes[at + 1] = top;
    boxes[at + 2] = right;
    boxes[at + 3] = bottom;
    this.count++;
  }

  /** Cuts the boxes into bands at every edge and joins what touches within each. */
  #sweep(): void {
    const from = this.boxes;
    const fromCount = this.count;
    this.boxes = this.#other;
    this.#other = from;
    this.count = 0;
    if (this.#ys.length < fromCount * 2) this.#ys = new Int32Array(fromCount * 4);
    if (this.#spans.length < fromCount * 2) this.#spans = new Int32Array(fromCount * 4);
    const spans = this.#spans;
    for (let box = 0; box < fromCount; box++) {
      this.#ys[box * 2] = from[box * 4 + 1] as number;
      this.#ys[box * 2 + 1] = from[box * 4 + 3] as number;
    }
    const ys = this.#ys.subarray(0, fromCount * 2).sort();
    for (let edge = 1; edge < ys.length; edge++) {
      const top = ys[edge - 1] as number;
      const bottom = ys[edge] as number;
      if (top === bottom) continue;
      let spanCount = 0;
      for (let box = 0; box < fromCount * 4; box += 4) {
        if ((from[box + 1] as number) > top || (from[box + 3] as number) < bottom) continue;
        const left = from[box] as number;
        const right = from[box + 2] as number;
        let at = spanCount++ * 2;
        for (; at > 0 && (spans[at - 2] as number) > left; at -= 2) {
          spans[at] = spans[at - 2] as number;
          spans[at + 1] = spans[at - 1] as number;
        }
        spans[at] = left;
        spans[at + 1] = right;
      }
      for (let span = 0; span < spanCount; ) {
        const left = spans[span * 2] as number;
        let right = spans[span * 2 + 1] as number;
        for (span++; span < spanCount && (spans[span * 2] as number) <= right; span++)
          right = Math.max(right, spans[span * 2 + 1] as number);
        this.#push(left, top, right, bottom);
      }
    }
  }

  /** Counts by sums over two dimensions how many boxes cover each pixel: as long as the area is large, however many boxes there are. */
  #accumulate(left: number, top: number, right: number, bottom: number): void {
    const width = right - left + 1;
    const counts = new Int32Array(width * (bottom - top + 1));
    for (let at = 0; at < this.count * 4; at += 4) {
      const x1 = (this.boxes[at] as number) - left;
      const y1 = ((this.boxes[at + 1] as number) - top) * width;
      const x2 = (this.boxes[at + 2] as number) - left;
      const y2 = ((this.boxes[at + 3] as number) - top) * width;
      (counts[y1 + x1] as number)++;
      (counts[y1 + x2] as number)--;
      (counts[y2 + x1] as number)--;
      (counts[y2 + x2] as number)++;
    }
    this.count = 0;
    for (let row = top; row < bottom; row++) {
      const start = (row - top) * width;
      let sum = 0;
      let first = -1;
      for (let x = 0; x < width; x++) {
        sum += counts[start + x] as number;
        counts[start + x] = sum + (row > top ? (counts[start - width + x] as number) : 0);
        const covered = (counts[start + x] as number) > 0;
        if (covered && first < 0) first = x;
        else if (!covered && first >= 0) {
          this.#push(left + first, row, left + x, row + 1);
          first = -1;
        }
      }
    }
  }
}

function grown(boxes: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(boxes.length * 2);
  larger.set(boxes);
  return larger;
}
