/** The files that this window sends to guests. They outlive the console's tab: what is left goes on when it is opened again. */
import { create } from 'zustand';
import type { GuestId } from '../../contract/ids.ts';
import { OutgoingFiles, type OutgoingView } from '../console/outgoing-files.ts';
import { shell } from './bridge.ts';

type Outgoing = {
  /** Of those guests that files are on their way to, or wait for. */
  pending: Readonly<Record<GuestId, OutgoingView>>;
};

export const useOutgoing = create<Outgoing>()(() => ({ pending: {} }));

const byGuest = new Map<GuestId, OutgoingFiles>();

export function outgoingFor(guest: GuestId): OutgoingFiles {
  const known = byGuest.get(guest);
  if (known) return known;
  const made = new OutgoingFiles();
  byGuest.set(guest, made);
  made.subscribe(() => {
    const before = useOutgoing.getState().pending;
    const { [guest]: _, ...others } = before;
    const after = made.view.pendingCount > 0 ? { ...others, [guest]: made.view } : others;
    useOutgoing.setState({ pending: after });
    const busy = Object.keys(after).length > 0;
    // Whoever closes the window is asked: what is on its way would not get there.
    if (busy !== Object.keys(before).length > 0) void shell('shell.setSendingFiles', { on: busy });
  });
  return made;
}
