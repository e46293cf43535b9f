/** Turns the wheel of a page into the notches of a PC mouse. */

/** What browsers report for one notch of a common wheel, in CSS pixels. */
const pixelsPerNotch = 100;
const linesPerNotch = 3;
/** A flick of a touchpad must not scroll a guest for seconds. */
const mostNotches = 10;

export class Wheel {
  #rest = 0;

  /** Whole notches: positive is down. What is left over counts at the next turn in the same direction. */
  turn(event: { deltaY: number; deltaMode: number }): number {
    const notches =
      event.deltaMode === 0 ? event.deltaY / pixelsPerNotch : event.deltaMode === 1 ? event.deltaY / linesPerNotch : event.deltaY;
    if (notches === 0) return 0;
    if (Math.sign(notches) !== Math.sign(this.#rest)) this.#rest = 0;
    this.#rest += notches;
    const whole = Math.trunc(this.#rest + Math.sign(this.#rest) * 1e-6);
    this.#rest -= whole;
    // Adding zero makes of -0 a plain 0.
    return Math.max(-mostNotches, Math.min(mostNotches, whole)) + 0;
  }
}
