/**
 * Fingers as the pointer of a guest: a tap is a click, a long press the right button, a drag a drag with the left button, and two fingers
 * turn the wheel. A guest that takes movements gets them as of a touchpad: one finger moves its pointer and presses nothing.
 */
import type { PointerButton } from '../console.ts';

/** In CSS pixels. */
type Point = { x: number; y: number };

export type TouchOptions = {
  /** Whether the guest takes movements. */
  isTouchpad(): boolean;
  point(at: Point): void;
  move(by: Point): void;
  button(button: PointerButton, down: boolean): void;
  /** As of a wheel, in CSS pixels; positive is down. */
  scroll(deltaY: number): void;
  /** Runs later, unless what it returns is called before. */
  after?(ms: number, run: () => void): () => void;
};

/** A finger that moves less stands still. */
const tremblePx = 8;
const longPressMs = 550;

type Finger = { at: Point; from: Point };
/** `pressed`: it may become a tap, a drag or a long press. `done`: what comes of it until the last finger is lifted means nothing. */
type Gesture = 'none' | 'pressed' | 'dragging' | 'scrolling' | 'done';

export class Touch {
  readonly #options: TouchOptions;
  readonly #fingers = new Map<number, Finger>();
  #gesture: Gesture = 'none';
  #stopWaiting = () => {};

  constructor(options: TouchOptions) {
    this.#options = options;
  }

  down(id: number, at: Point): void {
    this.#fingers.set(id, { at, from: at });
    this.#stopWaiting();
    if (this.#fingers.size === 1) {
      this.#gesture = 'pressed';
      this.#stopWaiting = (this.#options.after ?? afterTimeout)(longPressMs, () => this.#click('right', at));
    } else if (this.#fingers.size === 2 && this.#gesture === 'pressed') this.#gesture = 'scrolling';
    else this.#end();
  }

  moved(id: number, at: Point): void {
    const finger = this.#fingers.get(id);
    if (!finger) return;
    const by = { x: at.x - finger.at.x, y: at.y - finger.at.y };
    if (this.#gesture === 'pressed') {
      if (Math.hypot(at.x - finger.from.x, at.y - finger.from.y) < tremblePx) return;
      this.#stopWaiting();
      this.#gesture = 'dragging';
      if (!this.#options.isTouchpad()) {
        this.#options.point(finger.from);
        this.#options.button('left', true);
      }
    }
    finger.at = at;
    if (this.#gesture === 'dragging') {
      if (this.#options.isTouchpad()) this.#options.move(by);
      else this.#options.point(at);
    }
    // What is under the fingers goes with them, and each of the two tells of half the way.
    else if (this.#gesture === 'scrolling' && by.y !== 0) this.#options.scroll(-by.y / 2);
  }

  up(id: number): void {
    const finger = this.#fingers.get(id);
    if (!finger) return;
    this.#fingers.delete(id);
    if (this.#gesture === 'pressed') this.#click('left', finger.from);
    else this.#end();
    if (this.#fingers.size === 0) this.#gesture = 'none';
  }

  /** The fingers are somebody else's now; nothing stays pressed. */
  cancel(): void {
    this.#end();
    this.#fingers.clear();
    this.#gesture = 'none';
  }

  #click(button: PointerButton, at: Point): void {
    this.#stopWaiting();
    this.#gesture = 'done';
    if (!this.#options.isTouchpad()) this.#options.point(at);
    this.#options.button(button, true);
    this.#options.button(button, false);
  }

  #end(): void {
    this.#stopWaiting();
    if (this.#gesture === 'dragging' && !this.#options.isTouchpad()) this.#options.button('left', false);
    this.#gesture = 'done';
  }
}

function afterTimeout(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
