/** What is and was under way: `job.*`, `event.*` and `audit.*`. */
import type { Handlers, Services } from '../handlers.ts';

type Answered = 'job.list' | 'job.show' | 'job.cancel' | 'event.list' | 'audit.list';

const defaultLimit = 200;

export function recordHandlers({ jobs, feed, audit }: Services): Pick<Handlers, Answered> {
  return {
    'job.list': ({ states }) => jobs.list(states),
    'job.show': ({ job }) => jobs.show(job),
    'job.cancel': ({ job }, { who }) => jobs.cancel(job, `Cancelled by ${who}.`),
    'event.list': ({ guest, beforeId, limit }) => feed.list({ guest, beforeId, limit: limit ?? defaultLimit }),
    'audit.list': ({ beforeId, limit }) => audit.list({ beforeId, limit: limit ?? defaultLimit }),
  };
}
