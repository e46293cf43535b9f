/** One engine a data folder, with nothing stale to clean up after one that was killed. */
import { Failure } from '../../../contract/errors.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import { toStoreFailure } from './database.ts';
import { type LockAttempt, type LockHolder, takeProcessLock } from './process-lock.ts';

export type EngineLock = { release(): void };

/**
 * Takes the lock or says who has it.
 * @throws Failure `engine/held` naming the process and since when; `store/not-writable`, `store/full`
 */
export function takeEngineLock(path: string, clock: Clock): EngineLock {
  let attempt: LockAttempt;
  try {
    attempt = takeProcessLock(path, instantNow(clock));
  } catch (thrown) {
    throw toStoreFailure(thrown, path, 'lock');
  }
  if (!attempt.isTaken) throw heldFailure(path, attempt.holder);
  return attempt;
}

function heldFailure(path: string, holder: LockHolder | null): Failure {
  const who = holder ? `process ${holder.pid}, since ${holder.since.slice(0, 19).replace('T', ' ')} UTC` : 'one that is just starting';
  return new Failure('engine/held', `Another engine holds this data folder: ${who}.`, {
    hint: 'Use that one, stop it with “guesthouse engine stop”, or choose another folder with GUESTHOUSE_HOME.',
    detail: path,
  });
}
