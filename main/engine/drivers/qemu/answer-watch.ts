/**
 * Whether QEMU answers: one that hangs, or was stopped from outside, keeps its connections and says nothing. It is asked how the guest stands every
 * few seconds, which also tells what it says to nobody by itself.
 */
import type { RunState } from '../../qmp/qmp-commands.ts';
import { QmpClosedError } from '../../qmp/qmp-errors.ts';

const tickMs = 1000;
const askEveryTicks = 3;
/** A computer that has much else to do lets its QEMUs wait for seconds. Counted in ticks, so that an engine that was held up itself blames nobody. */
const silentAfterTicks = 10;

export type AnswerWatchOptions = {
  /** Settles when QEMU answers, however late. */
  ask: () => Promise<{ status: RunState }>;
  /** While its state is saved or loaded QEMU may be silent for as long as the disk takes. */
  excused: () => boolean;
  /** Since when it has not answered, or null: it does again. */
  told: (silentSince: string | null) => void;
  status: (status: RunState) => void;
};

export class AnswerWatch {
  readonly #options: AnswerWatchOptions;
  #timer: NodeJS.Timeout | undefined;
  #askedAt: string | null = null;
  #ticks = 0;
  #isSilent = false;

  constructor(options: AnswerWatchOptions) {
    this.#options = options;
  }

  /** Begins over a connection that has just been made. */
  start(): void {
    this.stop();
    const timer = setInterval(() => this.#tick(timer), tickMs);
    this.#timer = timer;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#askedAt = null;
    this.#ticks = 0;
    this.#isSilent = false;
  }

  #tick(timer: NodeJS.Timeout): void {
    this.#ticks = this.#options.excused() ? 0 : this.#ticks + 1;
    if (this.#askedAt === null) {
      if (this.#ticks >= askEveryTicks) void this.#ask(timer);
    } else if (this.#ticks >= silentAfterTicks && !this.#isSilent) {
      this.#isSilent = true;
      this.#options.told(this.#askedAt);
    }
  }

  async #ask(timer: NodeJS.Timeout): Promise<void> {
    this.#askedAt = new Date().toISOString();
    this.#ticks = 0;
    let status: RunState | null = null;
    try {
      status = (await this.#options.ask()).status;
    } catch (thrown) {
      // Whoever follows the connection says that it broke.
      if (thrown instanceof QmpClosedError) return;
    }
    if (timer !== this.#timer) return;
    this.#askedAt = null;
    this.#ticks = 0;
    if (this.#isSilent) this.#options.told(null);
    this.#isSilent = false;
    if (status !== null) this.#options.status(status);
  }
}
