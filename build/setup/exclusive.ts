/** One process at a time for what two clones, or a start and a test, would otherwise make at once in the shared cache. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Runs `work` while no other process holds `lockFile`. A lock whose holder is dead is taken over. `onWait` is told once, with the holder's
 * process id, when there is something to wait for. Throws when the holder keeps it for longer than `deadlineMs`.
 */
export async function exclusively<Result>(
  lockFile: string,
  work: () => Promise<Result>,
  { onWait = () => {}, deadlineMs = 30 * 60_000 }: { onWait?: (pid: number) => void; deadlineMs?: number } = {},
): Promise<Result> {
  mkdirSync(dirname(lockFile), { recursive: true });
  const deadline = Date.now() + deadlineMs;
  let told = false;
  while (!take(lockFile)) {
    const holder = holderOf(lockFile);
    if (holder !== null && !isAlive(holder)) {
      rmSync(lockFile, { force: true });
      continue;
    }
    // First: whoever is given up on was named before, also where the machine is so busy that the time is over at once.
    if (!told && holder !== null) {
      told = true;
      onWait(holder);
    }
    if (Date.now() > deadline)
      throw new Error(`Process ${holder} has held ${lockFile} for too long. End it, or delete that file if it is something else.`);
    await delay(200);
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function take(lockFile: string): boolean {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Null when the lock has just been given back, or its holder has not written its id yet. */
function holderOf(lockFile: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(lockFile, 'utf8'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
