import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { MediumPath } from '../../parts/MediumPath.tsx';
import { MediumSummary } from '../../parts/MediumSummary.tsx';
import { call } from '../../state/bridge.ts';
import { useCall } from '../../state/use-call.ts';
import { useSettled } from '../../state/use-settled.ts';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';

const w = words.images;

/** Chooses a file, says what it is, and copies it into the store. The copying is a job that the page shows. */
export function ImportDialog({ path: given, onClose }: { path: string; onClose: () => void }) {
  const [path, setPath] = useState(given);
  const [name, setName] = useState('');
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const settled = useSettled(path.trim(), 250);
  const medium = useCall('image.inspect', settled.startsWith('/') ? { path: settled } : null);
  const reason =
    path.trim() === ''
      ? words.create.reasonNoFile
      : medium.error
        ? medium.error.message
        : medium.loading || settled !== path.trim()
          ? words.create.reasonChecking
          : null;
  const start = async () => {
    setBusy(true);
    const answer = await call('image.import', { path: settled, ...(name.trim() === '' ? {} : { name: name.trim() }) });
    setBusy(false);
    if (answer.ok) onClose();
    else setError(answer.error);
  };
  return (
    <FormDialog title={w.importTitle} submitLabel={w.importStart} reason={reason} busy={busy} onSubmit={start} onClose={onClose}>
      <p className="muted">{w.importNote}</p>
      <MediumPath label={w.file} kind="any" value={path} onChange={setPath} autoFocus={given === ''} />
      <MediumSummary medium={medium.value} loading={medium.loading} error={medium.error} />
      <TextField
        label={w.importName}
        value={name}
        onChange={setName}
        placeholder={medium.value?.disks ? w.importNameOfMachine : w.importNamePlaceholder}
      />
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
