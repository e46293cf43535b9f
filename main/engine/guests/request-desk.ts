/** Where one guest's requests and events come in: gives the pure queue (`guest-queue.ts`) its promises, and has done what it says. */
import { Failure } from '../../../contract/errors.ts';
import { ask, emptyQueue, finish, type GuestQueue, next, type QueuedVerb, type StateView, tell } from './guest-queue.ts';

/** `cutShort` is aborted, with the failure to answer, when the guest is to be forced off instead. */
export type Pending<Wish> = { wish: Wish; cutShort: AbortSignal; askedWhile: StateView['status'] };

export type DeskParts<Wish, Event> = {
  state(): StateView;
  carryOut(pending: Pending<Wish>): Promise<void>;
  hear(event: Event): void;
};

type Open<Wish> = Pending<Wish> & { outcome: PromiseWithResolvers<void>; abort: AbortController };

export class RequestDesk<Wish extends { verb: QueuedVerb }, Event> {
  readonly #parts: DeskParts<Wish, Event>;
  #queue: GuestQueue<Event> = emptyQueue();
  #open = new Map<number, Open<Wish>>();
  #nextId = 1;
  #pumping = false;
  #closed = false;

  constructor(parts: DeskParts<Wish, Event>) {
    this.#parts = parts;
  }

  /**
   * Asks for something; settles when it was done, or was so already.
   * @throws Failure `guest/denied` with the reason, or whatever went wrong.
   */
  ask(wish: Wish): Promise<void> {
    const id = this.#nextId++;
    const state = this.#parts.state();
    const { queue, admission, interrupt } = ask(this.#queue, state, { id, verb: wish.verb });
    this.#queue = queue;
    if (admission.kind === 'ignored') return Promise.resolve();
    if (admission.kind === 'denied') return Promise.reject(denied(admission.reason));
    if (admission.kind === 'joined') return this.#open.get(admission.to)?.outcome.promise ?? Promise.resolve();
    const abort = new AbortController();
    const outcome = Promise.withResolvers<void>();
    this.#open.set(id, { wish, outcome, abort, cutShort: abort.signal, askedWhile: state.status });
    if (interrupt !== null) this.#open.get(interrupt)?.abort.abort(denied('The guest was forced off meanwhile.'));
    this.#pump();
    return outcome.promise;
  }

  /** The guest itself has something to say: it is heard before anything else is begun. */
  tell(event: Event): void {
    if (this.#closed) return;
    this.#queue = tell(this.#queue, event);
    this.#pump();
  }

  /** Nothing is being done, and nothing waits for its turn. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** Nothing is begun or heard any more. */
  close(): void {
    this.#closed = true;
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (!this.#closed) {
        const { queue, step } = next(this.#queue, this.#parts.state());
        this.#queue = queue;
        if (step.kind === 'idle') return;
        if (step.kind === 'event') this.#parts.hear(step.event);
        else if (step.kind === 'run') void this.#perform(step.request.id);
        else {
          const open = this.#open.get(step.request.id);
          this.#open.delete(step.request.id);
          if (step.verdict.kind === 'ignored') open?.outcome.resolve();
          else open?.outcome.reject(denied(step.verdict.reason));
        }
      }
    } finally {
      this.#pumping = false;
    }
  }

  async #perform(id: number): Promise<void> {
    const open = this.#open.get(id);
    if (!open) return;
    try {
      await this.#parts.carryOut(open);
      open.outcome.resolve();
    } catch (thrown) {
      open.outcome.reject(thrown);
    } finally {
      this.#open.delete(id);
      this.#queue = finish(this.#queue, id);
      this.#pump();
    }
  }
}

export const denied = (reason: string): Failure => new Failure('guest/denied', reason);
