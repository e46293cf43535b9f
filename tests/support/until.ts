/** Waits for something to become true, with a deadline instead of a guess. */
import { setTimeout as pause } from 'node:timers/promises';

/** The first truthy answer of `look`. @throws Error naming `what` when there was none within `deadlineMs` */
export async function until<T>(what: string, look: () => T | Promise<T>, deadlineMs = 10_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found) return found as NonNullable<T>;
    if (Date.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain for: ${what}`);
    await pause(20);
  }
}
