/** Desktop notifications for what failed while no window of ours was looked at. */
import { Notification } from 'electron';
import type { FeedEvent, ServerMessage } from '../../contract/events.ts';
import type { LibraryMirror } from './library-mirror.ts';
import { noticeOf } from './notice.ts';

/** Several failures at once (a host disk that filled up) are one notification and not one each. */
const gatherMs = 300;

export type NoticesOptions = { mirror: LibraryMirror; lookedAt: () => boolean; open: (path: string) => void };

export function announceProblems({ mirror, lookedAt, open }: NoticesOptions): void {
  let gathered: FeedEvent[] = [];
  mirror.listen((message: ServerMessage) => {
    if (message.type !== 'event' || message.event.severity !== 'problem' || !mirror.settings.notifications || lookedAt()) return;
    gathered.push(message.event);
    if (gathered.length > 1) return;
    setTimeout(() => {
      const notice = noticeOf(gathered);
      gathered = [];
      if (!notice || !Notification.isSupported()) return;
      const notification = new Notification({ title: notice.title, body: notice.body });
      notification.on('click', () => open(notice.path));
      notification.show();
    }, gatherMs);
  });
}
