/**
 * Measures running guests: once a second those that somebody looks at, once a minute the others. Keeps seconds in memory for a
 * while before they are stored, so that watching costs the disk one write in ten seconds.
 */
import type { CallOutput } from '../../../contract/calls.ts';
import type { Sample } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Clock } from '../clock/clock.ts';
import type { SampleOf } from '../feed/changes-hub.ts';
import type { Log } from '../log/log.ts';
import { intervalStart, type SampleRow, type SampleStore, sampleIntervals } from './store.ts';

export type SamplerDeps = {
  store: SampleStore;
  /** Guests that have a QEMU process. */
  running: () => readonly GuestId[];
  measure: (id: GuestId) => Promise<Sample | null>;
  watched: () => ReadonlySet<GuestId>;
  tell: (samples: readonly SampleOf[]) => void;
  clock: Clock;
  log: Log;
};

export type Sampler = {
  /** Once a second. Settles when everything that was due has been measured. */
  tick(): Promise<void>;
  list(guest: GuestId, since: string): CallOutput<'guest.samples'>;
  /** Stores what is still in memory. */
  flush(): void;
};

const flushEverySeconds = 10;
const unwatchedEverySeconds = 60;
const pruneAllEverySeconds = 3600;

export function createSampler({ store, running, measure, watched, tell, clock, log }: SamplerDeps): Sampler {
  const pending: SampleRow[] = [];
  const measuring = new Set<GuestId>();
  const measuredAt = new Map<GuestId, number>();
  const nowSeconds = () => Math.floor(clock.nowMs() / 1000);
  let flushedAt = nowSeconds();
  let rolledMinute = intervalStart(flushedAt, 60);
  let prunedAllAt = 0;

  const flush = () => {
    const rows = pending.splice(0);
    try {
      store.insert(rows);
    } catch (thrown) {
      log.warn({ error: thrown, rows: rows.length }, 'Samples could not be stored; they are dropped.');
    }
  };

  const measureOne = async (guestId: GuestId, isWatched: boolean): Promise<SampleOf | null> => {
    measuring.add(guestId);
    try {
      const sample = await measure(guestId);
      if (!sample) return null;
      pending.push({ guestId, interval: isWatched ? 1 : 60, sample });
      return isWatched ? { guestId, sample } : null;
    } catch (thrown) {
      log.debug({ error: thrown, guest: guestId }, 'A guest could not be measured.');
      return null;
    } finally {
      measuring.delete(guestId);
    }
  };

  /** A minute is over: its seconds become one row, and at a quarter of an hour its minutes do. */
  const rollUp = (ids: Iterable<GuestId>, minute: number, now: number) => {
    flush();
    for (const id of ids) {
      store.downsample(id, 1, 60, minute);
      // Also in the middle of a quarter, so that little is lost when the engine dies.
      store.downsample(id, 60, 900, intervalStart(minute, 900));
      store.prune(id, now);
    }
  };

  return {
    flush,
    async tick() {
      const now = nowSeconds();
      const seen = watched();
      const ids = running();
      const due: Promise<SampleOf | null>[] = [];
      for (const id of ids) {
        const last = measuredAt.get(id) ?? Number.NEGATIVE_INFINITY;
        const isWatched = seen.has(id);
        if (measuring.has(id) || (!isWatched && now - last < unwatchedEverySeconds)) continue;
        measuredAt.set(id, now);
        due.push(measureOne(id, isWatched));
      }
      const samples = (await Promise.all(due)).filter((sample) => sample !== null);
      if (samples.length > 0) tell(samples);

      try {
        const minute = intervalStart(now, 60);
        if (minute !== rolledMinute) {
          const finished = rolledMinute;
          rolledMinute = minute;
          rollUp(measuredAt.keys(), finished, now);
          const still = new Set(ids);
          for (const id of [...measuredAt.keys()]) if (!still.has(id)) measuredAt.delete(id);
        } else if (now - flushedAt >= flushEverySeconds) {
          flushedAt = now;
          flush();
        }
        if (now - prunedAllAt >= pruneAllEverySeconds) {
          prunedAllAt = now;
          for (const id of store.guests()) store.prune(id, now);
        }
      } catch (thrown) {
        log.warn({ error: thrown }, 'Samples could not be gathered.');
      }
    },
    list(guest, since) {
      flush();
      const sinceSeconds = Date.parse(since) / 1000;
      const interval = pickInterval(store, guest, sinceSeconds, nowSeconds());
      return { intervalSeconds: interval, samples: store.list(guest, interval, sinceSeconds) };
    },
  };
}

/**
 * The finest interval that is kept long enough to cover `sinceSeconds`. A coarser one is taken only when it reaches further
 * back by more than its own length: a guest that nobody watched has no seconds.
 */
function pickInterval(store: SampleStore, guest: GuestId, sinceSeconds: number, nowSeconds: number) {
  const last = sampleIntervals[2];
  const candidates = sampleIntervals.filter((interval) => interval === last || sinceSeconds >= nowSeconds - interval.keptSeconds);
  let best: { seconds: (typeof sampleIntervals)[number]['seconds']; oldest: number } | null = null;
  for (const { seconds } of candidates) {
    const oldest = store.oldest(guest, seconds, sinceSeconds);
    if (oldest === null) continue;
    if (best === null || oldest + seconds < best.oldest) best = { seconds, oldest };
  }
  return best?.seconds ?? candidates[0]?.seconds ?? last.seconds;
}
