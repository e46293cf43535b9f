/**
 * Work that rearranges disk files and has time: whoever needs the disks of a guest ends it, waits until it has ended, and it is begun again
 * later. What is under way is known from the moment in which it is begun, so nothing comes between looking and beginning.
 */
import { Failure } from '../../../contract/errors.ts';
import type { GuestId } from '../../../contract/ids.ts';

export type DiskWork = {
  /**
   * Does `work` until somebody needs the disks.
   * @param only the guest whose files alone are touched; null: whoever comes is given way
   * @throws the signal's reason, or what went wrong
   */
  during(only: GuestId | null, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<'done' | 'gave way'>;
  /** Ends what touches the disks of a guest, or any when that is null, and settles when nothing does. Whoever asks sees to it that no more begins. */
  giveWay(id: GuestId | null): Promise<void>;
};

export function createDiskWork(): DiskWork {
  const underWay = new Set<{ only: GuestId | null; abort: AbortController; ended: Promise<void> }>();
  return {
    async during(only, signal, work) {
      const abort = new AbortController();
      const done = work(AbortSignal.any([signal, abort.signal]));
      const one = { only, abort, ended: done.catch(() => undefined) };
      underWay.add(one);
      try {
        await done;
        return 'done';
      } catch (thrown) {
        signal.throwIfAborted();
        if (abort.signal.aborted) return 'gave way';
        throw thrown;
      } finally {
        underWay.delete(one);
      }
    },
    async giveWay(id) {
      const inTheWay = [...underWay].filter(({ only }) => only === null || id === null || only === id);
      for (const { abort } of inTheWay) abort.abort(new Failure('job/cancelled', 'A guest wants its disks.'));
      await Promise.all(inTheWay.map(({ ended }) => ended));
    },
  };
}
