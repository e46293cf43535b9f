/**
 * What was asked of one guest and in which order it is done: pure, without time and without a guest. The actor (`guest-actor.ts`)
 * does what this says.
 *
 * ```
 *   ask ──► denied: reason      the guest cannot do it now (contract/guest-can.ts), or is being given another past
 *      ├──► ignored             it is so already
 *      ├──► joined              the same was asked last and is not done yet: one outcome for both
 *      └──► waiting ──► active ──► finished
 *                │         ▲
 *                └─ judged again when its turn comes: by then the guest may be another
 *
 *   tell ──► events, always handled before the next request, also while one is active
 * ```
 *
 * Forcing a guest off goes before all that waits, and cuts short what is active where that can take long.
 *
 * INVARIANT: at most one request is active; every request is answered once; events keep their order and are never behind a request
 * (`guest-queue.test.ts`).
 */
import { guestCan, type StateForVerbs, type Verdict } from '../../../contract/guest-can.ts';

/** Verbs that change whether the guest runs, or need it to themselves, and so exclude each other. */
export type QueuedVerb =
  | 'start'
  | 'pause'
  | 'resume'
  | 'shutdown'
  | 'forceOff'
  | 'reset'
  | 'suspend'
  | 'snapshot'
  | 'revert'
  | 'delete'
  | 'clone'
  | 'rebuild'
  | 'move'
  | 'edit';

export type Request = { id: number; verb: QueuedVerb };

export type GuestQueue<Event> = {
  readonly active: Request | null;
  readonly waiting: readonly Request[];
  readonly events: readonly Event[];
};

export type StateView = StateForVerbs;

export type Admission = { kind: 'waiting' } | { kind: 'joined'; to: number } | Exclude<Verdict, { kind: 'allowed' }>;

export type Step<Event> =
  | { kind: 'idle' }
  | { kind: 'event'; event: Event }
  | { kind: 'run'; request: Request }
  /** Its turn came and the guest is no longer in a state for it. */
  | { kind: 'answer'; request: Request; verdict: Exclude<Verdict, { kind: 'allowed' }> };

export const emptyQueue = <Event>(): GuestQueue<Event> => ({ active: null, waiting: [], events: [] });

/** Two resets, or two ways of pressing a button twice, are two; of the others a second one adds nothing. */
const joins: ReadonlySet<QueuedVerb> = new Set(['start', 'pause', 'resume', 'shutdown', 'forceOff', 'suspend', 'delete']);
/** What may take long, and ends in good order when it is cut short. */
const interruptible: ReadonlySet<QueuedVerb> = new Set(['start', 'suspend', 'snapshot', 'edit']);

/** Why `asked` is not even put behind `pending`: by the time of its turn it would mean another guest than whoever asked has seen. */
function excludedBy(pending: QueuedVerb, asked: QueuedVerb): string | null {
  if (pending === 'revert' && asked !== 'forceOff') return 'The guest is being taken back to a snapshot.';
  if (pending === 'snapshot' && (asked === 'snapshot' || asked === 'revert')) return 'A snapshot of the guest is being made.';
  return null;
}

/** Asks for something. `interrupt` is the id of the active request that has to be cut short for it, or null. */
export function ask<Event>(
  queue: GuestQueue<Event>,
  state: StateView,
  request: Request,
): { queue: GuestQueue<Event>; admission: Admission; interrupt: number | null } {
  const { active, waiting } = queue;
  const same = request.verb === 'forceOff' ? [active, ...waiting].find((one) => one?.verb === 'forceOff') : (waiting.at(-1) ?? active);
  if (same && same.verb === request.verb && joins.has(request.verb)) {
    return { queue, admission: { kind: 'joined', to: same.id }, interrupt: null };
  }
  for (const pending of active ? [active, ...waiting] : waiting) {
    const reason = excludedBy(pending.verb, request.verb);
    if (reason) return { queue, admission: { kind: 'denied', reason }, interrupt: null };
  }
  // With others before it, what the guest will be when its turn comes is not known yet.
  if (waiting.length === 0) {
    const verdict = guestCan(state, request.verb);
    if (verdict.kind !== 'allowed') return { queue, admission: verdict, interrupt: null };
  }
  if (request.verb === 'forceOff') {
    const interrupt = active && interruptible.has(active.verb) ? active.id : null;
    return { queue: { ...queue, waiting: [request, ...waiting] }, admission: { kind: 'waiting' }, interrupt };
  }
  return { queue: { ...queue, waiting: [...waiting, request] }, admission: { kind: 'waiting' }, interrupt: null };
}

/** The guest itself has something to say. */
export function tell<Event>(queue: GuestQueue<Event>, event: Event): GuestQueue<Event> {
  return { ...queue, events: [...queue.events, event] };
}

/** What is to be done next; call again until `idle`. */
export function next<Event>(queue: GuestQueue<Event>, state: StateView): { queue: GuestQueue<Event>; step: Step<Event> } {
  const [event, ...events] = queue.events;
  if (event !== undefined) return { queue: { ...queue, events }, step: { kind: 'event', event } };
  const [request, ...waiting] = queue.waiting;
  if (queue.active || !request) return { queue, step: { kind: 'idle' } };
  const verdict = guestCan(state, request.verb);
  if (verdict.kind === 'allowed') return { queue: { ...queue, active: request, waiting }, step: { kind: 'run', request } };
  return { queue: { ...queue, waiting }, step: { kind: 'answer', request, verdict } };
}

/** The active request is done, one way or the other. */
export function finish<Event>(queue: GuestQueue<Event>, id: number): GuestQueue<Event> {
  return queue.active?.id === id ? { ...queue, active: null } : queue;
}
