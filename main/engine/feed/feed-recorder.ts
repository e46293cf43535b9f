/** Stores what happened and tells it to whoever listens. */
import type { FeedEvent } from '../../../contract/events.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Log } from '../log/log.ts';
import type { Feed } from './feed.ts';
import type { EventStore } from './store.ts';

export type FeedRecorder = Feed & Pick<EventStore, 'list'>;

const keptEvents = 50_000;
const keptDays = 90;
const pruneEvery = 500;
const dayMs = 24 * 60 * 60 * 1000;

export function createFeedRecorder(deps: { store: EventStore; tell: (event: FeedEvent) => void; clock: Clock; log: Log }): FeedRecorder {
  const { store, tell, clock, log } = deps;
  let untilPrune = 0;
  return {
    list: (filter) => store.list(filter),
    record({ severity, kind, text, guestId = null, imageId = null, jobId = null }) {
      try {
        tell(store.insert({ at: instantNow(clock), severity, kind, text, guestId, imageId, jobId }));
        if (untilPrune-- > 0) return;
        untilPrune = pruneEvery;
        store.prune(keptEvents, new Date(clock.nowMs() - keptDays * dayMs).toISOString());
      } catch (thrown) {
        // Whatever just happened has happened: a full disk must not turn it into a failure of the verb that caused it.
        log.error({ error: thrown, kind, text }, 'An event could not be stored.');
      }
    },
  };
}
