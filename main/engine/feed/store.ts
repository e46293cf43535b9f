/** The events' rows, bounded in number and age. */
import type { FeedEvent } from '../../../contract/events.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Database } from '../store/database.ts';

export type EventStore = {
  insert(event: Omit<FeedEvent, 'id'>): FeedEvent;
  /** Newest first. */
  list(filter: { guest?: GuestId | undefined; beforeId?: number | undefined; limit: number }): FeedEvent[];
  /** Removes what is beyond the newest `keep`, and what is older than `before`. */
  prune(keep: number, before: string): void;
};

type Row = {
  id: number;
  at: string;
  severity: FeedEvent['severity'];
  kind: string;
  text: string;
  guest_id: FeedEvent['guestId'];
  image_id: FeedEvent['imageId'];
  job_id: FeedEvent['jobId'];
};

export function createEventStore(database: Database): EventStore {
  const insert = database.prepare(
    'events.insert',
    'INSERT INTO events (at, severity, kind, text, guest_id, image_id, job_id) VALUES (@at, @severity, @kind, @text, @guestId, @imageId, @jobId)',
  );
  const all = database.prepare<Row>('events.list', 'SELECT * FROM events WHERE id < ? ORDER BY id DESC LIMIT ?');
  const ofGuest = database.prepare<Row>(
    'events.listOfGuest',
    'SELECT * FROM events WHERE guest_id = ? AND id < ? ORDER BY id DESC LIMIT ?',
  );
  const pruneCount = database.prepare('events.pruneCount', 'DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?');
  // Ids rise with time, so the old ones stand in front and the scan ends at the first that is young enough.
  const pruneAge = database.prepare(
    'events.pruneAge',
    'DELETE FROM events WHERE id < coalesce((SELECT id FROM events WHERE at >= ? ORDER BY id LIMIT 1), 0)',
  );
  return {
    insert: (event) => ({ ...event, id: insert.run(event).lastInsertId }),
    list({ guest, beforeId = Number.MAX_SAFE_INTEGER, limit }) {
      const rows = guest ? ofGuest.all(guest, beforeId, limit) : all.all(beforeId, limit);
      return rows.map(({ guest_id, image_id, job_id, ...row }) => ({ ...row, guestId: guest_id, imageId: image_id, jobId: job_id }));
    },
    prune(keep, before) {
      pruneCount.run(keep);
      pruneAge.run(before);
    },
  };
}
