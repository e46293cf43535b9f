import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { formatKeyCombination, type KeyboardLayout, keyboardLayouts, parseKeyCombination } from '../../../contract/guest-keyboard.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { Select } from '../../ui/Select.tsx';
import { TagsField } from '../../ui/TagsField.tsx';
import { consoleWords } from '../../words/console.ts';

const w = consoleWords.keyboard;

/** The layout that text is typed on, and the combinations that stay with this computer. */
export function GuestKeyboardDialog({ guest, onClose }: { guest: Guest; onClose: () => void }) {
  const [layout, setLayout] = useState<KeyboardLayout>(guest.spec.keyboard.layout);
  const [localKeys, setLocalKeys] = useState<readonly string[]>(guest.spec.keyboard.localKeys);
  const [refused, setRefused] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const change = (shown: string[]) => {
    const read = shown.map((text) => ({ text, combination: parseKeyCombination(text) }));
    setRefused(read.find(({ combination }) => combination === null)?.text ?? null);
    setLocalKeys([...new Set(read.flatMap(({ combination }) => combination ?? []))].slice(0, 32));
  };
  const save = async () => {
    setBusy(true);
    const answer = await call('guest.annotate', { guest: guest.id, keyboard: { layout, localKeys: [...localKeys] } });
    setBusy(false);
    if (answer.ok) onClose();
    else setError(answer.error);
  };
  return (
    <FormDialog title={w.title(guest.spec.name)} submitLabel={w.save} reason={null} busy={busy} onSubmit={save} onClose={onClose}>
      <Select label={w.layout} value={layout} onChange={setLayout} options={keyboardLayouts.map((id) => ({ id, label: w.layouts[id] }))} />
      <p className="muted">{w.layoutNote}</p>
      <TagsField
        label={w.localKeys}
        value={localKeys.map(formatKeyCombination)}
        maxLength={40}
        placeholder={w.localKeysPlaceholder}
        removeLabel={w.remove}
        onChange={change}
      />
      <p className="muted">{w.localKeysNote}</p>
      {refused !== null && (
        <p className="console-problem" role="alert">
          {w.refused(refused)}
        </p>
      )}
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
