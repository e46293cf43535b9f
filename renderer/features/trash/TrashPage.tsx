import { ArchiveRestore, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { ask } from '../../state/ask.ts';
import { call } from '../../state/bridge.ts';
import { useEngineStore } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState, Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';
import './trash.css';

const w = words.trash;

/** Deleted guests: back to the library, or gone for good. */
export function TrashPage() {
  // A guest that goes into the trash or comes out of it changes what the library holds; a purge is a job.
  const guests = useEngineStore((state) => Object.keys(state.guests).length);
  const purges = useEngineStore((state) =>
    Object.values(state.jobs)
      .filter((job) => job.kind === 'trash.purge')
      .map((job) => `${job.id}${job.state}`)
      .join(),
  );
  const { value: trashed, error, reload } = useCall('guest.list', { trash: true }, `${guests} ${purges}`);
  return (
    <div className="page page-narrow">
      <header className="page-header">
        <h1>{w.title}</h1>
      </header>
      {error && <ErrorPanel error={error} />}
      {!trashed && !error && <Skeleton height={120} />}
      {trashed?.length === 0 && (
        <EmptyState icon={Trash2} title={w.emptyTitle}>
          {w.emptyText}
        </EmptyState>
      )}
      {trashed && trashed.length > 0 && (
        <>
          <p className="muted">{w.text}</p>
          <ul className="trash-list" aria-label={w.listLabel}>
            {trashed.map((guest) => (
              <TrashedGuest key={guest.id} guest={guest} onDone={reload} />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function TrashedGuest({ guest, onDone }: { guest: Guest; onDone: () => void }) {
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const { spec } = guest;
  const size = formatBytes(spec.disks.filter((disk) => disk.location.kind === 'store').reduce((sum, disk) => sum + disk.sizeBytes, 0));
  const inPlace = spec.disks.some((disk) => disk.location.kind === 'in-place');
  const run = async (name: 'guest.restore' | 'guest.purge') => {
    setBusy(true);
    const answer = await call(name, { guest: guest.id });
    setBusy(false);
    setError(answer.ok ? null : answer.error);
    if (answer.ok) onDone();
  };
  const purge = async () => {
    const sure = await ask({
      title: w.purgeTitle(spec.name),
      text: inPlace ? `${w.purgeText(size)} ${w.purgeInPlace}` : w.purgeText(size),
      confirmLabel: w.purge,
      typeName: spec.name,
    });
    if (sure) await run('guest.purge');
  };
  return (
    <li className="trash-line">
      <OsLogo os={spec.os} size={32} />
      <div className="grow">
        <div className="ellipsis trash-name" title={spec.name}>
          <bdi>{spec.name}</bdi>
        </div>
        <div className="small muted">
          {guest.trashedAt !== null && (
            <>
              {w.trashedAt} <TimeText at={guest.trashedAt} /> ·{' '}
            </>
          )}
          {size}
        </div>
        {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      </div>
      <div className="row">
        <Button icon={ArchiveRestore} busy={busy} onPress={() => void run('guest.restore')}>
          {w.restore}
        </Button>
        <Button icon={Trash2} kind="quiet" busy={busy} onPress={() => void purge()}>
          {w.purge}
        </Button>
      </div>
    </li>
  );
}
