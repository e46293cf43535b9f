import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { GuestSnapshot } from '../../../contract/guest-snapshot.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { RadioGroup } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';

const w = words.snapshots;

type Props = { snapshot: GuestSnapshot; onOpened: (guest: GuestId) => void; onClose: () => void };

/** Of a snapshot with memory: whether the disposable clone goes on from that moment or boots. */
export function OpenDialog({ snapshot, onOpened, onClose }: Props) {
  const [memory, setMemory] = useState(snapshot.cannotGoOnAside === null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const submit = async () => {
    setBusy(true);
    const answer = await call('snapshot.open', { snapshot: snapshot.id, memory });
    setBusy(false);
    if (answer.ok) onOpened(answer.value.guest.id);
    else setError(answer.error);
  };
  return (
    <FormDialog
      title={w.openTitle(snapshot.name)}
      submitLabel={w.openStart}
      reason={memory ? snapshot.cannotGoOnAside : null}
      busy={busy}
      onSubmit={submit}
      onClose={onClose}
    >
      <RadioGroup
        label={w.openHow}
        value={memory ? 'memory' : 'boot'}
        onChange={(way) => setMemory(way === 'memory')}
        options={[
          { id: 'memory' as const, label: w.openMemory, description: snapshot.cannotGoOnAside ?? w.openMemoryNote },
          { id: 'boot' as const, label: w.openBoot, description: w.openBootNote },
        ]}
      />
      <p className="muted">{w.openGoes}</p>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </FormDialog>
  );
}
