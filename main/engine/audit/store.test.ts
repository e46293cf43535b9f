import { expect, test } from 'vitest';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import { createAuditStore } from './store.ts';

test('who asked for what and what came of it is kept, newest first', async () => {
  const audit = createAuditStore(await freshDatabase());
  const entry = { at: '2026-11-23T08:00:00.000Z', who: 'root via cli', call: 'guest.start', target: 'Debian' };
  audit.record({ ...entry, outcome: 'done', errorCode: null });
  audit.record({ ...entry, outcome: 'denied', errorCode: 'guest/denied' });
  expect(audit.list({ limit: 10 })).toEqual([
    { id: 2, ...entry, outcome: 'denied', errorCode: 'guest/denied' },
    { id: 1, ...entry, outcome: 'done', errorCode: null },
  ]);
  expect(audit.list({ limit: 10, beforeId: 2 }).map((found) => found.id)).toEqual([1]);
});
