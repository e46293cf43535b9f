/**
 * The way down of a guest that was asked to shut down: it is asked, has its time, and then whoever looks is asked what to do. Cutting its
 * power is another request, which nobody makes on his behalf.
 */
import type { GuestState } from '../../../contract/guest-state.ts';
import type { DriverRun } from '../drivers/driver.ts';
import type { Log } from '../log/log.ts';
import type { GuestRecord } from './guest-record.ts';
import type { ObservedState } from './observed-state.ts';
import type { RunRecord } from './store.ts';

export type ShutdownLadderParts = {
  record: Pick<GuestRecord, 'now' | 'noteRun'>;
  observed: Pick<ObservedState, 'now' | 'enter'>;
  /** The guest's run; null once it is over. */
  run(): DriverRun | null;
  log: Pick<Log, 'info'>;
  /** The guest has let its time pass. */
  unanswered(timeoutSeconds: number): void;
};

type Asked = NonNullable<RunRecord['shutdown']>;

export class ShutdownLadder {
  readonly #parts: ShutdownLadderParts;
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: ShutdownLadderParts) {
    this.#parts = parts;
  }

  async ask(run: DriverRun, timeoutSeconds: number): Promise<void> {
    const by = await run.askToShutDown();
    if (!this.#parts.run()) return;
    const shutdown = { askedAt: new Date().toISOString(), by, timeoutSeconds };
    this.#parts.record.noteRun({ shutdown });
    this.await(shutdown);
  }

  /** The power button was pressed before the system could hear it, or it does not listen; now there is somebody who does. */
  async askThroughAgent(): Promise<void> {
    const shutdown = this.#parts.record.now.run?.shutdown;
    if (this.#status !== 'stopping' || shutdown?.by !== 'acpi') return;
    try {
      const by = await this.#parts.run()?.askToShutDown();
      if (!by || this.#status !== 'stopping') return;
      this.#parts.record.noteRun({ shutdown: { ...shutdown, by } });
      this.await({ ...shutdown, by });
    } catch (thrown) {
      this.#parts.log.info({ error: String(thrown) }, 'The guest could not be asked again to shut down.');
    }
  }

  /** The guest was asked, by this engine or one before, and has what is left of its time. */
  await({ askedAt, by, timeoutSeconds }: Asked): void {
    this.#parts.observed.enter('stopping', { shutdown: { askedAt, by, unanswered: false } });
    this.disarm();
    const leftMs = Math.max(0, Date.parse(askedAt) + timeoutSeconds * 1000 - Date.now());
    this.#timer = setTimeout(() => {
      if (this.#status !== 'stopping') return;
      this.#parts.observed.enter('stopping', { shutdown: { askedAt, by, unanswered: true } });
      this.#parts.unanswered(timeoutSeconds);
    }, leftMs);
  }

  /** The guest does not shut down after all. */
  giveUp(): void {
    this.disarm();
    this.#parts.record.noteRun({ shutdown: null });
  }

  disarm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  get #status(): GuestState['status'] {
    return this.#parts.observed.now.status;
  }
}
