/** What one guest is seen to be, as clients are told it. Only the actor changes it; every change is told at once. */
import type { GuestState } from '../../../contract/guest-state.ts';
import type { RunFacts } from '../drivers/driver.ts';

type RunView = NonNullable<GuestState['run']>;
/** What the guest and its QEMU tell of themselves while it runs. */
export type Told = Pick<RunView, 'qemuAgent' | 'qemuAgentVersion' | 'spiceAgent' | 'addresses' | 'hostname' | 'resolution' | 'silentSince'>;

const toldNothing: Told = {
  qemuAgent: false,
  qemuAgentVersion: null,
  spiceAgent: false,
  addresses: [],
  hostname: null,
  resolution: null,
  silentSince: null,
};

export class ObservedState {
  readonly #changed: () => void;
  #state: GuestState;
  #told: Told = toldNothing;
  #facts: RunFacts | null = null;

  constructor(state: GuestState, changed: () => void) {
    this.#state = state;
    this.#changed = changed;
  }

  get now(): GuestState {
    return this.#state;
  }

  enter(status: GuestState['status'], more: Partial<Pick<GuestState, 'pause' | 'crash' | 'shutdown' | 'problems'>> = {}): void {
    const { run, busy, problems, since } = this.#state;
    this.#put({
      status,
      since: this.#state.status === status ? since : new Date().toISOString(),
      ...(run ? { run } : {}),
      ...(busy === undefined ? {} : { busy }),
      problems,
      ...more,
    });
  }

  /** Back to what it was before something that did not come about. */
  restore(state: GuestState): void {
    this.#put(state);
  }

  /** A process runs the guest. What the driver told of it before that counts. */
  beginRun(facts: RunFacts): void {
    this.#facts = facts;
    this.#showRun();
  }

  endRun(): void {
    this.#facts = null;
    this.#told = toldNothing;
    const { run: _, ...rest } = this.#state;
    this.#state = rest;
  }

  tell(change: Partial<Told>): void {
    this.#told = { ...this.#told, ...change };
    this.#showRun();
  }

  /** What wants attention although the guest works. */
  setProblems(problems: string[]): void {
    this.#put({ ...this.#state, problems });
  }

  /** Something is done to its disks that must end first; null when it has. */
  setBusy(reason: string | null): void {
    const { busy: _, ...rest } = this.#state;
    this.#put(reason === null ? rest : { ...rest, busy: reason });
  }

  #showRun(): void {
    if (!this.#facts?.process) return;
    const { accelerator, startedAt, process } = this.#facts;
    this.#put({ ...this.#state, run: { pid: process.pid, accelerator, emulated: accelerator === 'tcg', startedAt, ...this.#told } });
  }

  #put(state: GuestState): void {
    this.#state = state;
    this.#changed();
  }
}
