/**
 * The server's clock for video and sound. It starts anywhere and wraps at 2³² ms; the server keeps it behind the pictures that it sends, so that
 * those have time to arrive.
 */
export class MultimediaClock {
  readonly #now: () => number;
  /** What is added to our clock to have the server's; null until the server has said. */
  #ahead: number | null = null;

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The server says what its clock shows. */
  set(time: number): void {
    this.#ahead = time - this.#now();
  }

  /** How many milliseconds it is until the server's clock shows `time`; negative when that has passed, 0 while its clock is not known. */
  until(time: number): number {
    if (this.#ahead === null) return 0;
    // Half of the clock's circle lies ahead of any time, and half behind.
    return (time - Math.floor(this.#now() + this.#ahead)) | 0;
  }
}
