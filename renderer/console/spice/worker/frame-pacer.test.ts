import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FramePacer } from './frame-pacer.ts';

/** A clock that is moved by hand. */
function handClock() {
  let now = 1000;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    now: () => now,
    after(delayMs: number, callback: () => void) {
      const timer = { at: now + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    pass(ms: number) {
      const until = now + ms;
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at);
        if (!next) break;
        timers = timers.filter((other) => other !== next);
        now = next.at;
        next.callback();
      }
      now = until;
    },
  };
}

test('what comes after a pause is shown at once, and what follows with the next frame', () => {
  const clock = handClock();
  const shown: number[] = [];
  const pacer = new FramePacer(clock, () => shown.push(clock.now() - 1000));
  pacer.ask();
  expect(shown).toEqual([0]);
  clock.pass(3);
  pacer.ask();
  pacer.ask();
  expect(shown).toEqual([0]);
  clock.pass(20);
  expect(shown).toHaveLength(2);
  expect(shown[1]).toBeCloseTo(1000 / 60);
});

test('what has come in part waits four milliseconds for the rest, and not for its frame any longer', () => {
  const clock = handClock();
  const shown: number[] = [];
  const pacer = new FramePacer(clock, () => shown.push(clock.now() - 1000));
  pacer.ask(true);
  clock.pass(3);
  pacer.ask(true);
  expect(shown).toEqual([]);
  pacer.ask();
  expect(shown).toEqual([3]);
  clock.pass(97);
  pacer.ask(true);
  clock.pass(3);
  pacer.ask(true);
  clock.pass(1);
  expect(shown).toEqual([3, 104]);
  clock.pass(1);
  pacer.ask(true);
  clock.pass(1000 / 60);
  expect(shown).toHaveLength(3);
  expect(shown[2]).toBeCloseTo(104 + 1000 / 60);
});

test('a hidden console is brought up to date once a second, and at once when it is seen again', () => {
  const clock = handClock();
  let shown = 0;
  const pacer = new FramePacer(clock, () => shown++);
  pacer.ask();
  pacer.setVisible(false);
  for (let step = 0; step < 50; step++) {
    clock.pass(10);
    pacer.ask();
  }
  expect(shown).toBe(1);
  pacer.setVisible(true);
  expect(shown).toBe(2);
  pacer.setVisible(false);
  for (let step = 0; step < 500; step++) {
    pacer.ask();
    clock.pass(10);
  }
  expect(shown).toBe(7);
});

test('whatever is asked for when, it is shown, no more often than a display shows and no later than a frame', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.boolean(), fc.boolean()), { maxLength: 100 }), (steps) => {
      const clock = handClock();
      const shown: number[] = [];
      const pacer = new FramePacer(clock, () => shown.push(clock.now()));
      for (const [wait, ask, inPart] of steps) {
        clock.pass(wait);
        if (!ask) continue;
        const askedAt = clock.now();
        pacer.ask(inPart);
        clock.pass(1000 / 60);
        expect(shown.some((at) => at >= askedAt && at <= askedAt + 1000 / 60)).toBe(true);
      }
      for (let index = 1; index < shown.length; index++)
        expect((shown[index] as number) - (shown[index - 1] as number)).toBeGreaterThanOrEqual(1000 / 60 - 1e-6);
    }),
  );
});
