/** What a guest is after its run, from how the run ended and what had been asked of it. Pure. */
import type { Crash } from '../../../contract/guest-state.ts';
import type { RunEnd } from '../drivers/driver.ts';
import type { RunRecord, SavedRecord } from './store.ts';

export type RunOutcome =
  /** `isNew`: the run ended in order to be suspended; otherwise it was to go on from its state and did not. */
  { status: 'suspended'; isNew: boolean } | { status: 'crashed'; crash: Crash } | { status: 'off' };

/** @param state the saved state in the guest's folder; one that is `spent` may not be loaded again */
export function outcomeOf(
  end: RunEnd,
  run: Pick<RunRecord, 'ask' | 'loading'> | null,
  saved: SavedRecord | null,
  state: 'none' | 'whole' | 'spent',
): RunOutcome {
  const wasSuspending = run?.ask === 'suspend';
  if (saved !== null && state === 'whole' && (wasSuspending || run?.loading === true)) return { status: 'suspended', isNew: !run?.loading };
  if (end.crash !== null && run?.ask !== 'forceOff') return { status: 'crashed', crash: end.crash };
  return { status: 'off' };
}
