import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { GuestSnapshot } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';

const w = words.snapshots;

/** Makes an image of a disk of a snapshot. The copying is a job. */
export function ExportDialog({ guest, snapshot, onClose }: { guest: Guest; snapshot: GuestSnapshot; onClose: () => void }) {
  const [disk, setDisk] = useState(snapshot.disks[0]?.id ?? '');
  const [name, setName] = useState(`${guest.spec.name}, ${snapshot.name}`.slice(0, 200));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const start = async () => {
    setBusy(true);
    const answer = await call('snapshot.export', { snapshot: snapshot.id, disk, ...(name.trim() === '' ? {} : { name: name.trim() }) });
    setBusy(false);
    if (answer.ok) onClose();
    else setError(answer.error);
  };
  return (
    <FormDialog
      title={w.exportTitle(snapshot.name)}
      submitLabel={w.exportStart}
      reason={null}
      busy={busy}
      onSubmit={start}
      onClose={onClose}
    >
      <p className="muted">{w.exportText}</p>
      {snapshot.disks.length > 1 && (
        <Select
          label={w.exportDisk}
          value={disk}
          onChange={setDisk}
          options={snapshot.disks.map(({ id, sizeBytes }) => ({ id, label: `${id} · ${formatBytes(sizeBytes)}` }))}
        />
      )}
      <TextField label={w.exportName} value={name} onChange={setName} autoFocus />
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
