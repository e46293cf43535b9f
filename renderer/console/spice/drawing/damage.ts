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

  /** Joins the newest with others as long as that is worth while, or there is no room. */
  #join(): void {
    for (;;) {
      const newest = this.#at(this.#count - 1);
      let best = -1;
      let bestWaste = this.#count > maxRects ? Number.POSITIVE_INFINITY : joinSlackPx;
      for (let index = 0; index < this.#count - 1; index++) {
        const other = this.#at(index);
        const waste = area(union(newest, other)) - area(newest) - area(other);
        if (waste > bestWaste) continue;
        best = index;
        bestWaste = waste;
      }
      if (best < 0) return;
      Object.assign(this.#at(best), union(newest, this.#at(best)));
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

function union(one: Rect, other: Rect): Rect {
  return {
    left: Math.min(one.left, other.left),
    top: Math.min(one.top, other.top),
    right: Math.max(one.right, other.right),
    bottom: Math.max(one.bottom, other.bottom),
  };
}

function area({ left, top, right, bottom }: Rect): number {
  return (right - left) * (bottom - top);
}
