import { expect, test } from 'vitest';
import { type Clock, Reconnect } from './reconnect.ts';

/** A clock that goes only when told to. */
function fakeClock() {
  let now = 0;
  let planned: { at: number; callback: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after: (delayMs, callback) => {
      const plan = { at: now + delayMs, callback };
      planned.push(plan);
      return () => {
        planned = planned.filter((other) => other !== plan);
      };
    },
  };
  const go = (byMs: number) => {
    now += byMs;
    const due = planned.filter((plan) => plan.at <= now);
    planned = planned.filter((plan) => plan.at > now);
    for (const plan of due) plan.callback();
  };
  return { clock, go, plannedCount: () => planned.length };
}

function policy() {
  const fake = fakeClock();
  let attempts = 0;
  const reconnect = new Reconnect(fake.clock, () => attempts++);
  return { ...fake, reconnect, attempts: () => attempts };
}

test('the first attempt comes at once and the later ones with growing patience, to a limit', () => {
  const { reconnect, go, attempts } = policy();
  const waits: number[] = [];
  for (let round = 0; round < 9; round++) {
    reconnect.lost();
    waits.push(reconnect.dueInMs ?? -1);
    go(waits.at(-1) ?? 0);
    expect(attempts()).toBe(round + 1);
  }
  expect(waits).toEqual([200, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
});

test('a connection that held is a fresh start, one that broke at once is not', () => {
  const { reconnect, go } = policy();
  for (let round = 0; round < 3; round++) {
    reconnect.lost();
    go(20_000);
  }
  reconnect.connected();
  go(500);
  reconnect.lost();
  expect(reconnect.dueInMs).toBe(2000);
  go(2000);
  reconnect.connected();
  go(10_000);
  reconnect.lost();
  expect(reconnect.dueInMs).toBe(200);
});

test('hurrying attempts at once and forgets what was planned', () => {
  const { reconnect, go, attempts, plannedCount } = policy();
  reconnect.lost();
  reconnect.hurry();
  expect(attempts()).toBe(1);
  expect(plannedCount()).toBe(0);
  go(60_000);
  expect(attempts()).toBe(1);
});

test('after stopping nothing is attempted', () => {
  const { reconnect, go, attempts } = policy();
  reconnect.lost();
  reconnect.stop();
  expect(reconnect.dueInMs).toBeNull();
  go(60_000);
  expect(attempts()).toBe(0);
});
