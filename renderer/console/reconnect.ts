/** When to try again after a connection was lost. */

export type Clock = {
  now(): number;
  /** Calls once after `delayMs`; returns how not to. */
  after(delayMs: number, callback: () => void): () => void;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Quickly at first (QEMU that was reset is back at once), then with patience. */
const delaysMs = [200, 500, 1000, 2000, 4000, 8000, 15_000] as const;
/** A connection that held so long was a good one: the next loss is met quickly again. */
const stableAfterMs = 10_000;

export class Reconnect {
  readonly #clock: Clock;
  readonly #attempt: () => void;
  #failures = 0;
  #connectedAt: number | null = null;
  #cancel: (() => void) | null = null;
  #dueAt: number | null = null;

  constructor(clock: Clock, attempt: () => void) {
    this.#clock = clock;
    this.#attempt = attempt;
  }

  /** How long until the next attempt, or null when none is planned. */
  get dueInMs(): number | null {
    return this.#dueAt === null ? null : Math.max(0, this.#dueAt - this.#clock.now());
  }

  connected(): void {
    this.#connectedAt = this.#clock.now();
  }

  /** The connection was lost or did not come about: plans the next attempt. */
  lost(): void {
    if (this.#connectedAt !== null && this.#clock.now() - this.#connectedAt >= stableAfterMs) this.#failures = 0;
    this.#connectedAt = null;
    const delayMs = delaysMs[Math.min(this.#failures, delaysMs.length - 1)] ?? 15_000;
    this.#failures++;
    this.stop();
    this.#dueAt = this.#clock.now() + delayMs;
    this.#cancel = this.#clock.after(delayMs, () => {
      this.#dueAt = null;
      this.#cancel = null;
      this.#attempt();
    });
  }

  /** Attempts at once, and quickly again should that fail: something has changed, or somebody asked. */
  hurry(): void {
    this.#failures = 0;
    this.#connectedAt = null;
    this.stop();
    this.#attempt();
  }

  /** Plans no attempt. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#dueAt = null;
  }
}
