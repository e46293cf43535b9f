/** The stored half of one guest: what it is, and what was asked of it. Reads are of memory; writes go to the database first. */
import { toGuesthouseError } from '../../../contract/errors.ts';
import { withHardwareOf } from '../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { RunFacts } from '../drivers/driver.ts';
import type { Log } from '../log/log.ts';
import type { GuestStore, RunRecord, StoredGuest } from './store.ts';

const retryMs = 5_000;

export class GuestRecord {
  readonly #store: GuestStore;
  readonly #log: Log;
  #stored: StoredGuest;
  #retry: NodeJS.Timeout | null = null;

  constructor(stored: StoredGuest, store: GuestStore, log: Log) {
    this.#stored = stored;
    this.#store = store;
    this.#log = log;
  }

  get now(): Readonly<StoredGuest> {
    return this.#stored;
  }

  /** The hardware of its next start. A state that was saved goes on with that which it was saved with. */
  get startsWith(): GuestSpec {
    const { spec, saved } = this.#stored;
    return saved?.spec ? withHardwareOf(spec, saved.spec) : spec;
  }

  /** The hardware that it runs with; null while nothing of it runs. */
  get runsWith(): GuestSpec | null {
    const { run, spec } = this.#stored;
    return run ? withHardwareOf(spec, run.spec ?? spec) : null;
  }

  /** Writes a wish down before it is carried out. @throws Failure when the database cannot be written; nothing has changed then. */
  save(change: Partial<StoredGuest>): void {
    const next = { ...this.#stored, ...change };
    this.#store.save(next);
    this.#stored = next;
  }

  /** As `save`, in one transaction with what `together` stores besides. */
  saveTogether(change: Partial<StoredGuest>, together: (write: () => void) => void): void {
    const next = { ...this.#stored, ...change };
    together(() => this.#store.save(next));
    this.#stored = next;
  }

  /**
   * Writes a fact down that is so whether or not it can be written (a full disk, say): then it is tried again. An engine that finds
   * the older row meanwhile comes to the same by looking at the guest.
   */
  note(change: Partial<StoredGuest>): void {
    this.#stored = { ...this.#stored, ...change };
    this.#write();
  }

  /** A state was saved by the run with these facts, whether or not the row says so yet. */
  noteSaved({ machine, accelerator, plugged }: RunFacts): void {
    const { run, spec } = this.#stored;
    this.note({ saved: { machine: machine ?? spec.machine, accelerator, spec: run?.spec ?? null, plugged } });
  }

  noteRun(change: Partial<RunRecord>): void {
    if (this.#stored.run) this.note({ run: { ...this.#stored.run, ...change } });
  }

  saveRun(change: Partial<RunRecord>): void {
    if (this.#stored.run) this.save({ run: { ...this.#stored.run, ...change } });
  }

  release(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
  }

  #write(): void {
    this.release();
    try {
      this.#store.save(this.#stored);
    } catch (thrown) {
      this.#log.error(
        { error: toGuesthouseError(thrown) },
        'The state of a guest could not be written to the database; it is tried again.',
      );
      this.#retry = setTimeout(() => this.#write(), retryMs);
      this.#retry.unref();
    }
  }
}
