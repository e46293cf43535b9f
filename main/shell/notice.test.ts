import { expect, test } from 'vitest';
import type { FeedEvent } from '../../contract/events.ts';
import { guestId } from '../../contract/ids.ts';
import { noticeOf } from './notice.ts';

const problem = (text: string, guest: string | null): FeedEvent => ({
  id: 1,
  at: '2026-01-01T00:00:00.000Z',
  severity: 'problem',
  kind: 'guest.crashed',
  text,
  guestId: guest === null ? null : guestId.parse(guest),
  imageId: null,
  jobId: null,
});

test('one problem says what happened and leads to its guest', () => {
  expect(noticeOf([problem('“a” crashed.', 'g000000000')])).toEqual({
    title: 'Guesthouse',
    body: '“a” crashed.',
    path: '/guests/g000000000',
  });
  expect(noticeOf([problem('The disk is full.', null)])?.path).toBe('/activity');
});

test('several problems at once are one notification', () => {
  const notice = noticeOf([problem('a', 'g000000000'), problem('b', null)]);
  expect(notice).toEqual({ title: '2 problems', body: 'a\nb', path: '/activity' });
  expect(noticeOf([])).toBeNull();
});
