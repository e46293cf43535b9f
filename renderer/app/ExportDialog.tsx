import { FolderOpen } from 'lucide-react';
import { useState } from 'react';
import type { GuesthouseError } from '../../contract/errors.ts';
import { guestCannot } from '../../contract/guest-can.ts';
import type { Guest } from '../../contract/guest-state.ts';
import { type ExportFormat, exportFormat } from '../../contract/machine.ts';
import { ErrorPanel } from '../parts/ErrorPanel.tsx';
import { FormDialog } from '../parts/FormDialog.tsx';
import { shell } from '../state/bridge.ts';
import { useGuest } from '../state/store.ts';
import { showErrorToast } from '../state/toasts.ts';
import { closeExport, exportGuest, useExporting } from '../state/transfer.ts';
import { useCall } from '../state/use-call.ts';
import { Button } from '../ui/Button.tsx';
import { Select } from '../ui/Select.tsx';
import { TextField } from '../ui/TextField.tsx';
import { Checkbox } from '../ui/toggles.tsx';
import { words } from '../words/en.ts';
import { formatBytes } from '../words/format.ts';
import { transferWords } from '../words/transfer.ts';

const w = transferWords;

/** The dialog that `state/transfer.ts` opened, when there is one. */
export function ExportDialog() {
  const id = useExporting((state) => state.guest);
  const guest = useGuest(id ?? '');
  return guest ? <OpenDialog key={guest.id} guest={guest} /> : null;
}

/** What follows the name of the file; a folder has none. */
function endingOf(format: ExportFormat, guest: Guest): string {
  if (format === 'libvirt') return '';
  const alone = format === 'capsule' || format === 'ova' || guest.spec.disks.length === 1;
  return alone ? `.${format === 'raw' ? 'img' : format}` : '';
}

function sizeNote({ allBytes, presentBytes }: { allBytes: number; presentBytes: number }): string {
  const [all, present] = [formatBytes(allBytes), formatBytes(presentBytes)];
  return presentBytes < allBytes ? w.withoutIsSmaller(all, present, formatBytes(allBytes - presentBytes)) : w.withoutIsNotSmaller(all);
}

/** As what, and where to. The writing is a job that the list of jobs shows. */
function OpenDialog({ guest }: { guest: Guest }) {
  const [format, setFormat] = useState<ExportFormat>('capsule');
  const [path, setPath] = useState('');
  const [overwrite, setOverwrite] = useState(false);
  const [withSnapshots, setWithSnapshots] = useState(true);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<GuesthouseError | null>(null);
  const cannot = guestCannot(guest.state, 'clone');
  // The disks of a guest that runs cannot be measured, and it cannot be exported either.
  const size = useCall('guest.exportSize', cannot === null ? { guest: guest.id } : null).value;
  const reason = cannot ?? (path.trim() === '' ? w.reasonNoTarget : null);

  const choose = async () => {
    const answer = await shell('shell.chooseExport', { suggestedName: `${guest.spec.name}${endingOf(format, guest)}` });
    if (!answer.ok) return showErrorToast(answer.error);
    if (answer.value === null) return;
    setPath(answer.value);
    setRefused(null);
  };
  const changeFormat = (next: ExportFormat) => {
    const before = endingOf(format, guest);
    // The name goes with the format as long as it is the one that was suggested.
    if (path !== '' && before !== '' && path.endsWith(before)) setPath(path.slice(0, -before.length) + endingOf(next, guest));
    setFormat(next);
    setRefused(null);
  };
  const submit = async () => {
    setBusy(true);
    const failed = await exportGuest({ guest: guest.id, format, path: path.trim(), overwrite, withSnapshots });
    setBusy(false);
    if (failed) setRefused(failed);
    else closeExport();
  };

  return (
    <FormDialog
      title={w.exportTitle(guest.spec.name)}
      submitLabel={w.exportStart}
      reason={reason}
      busy={busy}
      onSubmit={submit}
      onClose={closeExport}
    >
      <Select
        label={w.format}
        value={format}
        onChange={changeFormat}
        options={exportFormat.options.map((id) => ({ id, label: w.formats[id].label, note: w.formats[id].note }))}
        description={w.formats[format].note}
      />
      <TextField
        label={w.target}
        value={path}
        onChange={(next) => {
          setPath(next);
          setRefused(null);
        }}
        direction="ltr"
        end={
          <Button icon={FolderOpen} onPress={() => void choose()}>
            {words.common.browse}
          </Button>
        }
      />
      {format === 'capsule' && size !== null && size.snapshots > 0 && (
        <Checkbox label={w.withSnapshots(size.snapshots)} description={sizeNote(size)} value={withSnapshots} onChange={setWithSnapshots} />
      )}
      {refused?.code === 'export/exists' && <Checkbox label={w.overwrite} value={overwrite} onChange={setOverwrite} />}
      {refused && <ErrorPanel error={refused} />}
      <p className="small muted">{w.exportNote}</p>
    </FormDialog>
  );
}
