/** The words of a desktop notification. Pure. */
import type { FeedEvent } from '../../contract/events.ts';

export type Notice = { title: string; body: string; path: string };

/** What to say of problems that came together. */
export function noticeOf(problems: readonly FeedEvent[]): Notice | null {
  const [first, ...others] = problems;
  if (!first) return null;
  if (others.length > 0) {
    return {
      title: `${problems.length} problems`,
      body: problems
        .map(({ text }) => text)
        .join('\n')
        .slice(0, 500),
      path: '/activity',
    };
  }
  return { title: 'Guesthouse', body: first.text, path: first.guestId ? `/guests/${first.guestId}` : '/activity' };
}
