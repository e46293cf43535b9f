import { expect, test } from 'vitest';
import { firstLevel, levelChosen, levelHeard } from './guest-level.ts';

const says = (volume: number, muted = false) => ({ playing: true, volume, muted });

test('what the guest sets is followed', () => {
  const level = levelHeard(firstLevel(says(1)), says(0.82), 50);
  expect(level.shown).toBe(0.82);
  expect(levelHeard(level, says(0), 60).shown).toBe(0);
});

test('what was chosen here stands while the card says it on its own scale, and goes when it says something else', () => {
  const chosen = levelChosen(firstLevel(says(1)), 0.5, 1000);
  const answered = levelHeard(levelHeard(chosen, says(0.9), 1100), says(0.67), 1300);
  expect(answered.shown).toBe(0.5);
  expect(levelHeard(answered, says(0.67), 60_000).shown).toBe(0.5);
  expect(levelHeard(answered, says(0.8), 60_000).shown).toBe(0.8);
});

test('a guest that is muted keeps its volume, however its card says so', () => {
  const level = firstLevel(says(0.6));
  expect(levelHeard(level, says(0, true), 10).shown).toBe(0.6);
  const inTwo = levelHeard(levelHeard(level, says(0), 10), says(0, true), 12);
  expect(inTwo.shown).toBe(0.6);
  expect(levelHeard(levelHeard(inTwo, says(0.6, true), 20), says(0.6), 21).shown).toBe(0.6);
  // It was turned down long before.
  expect(levelHeard(levelHeard(level, says(0), 10), says(0, true), 5000).shown).toBe(0);
});

test('a volume that was chosen here and muted there is shown again when it is heard again', () => {
  const chosen = levelHeard(levelChosen(firstLevel(says(1)), 0.5, 1000), says(0.67), 1200);
  const muted = levelHeard(levelHeard(chosen, says(0), 9000), says(0, true), 9001);
  expect(muted.shown).toBe(0.5);
});
