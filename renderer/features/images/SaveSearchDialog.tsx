import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';

const w = words.images;

/** Gives the present search a name, under which it is kept. */
export function SaveSearchDialog({ query, onClose, onSaved }: { query: string; onClose: () => void; onSaved: () => void }) {
  const [name, setName] = useState('');
  const [error, setError] = useState<GuesthouseError | null>(null);
  const save = async () => {
    if (name.trim() === '') return;
    const answer = await call('search.save', { name: name.trim(), query });
    if (answer.ok) onSaved();
    else setError(answer.error);
  };
  return (
    <FormDialog
      title={w.saveSearchTitle}
      submitLabel={words.common.save}
      reason={name.trim() === '' ? w.saveSearchReason : null}
      onSubmit={save}
      onClose={onClose}
    >
      <TextField label={w.saveSearchName} value={name} onChange={setName} autoFocus />
      <code className="selectable">{query}</code>
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
