import { useSyncExternalStore } from 'react';
import { type ConsoleStats, noStats } from '../../console/console.ts';
import type { ConsoleSession } from '../../console/session.ts';

/** The figures of a session's console as they are shown: wherever they are, they are the same. */
export function useStats(session: ConsoleSession | null): ConsoleStats {
  return useSyncExternalStore(session?.subscribeToStats ?? subscribeToNothing, session?.getStats ?? getNothing);
}

const subscribeToNothing = () => () => undefined;
const getNothing = () => noStats;
