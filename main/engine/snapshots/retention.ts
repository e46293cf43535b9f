/** When a schedule wants a snapshot and which of those it made it still keeps: pure, over instants in milliseconds. */
import type { SnapshotSchedule } from '../../../contract/guest-snapshot.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;
/** 1970 began on a Thursday; weeks begin on Monday. */
const mondayMs = 4 * dayMs;

const hourOf = (ms: number) => Math.floor(ms / hourMs);
const dayOf = (ms: number) => Math.floor(ms / dayMs);
const weekOf = (ms: number) => Math.floor((ms - mondayMs) / weekMs);

/** The shortest time that the schedule tells apart, as the number of the period in which an instant lies; null when it keeps nothing. */
function periodOf(schedule: SnapshotSchedule): ((ms: number) => number) | null {
  if (!schedule.enabled) return null;
  if (schedule.keepHourly > 0) return hourOf;
  if (schedule.keepDaily > 0) return dayOf;
  return schedule.keepWeekly > 0 ? weekOf : null;
}

/** Whether a snapshot is due: none was made yet in this hour, day or week. */
export function isDue(schedule: SnapshotSchedule, lastMs: number | null, nowMs: number): boolean {
  const period = periodOf(schedule);
  if (!period) return false;
  // A clock that was set back is no reason to make one after the other.
  return lastMs === null || period(nowMs) > period(lastMs);
}

/** Those that the schedule no longer keeps: all but the newest of each of the last hours, days and weeks that have one. */
export function expired<One extends { atMs: number }>(schedule: SnapshotSchedule, made: readonly One[]): One[] {
  const newestFirst = [...made].sort((a, b) => b.atMs - a.atMs);
  const kept = new Set<One>();
  const keep = (count: number, period: (ms: number) => number) => {
    const seen = new Set<number>();
    for (const one of newestFirst) {
      if (seen.size >= count) return;
      const which = period(one.atMs);
      if (!seen.has(which)) kept.add(one);
      seen.add(which);
    }
  };
  keep(schedule.keepHourly, hourOf);
  keep(schedule.keepDaily, dayOf);
  keep(schedule.keepWeekly, weekOf);
  return newestFirst.filter((one) => !kept.has(one));
}
