import type { GuestId } from '../../contract/ids.ts';
import type { OutgoingView } from '../console/outgoing-files.ts';
import { outgoingFor, useOutgoing } from '../state/outgoing.ts';
import { useEngineStore } from '../state/store.ts';
import { filesWords } from '../words/files.ts';
import { FileTransfer } from './FileTransfer.tsx';

/** The files that this window sends to guests: they are jobs of its own, of which the engine does not know. */
export function useTransfers(): readonly [GuestId, OutgoingView][] {
  return Object.entries(useOutgoing((state) => state.pending)) as [GuestId, OutgoingView][];
}

export function OutgoingTransfer({ guest, view }: { guest: GuestId; view: OutgoingView }) {
  const name = useEngineStore((state) => state.guests[guest]?.spec.name ?? '');
  return <FileTransfer title={filesWords.title(name)} view={view} onCancel={() => outgoingFor(guest).cancelAll()} />;
}
