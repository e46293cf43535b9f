import fc from 'fast-check';
import { expect, test } from 'vitest';
import { guestCan } from '../../../contract/guest-can.ts';
import { type GuestStatus, guestStatus } from '../../../contract/guest-state.ts';
import { ask, emptyQueue, finish, type GuestQueue, next, type QueuedVerb, type Request, type Step, tell } from './guest-queue.ts';

const verbs: QueuedVerb[] = [
  'start',
  'pause',
  'resume',
  'shutdown',
  'forceOff',
  'reset',
  'suspend',
  'snapshot',
  'revert',
  'delete',
  'clone',
  'rebuild',
  'move',
  'edit',
];
const beingReverted = 'The guest is being taken back to a snapshot.';
const beingSnapshotted = 'A snapshot of the guest is being made.';

type Action =
  | { kind: 'ask'; verb: QueuedVerb }
  | { kind: 'tell' }
  | { kind: 'next' }
  | { kind: 'finish' }
  | { kind: 'status'; status: GuestStatus };

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...verbs).map((verb): Action => ({ kind: 'ask', verb })) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'tell' }) },
  { weight: 4, arbitrary: fc.constant<Action>({ kind: 'next' }) },
  { weight: 2, arbitrary: fc.constant<Action>({ kind: 'finish' }) },
  { weight: 2, arbitrary: fc.constantFrom(...guestStatus.options).map((status): Action => ({ kind: 'status', status })) },
);

const pendingVerbs = ({ active, waiting }: GuestQueue<number>) => [active, ...waiting].map((request) => request?.verb);

/** Runs the actions against the queue and checks what must hold after each. */
function play(actions: readonly Action[]) {
  let queue: GuestQueue<number> = emptyQueue();
  let status: GuestStatus = 'off';
  let nextId = 1;
  let told = 0;
  let heard = 0;
  const open = new Set<number>();
  const answered = new Map<number, number>();
  const answer = (id: number) => answered.set(id, (answered.get(id) ?? 0) + 1);
  const step = (): Step<number> => {
    const result = next(queue, { status });
    queue = result.queue;
    const { step: taken } = result;
    if (taken.kind === 'event') {
      expect(taken.event).toBe(heard);
      heard++;
    } else {
      // Nothing is done for anyone while the guest has something to say.
      expect(heard).toBe(told);
    }
    if (taken.kind === 'run') {
      expect(guestCan({ status }, taken.request.verb).kind).toBe('allowed');
      expect(open.has(taken.request.id)).toBe(true);
    }
    if (taken.kind === 'answer') {
      expect(guestCan({ status }, taken.request.verb)).toEqual(taken.verdict);
      answer(taken.request.id);
    }
    return taken;
  };
  const done = () => {
    if (!queue.active) return;
    const { id } = queue.active;
    queue = finish(queue, id);
    expect(queue.active).toBe(null);
    answer(id);
  };
  for (const one of actions) {
    if (one.kind === 'status') status = one.status;
    else if (one.kind === 'tell') queue = tell(queue, told++);
    else if (one.kind === 'next') step();
    else if (one.kind === 'finish') done();
    else {
      const request: Request = { id: nextId++, verb: one.verb };
      const before = queue;
      const { queue: after, admission, interrupt } = ask(queue, { status }, request);
      queue = after;
      if (admission.kind === 'waiting') {
        open.add(request.id);
        expect(after.waiting).toContain(request);
      } else {
        expect(after).toBe(before);
        if (admission.kind === 'joined') expect([before.active?.id, ...before.waiting.map(({ id }) => id)]).toContain(admission.to);
        else if (admission.kind === 'denied' && admission.reason === beingReverted) expect(pendingVerbs(before)).toContain('revert');
        else if (admission.kind === 'denied' && admission.reason === beingSnapshotted) expect(pendingVerbs(before)).toContain('snapshot');
        else expect(guestCan({ status }, one.verb)).toEqual(admission);
      }
      if (interrupt !== null) {
        expect(one.verb).toBe('forceOff');
        expect(interrupt).toBe(before.active?.id);
      }
    }
  }
  return {
    drain: () => {
      for (let i = 0; i < actions.length * 4 + 10; i++) {
        if (step().kind === 'idle' && !queue.active) break;
        done();
      }
      expect(queue).toEqual(emptyQueue());
      for (const id of open) expect(answered.get(id)).toBe(1);
    },
  };
}

test('whatever is asked, told and finished in whatever order, every request is answered once and events come first', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => play(actions).drain()),
    { numRuns: 1000 },
  );
});

test('requests that do not press harder than others are run in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom<QueuedVerb>('pause', 'reset', 'shutdown'), { minLength: 1, maxLength: 20 }), (asked) => {
      let queue: GuestQueue<number> = emptyQueue();
      const expected: number[] = [];
      for (const [id, verb] of asked.entries()) {
        const result = ask(queue, { status: 'running' }, { id, verb });
        queue = result.queue;
        if (result.admission.kind === 'waiting') expected.push(id);
      }
      const ran: number[] = [];
      for (;;) {
        const result = next(queue, { status: 'running' });
        queue = result.queue;
        if (result.step.kind !== 'run') break;
        ran.push(result.step.request.id);
        queue = finish(queue, result.step.request.id);
      }
      expect(ran).toEqual(expected);
    }),
  );
});

test('two starts at once are one, and a delete beside them is denied', () => {
  let queue: GuestQueue<never> = emptyQueue();
  const first = ask(queue, { status: 'off' }, { id: 1, verb: 'start' });
  queue = next(first.queue, { status: 'off' }).queue;
  expect(queue.active?.id).toBe(1);
  expect(ask(queue, { status: 'starting' }, { id: 2, verb: 'start' }).admission).toEqual({ kind: 'joined', to: 1 });
  expect(ask(queue, { status: 'starting' }, { id: 3, verb: 'delete' }).admission.kind).toBe('denied');
});

test('forcing off goes before what waits and cuts a start short', () => {
  let queue: GuestQueue<never> = emptyQueue();
  queue = next(ask(queue, { status: 'off' }, { id: 1, verb: 'start' }).queue, { status: 'off' }).queue;
  queue = ask(queue, { status: 'starting' }, { id: 2, verb: 'shutdown' }).queue;
  const off = ask(queue, { status: 'starting' }, { id: 3, verb: 'forceOff' });
  expect(off.interrupt).toBe(1);
  expect(off.queue.waiting.map(({ id }) => id)).toEqual([3, 2]);
});

test('while a guest is taken back to a snapshot nothing else is begun, and a second snapshot at once is denied with the reason', () => {
  let queue: GuestQueue<never> = emptyQueue();
  queue = next(ask(queue, { status: 'off' }, { id: 1, verb: 'revert' }).queue, { status: 'off' }).queue;
  for (const verb of ['start', 'revert', 'snapshot', 'delete'] as const) {
    expect(ask(queue, { status: 'off' }, { id: 2, verb }).admission).toEqual({ kind: 'denied', reason: beingReverted });
  }
  queue = next(ask(emptyQueue<never>(), { status: 'running' }, { id: 1, verb: 'snapshot' }).queue, { status: 'running' }).queue;
  for (const verb of ['snapshot', 'revert'] as const) {
    expect(ask(queue, { status: 'running' }, { id: 2, verb }).admission).toEqual({ kind: 'denied', reason: beingSnapshotted });
  }
  expect(ask(queue, { status: 'running' }, { id: 2, verb: 'shutdown' }).admission).toEqual({ kind: 'waiting' });
  expect(ask(queue, { status: 'running' }, { id: 3, verb: 'forceOff' }).interrupt).toBe(1);
});
