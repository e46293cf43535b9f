/** The canvases of a session's monitors, each with its part of the picture of its display channel. */
import type { PixelSize } from '../../console.ts';
import type { Surface } from '../drawing/surface.ts';
import type { Head } from '../heads.ts';
import type { PacerClock } from './frame-pacer.ts';
import { Presentation } from './presentation.ts';

export class Monitors {
  readonly #clock: PacerClock;
  /** By the ids of the heads. */
  readonly #presentations = new Map<number, Presentation>();
  /** By the ids of the display channels. */
  readonly #surfaces = new Map<number, Surface>();
  #heads: readonly Head[] = [];

  constructor(clock: PacerClock) {
    this.#clock = clock;
  }

  addCanvas(head: number, canvas: OffscreenCanvas): void {
    this.#presentations.set(head, new Presentation(canvas, this.#clock));
    this.#place((each) => each.id === head);
    this.settle();
  }

  setShrunkenCanvas(head: number, canvas: OffscreenCanvas): void {
    this.#presentations.get(head)?.setShrunkenCanvas(canvas);
  }

  setShownSize(head: number, size: PixelSize | null): void {
    this.#presentations.get(head)?.setShownSize(size);
  }

  setHeads(heads: readonly Head[]): void {
    const before = this.#heads;
    this.#heads = heads;
    for (const [id, presentation] of this.#presentations)
      if (!heads.some((head) => head.id === id)) presentation.setSurface(null, { left: 0, top: 0, right: 0, bottom: 0 });
    this.#place((head) => !before.some((same) => same.id === head.id && isSame(same, head)));
  }

  /** With null what was shown last stays. */
  setSurface(surface: Surface | null, display: number): void {
    if (surface) this.#surfaces.set(display, surface);
    else this.#surfaces.delete(display);
    this.#place((head) => head.display === display);
  }

  damaged(left: number, top: number, right: number, bottom: number, display: number): void {
    for (const head of this.#heads) if (head.display === display) this.#presentations.get(head.id)?.damaged(left, top, right, bottom);
  }

  setVisible(head: number, visible: boolean): void {
    this.#presentations.get(head)?.setVisible(visible);
  }

  /** To be called when what came has been drawn. `inPart`: the server is in the middle of saying something. */
  settle(inPart = false): void {
    for (const presentation of this.#presentations.values()) presentation.settle(inPart);
  }

  flush(): void {
    for (const presentation of this.#presentations.values()) presentation.flush();
  }

  /** Of the monitor that showed most, since this was asked last. */
  takeFrames(): number {
    return Math.max(0, ...[...this.#presentations.values()].map((presentation) => presentation.takeFrames()));
  }

  #place(which: (head: Head) => boolean): void {
    for (const head of this.#heads.filter(which)) {
      const surface = this.#surfaces.get(head.display) ?? null;
      const area = { left: head.xPx, top: head.yPx, right: head.xPx + head.widthPx, bottom: head.yPx + head.heightPx };
      // A new surface comes before the heads that lie in it.
      const fits = surface !== null && area.right <= surface.width && area.bottom <= surface.height;
      this.#presentations.get(head.id)?.setSurface(fits ? surface : null, area);
    }
  }
}

function isSame(one: Head, other: Head): boolean {
  const { display, xPx, yPx, widthPx, heightPx } = other;
  return one.display === display && one.xPx === xPx && one.yPx === yPx && one.widthPx === widthPx && one.heightPx === heightPx;
}
