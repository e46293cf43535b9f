/** Waiting for what can only be looked at. */
import { setTimeout as pause } from 'node:timers/promises';

/** The first answer that is something. Throws when there was none within the deadline. */
export async function until<T>(
  what: string,
  deadlineMs: number,
  look: () => Promise<T>,
  everyMs = 50,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen as Exclude<T, null | undefined | false>;
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs / 1000} s in vain until ${what}`);
    await pause(everyMs);
  }
}
