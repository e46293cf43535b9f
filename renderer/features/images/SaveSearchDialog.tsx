import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { call } from '../../state/bridge.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
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
    <Dialog
      open
      title={w.saveSearchTitle}
      onClose={onClose}
      closeLabel={words.common.close}
      actions={
        <>
          <Button onPress={onClose}>{words.common.cancel}</Button>
          <Button kind="primary" reason={name.trim() === '' ? w.saveSearchReason : null} onPress={() => void save()}>
            {words.common.save}
          </Button>
        </>
      }
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextField label={w.saveSearchName} value={name} onChange={setName} autoFocus />
        <code className="selectable">{query}</code>
        {error && <ErrorPanel error={error} />}
      </form>
    </Dialog>
  );
}
