/** What was typed while a guest moved, beside what arrived in it. */
import { expect } from 'vitest';

/** That all has arrived, in order and once, but for what was typed in the one instant in which the guest stood still: no more than `mostLost`. */
export function expectTyped(arrived: string, typed: string, mostLost: number): void {
  let before = 0;
  while (before < arrived.length && arrived[before] === typed[before]) before++;
  const after = arrived.length - before;
  expect(`${typed.slice(0, before)}…${typed.slice(typed.length - after)}`).toBe(`${arrived.slice(0, before)}…${arrived.slice(before)}`);
  expect(typed.length - arrived.length).toBeLessThanOrEqual(mostLost);
}
