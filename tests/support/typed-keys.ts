/** What is typed, beside what arrives in a guest. */
import { expect } from 'vitest';
import { until } from './until.ts';

/** Runs a shell command in the guest; the answer is its output. */
export type RunInGuest = (script: string) => Promise<string>;

/** How many bytes of its PS/2 keyboard a guest with Linux has read: each is an interrupt. */
async function bytesRead(run: RunInGuest): Promise<number> {
  const counts = /^ *1:((?: +\d+)+) .*i8042$/m.exec(await run('cat /proc/interrupts'))?.[1];
  if (counts === undefined) throw new Error('The guest has no PS/2 keyboard.');
  return counts
    .trim()
    .split(/ +/)
    .reduce((sum, count) => sum + Number(count), 0);
}

/**
 * Presses keys, and waits until the guest has read them. An emulated keyboard holds sixteen bytes and forgets what comes beside them, as a real
 * one does: on a busy computer a guest may not run for as long as it takes to type four capitals.
 *
 * @param bytes what the keys send, at most 8: telling the keyboard to light its lamps makes up to 6 more, which count as well
 * @param before what the same said when the keys before were pressed, if any were
 * @returns how many bytes the guest has ever read
 */
export async function untilKeysRead(run: RunInGuest, bytes: number, press: () => Promise<void>, before?: number): Promise<number> {
  const had = before ?? (await bytesRead(run));
  await press();
  return until(`the guest reads ${bytes} bytes of its keyboard`, async () => {
    const has = await bytesRead(run);
    return has >= had + bytes ? has : null;
  });
}

/** That all has arrived, in order and once, but for what was typed in the one instant in which the guest stood still: no more than `mostLost`. */
export function expectTyped(arrived: string, typed: string, mostLost: number): void {
  let before = 0;
  while (before < arrived.length && arrived[before] === typed[before]) before++;
  const after = arrived.length - before;
  expect(`${typed.slice(0, before)}…${typed.slice(typed.length - after)}`).toBe(`${arrived.slice(0, before)}…${arrived.slice(before)}`);
  expect(typed.length - arrived.length).toBeLessThanOrEqual(mostLost);
}
