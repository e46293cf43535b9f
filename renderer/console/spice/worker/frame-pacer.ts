/** When the next picture is shown: at once after a pause, and no more often than a display shows. */

export type PacerClock = { now(): number; after(delayMs: number, callback: () => void): () => void };

/** Of the usual display. */
const frameMs = 1000 / 60;
/** A console that nobody sees keeps up slowly, so that what it showed last is not long ago. */
const hiddenFrameMs = 1000;

/** INVARIANT: whatever was asked for is shown, and never later than a frame (`frame-pacer.test.ts`). */
export class FramePacer {
  readonly #clock: PacerClock;
  readonly #show: () => void;
  #visible = true;
  #shownAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(clock: PacerClock, show: () => void) {
    this.#clock = clock;
    this.#show = show;
  }

  /** There is something to show. */
  ask(): void {
    if (this.#cancel) return;
    const due = this.#shownAt + (this.#visible ? frameMs : hiddenFrameMs) - this.#clock.now();
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
