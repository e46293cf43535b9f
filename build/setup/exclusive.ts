/** One process at a time for what two clones, or a start and a test, would otherwise make at once in the shared cache. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { takeProcessLock } from '../../main/engine/store/process-lock.ts';

/**
 * Runs `work` while no other process holds the lock on `lockFile`, which stays there afterwards. The lock of a process that ends is free at
 * once. `onWait` is told once, with the holder's process id, when there is something to wait for. Throws when the holder keeps it for longer
 * than `deadlineMs`.
 */
export async function exclusively<Result>(
  lockFile: string,
  work: () => Promise<Result>,
  { onWait = () => {}, deadlineMs = 30 * 60_000 }: { onWait?: (pid: number) => void; deadlineMs?: number } = {},
): Promise<Result> {
  mkdirSync(dirname(lockFile), { recursive: true });
  const deadline = Date.now() + deadlineMs;
  let told = false;
  for (;;) {
    const attempt = takeProcessLock(lockFile, new Date().toISOString());
    if (attempt.isTaken) {
      try {
        return await work();
      } finally {
        attempt.release();
      }
    }
    // First: whoever is given up on was named before, also where the machine is so busy that the time is over at once.
    if (!told && attempt.holder !== null) {
      told = true;
      onWait(attempt.holder.pid);
    }
    if (Date.now() > deadline)
      throw new Error(`Process ${attempt.holder?.pid ?? 'of unknown number'} has held ${lockFile} for too long. End it and try again.`);
    await delay(200);
  }
}
