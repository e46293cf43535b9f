import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultSnapshotSchedule, type SnapshotSchedule } from '../../../contract/guest-snapshot.ts';
import { expired, isDue } from './retention.ts';

const at = (text: string) => Date.parse(text);
const scheduleOf = (more: Partial<SnapshotSchedule>): SnapshotSchedule => ({ ...defaultSnapshotSchedule, enabled: true, ...more });

test('a snapshot is due once an hour, a day or a week, by the shortest that is kept', () => {
  const hourly = scheduleOf({ keepHourly: 4 });
  expect(isDue(hourly, null, at('2026-11-25T10:00:00Z'))).toBe(true);
  expect(isDue(hourly, at('2026-11-25T10:01:00Z'), at('2026-11-25T10:59:59Z'))).toBe(false);
  expect(isDue(hourly, at('2026-11-25T10:59:00Z'), at('2026-11-25T11:00:00Z'))).toBe(true);
  const daily = scheduleOf({ keepHourly: 0, keepDaily: 7 });
  expect(isDue(daily, at('2026-11-25T00:00:00Z'), at('2026-11-25T23:59:00Z'))).toBe(false);
  expect(isDue(daily, at('2026-11-25T23:59:00Z'), at('2026-11-26T00:00:00Z'))).toBe(true);
  const weekly = scheduleOf({ keepDaily: 0, keepWeekly: 4 });
  expect(isDue(weekly, at('2026-11-23T00:00:00Z'), at('2026-11-29T23:59:00Z'))).toBe(false);
  expect(isDue(weekly, at('2026-11-29T23:59:00Z'), at('2026-11-30T00:00:00Z'))).toBe(true);
});

test('nothing is due when the schedule is off, keeps nothing, or the clock was set back', () => {
  const now = at('2026-11-25T10:00:00Z');
  expect(isDue({ ...scheduleOf({}), enabled: false }, null, now)).toBe(false);
  expect(isDue(scheduleOf({ keepDaily: 0, keepWeekly: 0 }), null, now)).toBe(false);
  expect(isDue(scheduleOf({}), at('2026-12-25T10:00:00Z'), now)).toBe(false);
});

test('the newest of each hour, day and week is kept, as many as was said', () => {
  const made = ['25T10:10', '25T10:40', '25T09:00', '24T22:00', '24T08:00', '23T08:00', '16T08:00', '09T08:00'].map((text) => ({
    text,
    atMs: at(`2026-11-${text}:00Z`),
  }));
  const left = expired(scheduleOf({ keepHourly: 2, keepDaily: 2, keepWeekly: 2 }), made);
  expect(left.map(({ text }) => text).sort()).toEqual(['09T08:00', '23T08:00', '24T08:00', '25T10:10']);
});

test('a schedule never forgets the newest, never keeps more than it says, and forgetting twice forgets nothing more', () => {
  const instant = fc.integer({ min: 0, max: 400 * 24 }).map((hours) => ({ atMs: hours * 3_600_000 }));
  const counts = fc.record({ keepHourly: fc.nat(6), keepDaily: fc.nat(6), keepWeekly: fc.nat(6) });
  fc.assert(
    fc.property(fc.array(instant, { minLength: 1, maxLength: 60 }), counts, (made, keep) => {
      const schedule = scheduleOf(keep);
      const gone = new Set(expired(schedule, made));
      const kept = made.filter((one) => !gone.has(one));
      const sum = keep.keepHourly + keep.keepDaily + keep.keepWeekly;
      expect(kept.length).toBeLessThanOrEqual(sum);
      const newest = Math.max(...made.map(({ atMs }) => atMs));
      if (sum > 0) expect(kept.some(({ atMs }) => atMs === newest)).toBe(true);
      expect(expired(schedule, kept)).toEqual([]);
    }),
  );
});
