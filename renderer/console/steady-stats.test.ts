import { expect, test } from 'vitest';
import { type ConsoleStats, noStats } from './console.ts';
import { steadyStats } from './steady-stats.ts';

const blinking: ConsoleStats = { framesPerSecond: 4.93, bytesInPerSecond: 961, bytesOutPerSecond: 0, latencyMs: 3.1 };

test('a second with one blink more or less changes nothing that is shown', () => {
  for (const pictures of [4, 4.99, 5, 5.9])
    expect(steadyStats(blinking, { ...blinking, framesPerSecond: pictures, bytesInPerSecond: pictures * 195 })).toBe(blinking);
});

test('acknowledging what came is no traffic that is worth a figure', () => {
  expect(steadyStats(blinking, { ...blinking, bytesOutPerSecond: 24 })).toBe(blinking);
});

test('a guest that begins to draw, or stops, is shown at once', () => {
  const one = { ...noStats, framesPerSecond: 1, bytesInPerSecond: 195 };
  expect(steadyStats(noStats, one)).toEqual(one);
  expect(steadyStats(one, noStats)).toEqual(noStats);
  expect(steadyStats(blinking, { ...blinking, framesPerSecond: 0, bytesInPerSecond: 0 })).toMatchObject({
    framesPerSecond: 0,
    bytesInPerSecond: 0,
  });
});

test('what changed by more than a tenth is shown, and what did not stays beside it', () => {
  expect(steadyStats(blinking, { framesPerSecond: 5, bytesInPerSecond: 40_000, bytesOutPerSecond: 900, latencyMs: 3.2 })).toEqual({
    framesPerSecond: 4.93,
    bytesInPerSecond: 40_000,
    bytesOutPerSecond: 900,
    latencyMs: 3.1,
  });
});

test('a round trip that is off by less than a millisecond is as it was', () => {
  for (const latencyMs of [2.2, 3.9]) expect(steadyStats(blinking, { ...blinking, latencyMs })).toBe(blinking);
  expect(steadyStats(blinking, { ...blinking, latencyMs: 4.3 }).latencyMs).toBe(4.3);
});

test('the first latency is shown, and one that grew little by little does not stay behind', () => {
  let shown = steadyStats(noStats, { ...noStats, latencyMs: 2 });
  expect(shown.latencyMs).toBe(2);
  for (let latencyMs = 2; latencyMs < 20; latencyMs += 0.05) shown = steadyStats(shown, { ...noStats, latencyMs });
  expect(shown.latencyMs).toBeGreaterThan(18);
});
