/** When the next picture is shown: at once after a pause, and no more often than a display shows. */

export type PacerClock = { now(): number; after(delayMs: number, callback: () => void): () => void };

/** Of the usual display. */
const frameMs = 1000 / 60;
/** A console that nobody sees keeps up slowly, so that what it showed last is not long ago. */
const hiddenFrameMs = 1000;
/** What has come in part is given so long to come whole: otherwise it is two pictures, of which the first is torn. */
const partMs = 4;

/** INVARIANT: whatever was asked for is shown, and never later than a frame (`frame-pacer.test.ts`). */
export class FramePacer {
  readonly #clock: PacerClock;
  readonly #show: () => void;
  #visible = true;
  #shownAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;
  /** What is waited for is the rest of a part, and no frame. */
  #waitsForRest = false;

  constructor(clock: PacerClock, show: () => void) {
    this.#clock = clock;
    this.#show = show;
  }

  /** There is something to show. `inPart`: more that belongs to it is on its way. */
  ask(inPart = false): void {
    if (this.#cancel && (inPart || !this.#waitsForRest)) return;
    this.#cancel?.();
    this.#cancel = null;
    const frameDue = this.#shownAt + (this.#visible ? frameMs : hiddenFrameMs) - this.#clock.now();
    this.#waitsForRest = inPart && frameDue < partMs;
    const due = this.#waitsForRest ? partMs : frameDue;
    if (due <= 0) this.#now();
    else
      this.#cancel = this.#clock.after(due, () => {
        this.#cancel = null;
        this.#now();
      });
  }

  setVisible(visible: boolean): void {
    if (visible === this.#visible) return;
    this.#visible = visible;
    if (!this.#cancel) return;
    // What waits was to wait for longer, or for less.
    this.#cancel();
    this.#cancel = null;
    this.ask();
  }

  #now(): void {
    this.#shownAt = this.#clock.now();
    this.#show();
  }
}
