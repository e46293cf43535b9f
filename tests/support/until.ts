/** Waits for something to become true, with a deadline instead of a guess. */
import { setTimeout as pause } from 'node:timers/promises';

/** What a call of the engine may take on a computer that has much else to do: also one that runs a command in an emulated guest. */
export const patienceMs = 150_000;

/**
 * The first truthy answer of `look`. What takes long to see is looked at less often: an emulated guest that is asked again and again does
 * nothing else.
 * @throws Error naming `what` when there was none within `deadlineMs`
 */
export async function until<T>(what: string, look: () => T | Promise<T>, deadlineMs = 60_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const began = performance.now();
    const found = await look();
    if (found) return found as NonNullable<T>;
    const now = performance.now();
    if (now > deadline) throw new Error(`Waited ${deadlineMs} ms in vain for: ${what}`);
    await pause(Math.min(Math.max(20, now - began), 500));
  }
}
