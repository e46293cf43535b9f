import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { type DroppedFiles, mostFilesAtOnce } from '../../console/dropped-files.ts';
import type { OutgoingFiles, OutgoingView } from '../../console/outgoing-files.ts';
import type { SessionView } from '../../console/session.ts';
import { outgoingFor } from '../../state/outgoing.ts';
import { showToast } from '../../state/toasts.ts';
import { filesWords as w } from '../../words/files.ts';
import { formatFileName, formatList } from '../../words/format.ts';

export type UsedFiles = {
  view: OutgoingView;
  outgoing: OutgoingFiles;
  /** Why none can be sent now. */
  reason: string | null;
  send(found: DroppedFiles): void;
};

/** The files that are sent to `guest` through the console of `session`: they go on while its tab is hidden, and after it was connected anew. */
export function useFiles(guestId: GuestId, guest: Guest | undefined, session: SessionView | null, visible: boolean): UsedFiles {
  const outgoing = outgoingFor(guestId);
  const view = useSyncExternalStore(outgoing.subscribe, outgoing.getView);
  const live = session?.console ?? null;
  const policy = guest?.spec.files ?? 'off';
  const name = guest?.spec.name ?? '';
  useEffect(() => live?.setFiles(policy), [live, policy]);
  useEffect(() => {
    outgoing.attach(live);
    return () => outgoing.attach(null);
  }, [outgoing, live]);
  useEffect(() => {
    if (policy === 'off') outgoing.cancelAll();
  }, [outgoing, policy]);

  const before = useRef(view);
  useEffect(() => {
    if (before.current.pendingCount > 0 && view.pendingCount === 0) tellOutcome(view, name, visible);
    before.current = view;
  }, [view, name, visible]);

  const possible = session?.phase === 'connected' ? session.capabilities?.files : undefined;
  const reason = policy === 'off' ? w.off : !possible ? w.notLive : possible.possible ? null : possible.reason;
  return {
    view,
    outgoing,
    reason,
    send: (found) => {
      tellLeftOut(found);
      outgoing.send(found.files);
    },
  };
}

/** What failed is said where it was sent from; here as well where that is not seen. */
function tellOutcome({ sentCount, failedCount, cancelledCount }: OutgoingView, guest: string, seen: boolean): void {
  if (failedCount > 0 && !seen)
    showToast({ tone: 'problem', title: sentCount > 0 ? w.sentSome(sentCount, failedCount, guest) : w.failed(failedCount) });
  else if (sentCount > 0) showToast({ tone: 'ok', title: w.sent(sentCount, guest) });
  else if (cancelledCount > 0) showToast({ tone: 'info', title: w.cancelled(cancelledCount) });
}

/** What does not go of what was dropped. */
function tellLeftOut({ files, emptyFolders, unreadable, tooMany }: DroppedFiles): void {
  if (tooMany) showToast({ tone: 'problem', title: w.tooMany(mostFilesAtOnce), text: w.tooManyHint });
  if (unreadable.length > 0)
    showToast({ tone: 'problem', title: w.unreadable(unreadable.length), text: formatList(unreadable.slice(0, 5).map(formatFileName)) });
  if (emptyFolders > 0) showToast({ tone: 'info', title: w.emptyFolders, text: w.emptyFoldersHint });
  if (files.length === 0 && emptyFolders === 0 && unreadable.length === 0) showToast({ tone: 'info', title: w.noFiles });
}
