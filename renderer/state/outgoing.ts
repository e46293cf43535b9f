/** The files that this window sends to guests. They outlive the console's tab: what is left goes on when it is opened again. */
import { create } from 'zustand';
import type { GuestId } from '../../contract/ids.ts';
import type { ShellEvent } from '../../contract/shell.ts';
import { OutgoingFiles, type OutgoingView } from '../console/outgoing-files.ts';
import { filesWords } from '../words/files.ts';
import { shell } from './bridge.ts';
import { useEngineStore } from './store.ts';
import { showToast } from './toasts.ts';

type Outgoing = {
  /** Of those guests that files are on their way to, or wait for. */
  pending: Readonly<Record<GuestId, OutgoingView>>;
};

export const useOutgoing = create<Outgoing>()(() => ({ pending: {} }));

/** As many as are told by name of those that did not get there. */
const mostTold = 20;

const byGuest = new Map<GuestId, OutgoingFiles>();

export function outgoingFor(guest: GuestId): OutgoingFiles {
  const known = byGuest.get(guest);
  if (known) return known;
  const made = new OutgoingFiles();
  byGuest.set(guest, made);
  // Whoever closes the window is asked, and after a kill it is told: what is on its way would not get there.
  let told = '0 undefined';
  made.subscribe(() => {
    const before = useOutgoing.getState().pending;
    const { [guest]: _, ...others } = before;
    const after = made.view.pendingCount > 0 ? { ...others, [guest]: made.view } : others;
    useOutgoing.setState({ pending: after });
    const { pending, pendingCount: count } = made.view;
    const now = `${count} ${pending[0]?.id}`;
    if (now === told) return;
    told = now;
    const files = pending.slice(0, mostTold).map(({ name }) => name);
    void shell('shell.setSendingFiles', { guest, guestName: useEngineStore.getState().guests[guest]?.spec.name ?? guest, files, count });
  });
  return made;
}

/** Of files whose page or app ended before they got there. */
export function tellNotSent({ unsent, cause }: Extract<ShellEvent, { type: 'filesNotSent' }>, navigate: (path: string) => void): void {
  const { guest, guestName, files, count } = unsent;
  showToast({
    tone: 'problem',
    title: filesWords.notSent(count, guestName),
    text: filesWords.notSentText(files, count, cause),
    action: { label: filesWords.notSentOpen, run: () => navigate(`/guests/${guest}/console`) },
  });
}
