import { CalendarClock, Camera, GitFork } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { GuestSnapshot, SnapshotTree } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId, SnapshotId } from '../../../contract/ids.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { useEngineStore, useGuest, useGuestJobs } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState, Notice, Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { ExportDialog } from './ExportDialog.tsx';
import { OpenDialog } from './OpenDialog.tsx';
import { RevertDialog } from './RevertDialog.tsx';
import { ScheduleDialog } from './ScheduleDialog.tsx';
import { SnapshotDetails } from './SnapshotDetails.tsx';
import { SnapshotList } from './SnapshotList.tsx';
import { TakeDialog } from './TakeDialog.tsx';
import './snapshots.css';

const w = words.snapshots;

type Open = { kind: 'take' } | { kind: 'schedule' } | { kind: 'revert' | 'open' | 'export'; snapshot: GuestSnapshot };

/** The snapshots of a guest: the tree, what each kept, and the way back. */
export function SnapshotsTab({ guestId }: { guestId: GuestId }) {
  const guest = useGuest(guestId);
  const { value: tree, error, reload } = useCall('snapshot.list', { guest: guestId }, useChanges(guestId));
  if (!guest) return null;
  if (!tree) return <div className="page">{error ? <ErrorPanel error={error} /> : <Skeleton height={240} />}</div>;
  return <Snapshots guest={guest} tree={tree} reload={reload} />;
}

/** Another text whenever the snapshots may be others: something was said of the guest, a job began or ended, its state changed. */
function useChanges(guestId: GuestId): string {
  const event = useEngineStore((state) => state.events.findLast((one) => one.guestId === guestId)?.id ?? 0);
  const since = useEngineStore((state) => state.guests[guestId]?.state.since ?? '');
  const jobs = useGuestJobs(guestId);
  return `${event} ${since} ${jobs.map(({ id }) => id).join(' ')}`;
}

function Snapshots({ guest, tree, reload }: { guest: Guest; tree: SnapshotTree; reload: () => void }) {
  const [, navigate] = useLocation();
  const [chosenId, choose] = useState<SnapshotId | null>(null);
  const [open, setOpen] = useState<Open | null>(null);
  const chosen =
    tree.snapshots.find(({ id }) => id === chosenId) ?? tree.snapshots.find(({ id }) => id === tree.currentId) ?? tree.snapshots.at(-1);
  const reason =
    tree.cannot?.message ?? (tree.snapshots.some(({ state }) => state === 'making') ? w.stillMaking : guestCannot(guest.state, 'snapshot'));
  const take = (
    <Button kind="primary" icon={Camera} reason={reason} onPress={() => setOpen({ kind: 'take' })}>
      {w.take}
    </Button>
  );
  return (
    <div className="snapshots">
      {tree.cannot && (
        <Notice tone="warning" title={tree.cannot.message}>
          {tree.cannot.hint && <p className="muted">{tree.cannot.hint}</p>}
        </Notice>
      )}
      {tree.snapshots.length === 0 ? (
        <EmptyState
          icon={GitFork}
          title={w.emptyTitle}
          actions={
            <>
              {take}
              <ScheduleButton tree={tree} onPress={() => setOpen({ kind: 'schedule' })} />
            </>
          }
        >
          {w.emptyText}
        </EmptyState>
      ) : (
        <div className="snapshots-columns">
          <div className="snapshots-tree">
            <div className="row snapshots-bar">
              {take}
              <ScheduleButton tree={tree} onPress={() => setOpen({ kind: 'schedule' })} />
            </div>
            <SnapshotList
              tree={tree}
              guest={guest}
              chosen={chosen?.id ?? null}
              onChoose={choose}
              onOpen={(snapshot) => setOpen({ kind: 'revert', snapshot })}
            />
          </div>
          {chosen && (
            <SnapshotDetails
              key={chosen.id}
              snapshot={chosen}
              onRevert={() => setOpen({ kind: 'revert', snapshot: chosen })}
              onOpen={() => setOpen({ kind: 'open', snapshot: chosen })}
              onExport={() => setOpen({ kind: 'export', snapshot: chosen })}
              onChanged={reload}
            />
          )}
        </div>
      )}
      {open?.kind === 'take' && <TakeDialog guest={guest} tree={tree} onClose={() => setOpen(null)} onTaken={choose} />}
      {open?.kind === 'schedule' && (
        <ScheduleDialog guest={guest} schedule={tree.schedule} onClose={() => setOpen(null)} onChanged={reload} />
      )}
      {open?.kind === 'open' && (
        <OpenDialog snapshot={open.snapshot} onOpened={(id) => navigate(`/guests/${id}`)} onClose={() => setOpen(null)} />
      )}
      {open?.kind === 'export' && <ExportDialog guest={guest} snapshot={open.snapshot} onClose={() => setOpen(null)} />}
      {open?.kind === 'revert' && (
        <RevertDialog guest={guest} snapshot={open.snapshot} canKeep={tree.cannot === null} onClose={() => setOpen(null)} />
      )}
    </div>
  );
}

function ScheduleButton({ tree, onPress }: { tree: SnapshotTree; onPress: () => void }) {
  return (
    <Button icon={CalendarClock} reason={tree.cannot?.message ?? null} onPress={onPress}>
      {tree.schedule.enabled ? w.automaticOn : w.automatic}
    </Button>
  );
}
