/** Which parts of a surface have changed since they were last shown. */
import type { Rect } from './surface.ts';

/** Text that scrolls with a clock beside it are two; what comes to more is as quick to show as a whole. */
const maxRects = 8;
/** Two are joined when that shows no more than so many pixels that have not changed: each costs a call of its own. */
const joinSlackPx = 4096;

/** INVARIANT: every pixel that was added lies in one of the rectangles that are taken (`damage.test.ts`). */
export class Damage {
  readonly #rects = Array.from({ length: maxRects + 1 }, (): Rect => ({ left: 0, top: 0, right: 0, bottom: 0 }));
  #count = 0;

  get empty(): boolean {
    return this.#count === 0;
  }

  clear(): void {
    this.#count = 0;
  }

  add(left: number, top: number, right: number, bottom: number): void {
    if (left >= right || top >= bottom) return;
    for (let index = 0; index < this.#count; index++) {
      const rect = this.#at(index);
      if (left >= rect.left && top >= rect.top && right <= rect.right && bottom <= rect.bottom) return;
    }
    const added = this.#at(this.#count++);
    added.left = left;
    added.top = top;
    added.right = right;
    added.bottom = bottom;
    this.#join();
  }

  /** Hands each rectangle on, and forgets them. */
  take(each: (rect: Rect) => void): void {
    const count = this.#count;
    this.#count = 0;
    for (let index = 0; index < count; index++) each(this.#at(index));
  }

  /** Joins the newest with others as long as that is worth while, or there is no room. Runs for every drawing, so it makes no objects. */
  #join(): void {
    for (;;) {
      const newest = this.#at(this.#count - 1);
      let best = -1;
      let bestWaste = this.#count > maxRects ? Number.POSITIVE_INFINITY : joinSlackPx;
      for (let index = 0; index < this.#count - 1; index++) {
        const wasted = waste(newest, this.#at(index));
        if (wasted > bestWaste) continue;
        best = index;
        bestWaste = wasted;
      }
      if (best < 0) return;
      const joined = this.#at(best);
      joined.left = Math.min(newest.left, joined.left);
      joined.top = Math.min(newest.top, joined.top);
      joined.right = Math.max(newest.right, joined.right);
      joined.bottom = Math.max(newest.bottom, joined.bottom);
      this.#count--;
      // The joined one is the newest now: it may have become the neighbour of another.
      this.#swap(best, this.#count - 1);
    }
  }

  #swap(one: number, other: number): void {
    const kept = this.#at(one);
    this.#rects[one] = this.#at(other);
    this.#rects[other] = kept;
  }

  #at(index: number): Rect {
    return this.#rects[index] as Rect;
  }
}

/** Pixels of the rectangle around both that are in neither; fewer than none where both have some. */
function waste(one: Rect, other: Rect): number {
  const width = Math.max(one.right, other.right) - Math.min(one.left, other.left);
  const height = Math.max(one.bottom, other.bottom) - Math.min(one.top, other.top);
  return width * height - area(one) - area(other);
}

function area({ left, top, right, bottom }: Rect): number {
  return (right - left) * (bottom - top);
}
