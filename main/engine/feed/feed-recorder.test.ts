import { expect, test } from 'vitest';
import type { FeedEvent } from '../../../contract/events.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import { silentLog } from '../log/log.ts';
import { createFeedRecorder } from './feed-recorder.ts';
import { createEventStore, type EventStore } from './store.ts';

const one = 'g00000000a' as GuestId;
const two = 'g00000000b' as GuestId;

async function freshFeed() {
  const time = { nowMs: Date.parse('2026-11-23T08:00:00Z') };
  const told: FeedEvent[] = [];
  const store = createEventStore(await freshDatabase());
  const feed = createFeedRecorder({ store, tell: (event) => told.push(event), clock: { nowMs: () => time.nowMs }, log: silentLog });
  return { time, told, store, feed };
}

const note = (text: string, guestId?: GuestId) => ({
  severity: 'info' as const,
  kind: 'guest.started',
  text,
  ...(guestId ? { guestId } : {}),
});

test('an event is stored with its instant and told', async () => {
  const { feed, told } = await freshFeed();
  feed.record(note('Debian started.', one));
  const expected: FeedEvent = {
    id: 1,
    at: '2026-11-23T08:00:00.000Z',
    severity: 'info',
    kind: 'guest.started',
    text: 'Debian started.',
    guestId: one,
    imageId: null,
    jobId: null,
  };
  expect(told).toEqual([expected]);
  expect(feed.list({ limit: 10 })).toEqual([expected]);
});

test('events are listed newest first, by page and by guest', async () => {
  const { feed } = await freshFeed();
  for (let index = 1; index <= 6; index++) feed.record(note(`event ${index}`, index % 2 ? one : two));
  expect(feed.list({ limit: 2 }).map((event) => event.id)).toEqual([6, 5]);
  expect(feed.list({ limit: 2, beforeId: 5 }).map((event) => event.id)).toEqual([4, 3]);
  expect(feed.list({ limit: 9, guest: one }).map((event) => event.id)).toEqual([5, 3, 1]);
});

test('old events and those beyond the bound are forgotten', async () => {
  const { feed, store, time } = await freshFeed();
  for (let index = 0; index < 20; index++) feed.record(note(`old ${index}`));
  time.nowMs += 91 * 24 * 60 * 60 * 1000;
  for (let index = 0; index < 600; index++) feed.record(note(`new ${index}`));
  expect(feed.list({ limit: 1000 }).every((event) => event.text.startsWith('new'))).toBe(true);
  store.prune(100, '2000-01-01T00:00:00.000Z');
  expect(feed.list({ limit: 1000 })).toHaveLength(100);
});

test('an event that cannot be stored does not fail what it tells of', () => {
  const broken: EventStore = {
    insert: () => {
      throw new Error('disk full');
    },
    list: () => [],
    prune: () => undefined,
  };
  const feed = createFeedRecorder({ store: broken, tell: () => undefined, clock: { nowMs: () => 0 }, log: silentLog });
  expect(() => feed.record(note('It started.'))).not.toThrow();
});
