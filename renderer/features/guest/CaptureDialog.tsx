import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { TextField } from '../../ui/TextField.tsx';
import { Checkbox } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';

const w = words.guest.origin;

/** Makes an image of a guest, by default the next version of what it came from. The work is a job that is seen like any other. */
export function CaptureDialog({ guest, series: from, onClose }: { guest: Guest; series: string; onClose: () => void }) {
  const [name, setName] = useState(guest.spec.name);
  const [series, setSeries] = useState(from);
  const [changeNote, setChangeNote] = useState('');
  const [draft, setDraft] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    const answer = await call('image.capture', {
      guest: guest.id,
      name: name.trim(),
      ...(series.trim() === '' ? {} : { series: { name: series.trim(), changeNote } }),
      ...(draft ? { lifecycle: 'draft' as const } : {}),
    });
    setBusy(false);
    if (answer.ok) onClose();
    else setError(answer.error);
  };
  return (
    <FormDialog
      title={w.captureTitle(guest.spec.name)}
      submitLabel={w.captureStart}
      reason={name.trim() === '' ? w.captureNameReason : null}
      busy={busy}
      onSubmit={start}
      onClose={onClose}
    >
      <p className="muted">{w.captureText}</p>
      <TextField label={w.captureName} value={name} onChange={setName} autoFocus />
      <TextField label={w.captureSeries} value={series} onChange={setSeries} placeholder={w.captureSeriesPlaceholder} />
      {series.trim() !== '' && (
        <>
          <TextField label={w.captureChange} value={changeNote} onChange={setChangeNote} multiline rows={2} />
          <Checkbox label={w.captureDraft} description={w.captureDraftNote} value={draft} onChange={setDraft} />
        </>
      )}
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
