import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { type SnapshotTree, snapshotName } from '../../../contract/guest-snapshot.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { SnapshotId } from '../../../contract/ids.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';

const w = words.snapshots;

type Props = { guest: Guest; tree: SnapshotTree; onClose: () => void; onTaken: (id: SnapshotId) => void };

/** Names a snapshot and makes it. The making is a job that the page shows. */
export function TakeDialog({ guest, tree, onClose, onTaken }: Props) {
  const [name, setName] = useState('');
  const [note, setNote] = useState('');
  const [memory, setMemory] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const { status, run } = guest.state;
  const parsed = name.trim() === '' ? null : snapshotName.safeParse(name);
  const problem = parsed && !parsed.success ? (parsed.error.issues[0]?.message ?? '') : null;
  const start = async () => {
    setBusy(true);
    const answer = await call('snapshot.create', {
      guest: guest.id,
      ...(parsed?.success ? { name: parsed.data } : {}),
      ...(note.trim() === '' ? {} : { note: note.trim() }),
      ...(memory ? { memory: true } : {}),
    });
    setBusy(false);
    if (!answer.ok) return setError(answer.error);
    onTaken(answer.value.snapshot.id);
    onClose();
  };
  return (
    <FormDialog
      title={w.takeTitle(guest.spec.name)}
      submitLabel={w.takeStart}
      reason={problem}
      busy={busy}
      onSubmit={start}
      onClose={onClose}
    >
      <TextField
        label={w.takeName}
        value={name}
        onChange={setName}
        placeholder={w.namePlaceholder(tree.snapshots.length + 1)}
        notes={problem === null ? [] : [{ severity: 'problem', text: problem }]}
        autoFocus
      />
      <TextField label={w.takeNote} value={note} onChange={setNote} placeholder={w.notePlaceholder} multiline rows={2} />
      {status === 'suspended' ? (
        <p className="muted">{w.suspendedNote}</p>
      ) : (
        run && (
          <Switch
            label={w.keepMemory}
            value={memory}
            onChange={setMemory}
            disabled={tree.cannotMemory !== null}
            description={tree.cannotMemory ?? w.keepMemoryNote}
          />
        )
      )}
      {run && !memory && <p className="muted small">{run.qemuAgent && status === 'running' ? w.agentHelps : w.noAgent}</p>}
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
