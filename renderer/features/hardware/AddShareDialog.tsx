import { useState } from 'react';
import type { Share } from '../../../contract/guest-spec.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { notesFor } from '../../parts/field-notes.ts';
import { useCall } from '../../state/use-call.ts';
import { useSettled } from '../../state/use-settled.ts';
import { Select } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { Switch } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { optionsOf, TimingMark } from './fields.tsx';
import type { Editor } from './use-editor.ts';

const w = words.hardware;

/** Asks which folder is to be shared. */
export function AddShareDialog({ editor, onClose }: { editor: Editor; onClose: () => void }) {
  const { spec, id } = editor.guest;
  const [path, setPath] = useState('');
  const [tag, setTag] = useState('');
  const [readOnly, setReadOnly] = useState(false);
  const [via, setVia] = useState<Share['via']>(spec.os.family === 'windows' && spec.display.device !== 'none' ? 'webdav' : 'mount');
  const folder = path.trim().replace(/(?<=.)\/+$/, '');
  const share = folder.startsWith('/') ? { path: folder, readOnly, via, ...(tag.trim() === '' ? {} : { tag: tag.trim() }) } : null;
  const question = share === null ? null : JSON.stringify(share);
  const settled = useSettled(question, 250);
  const plan = useCall(
    'guest.planEdit',
    settled === null ? null : { guest: id, change: { shares: [...spec.shares, JSON.parse(settled)] } },
    spec,
  );
  const notes = share === null ? [] : (plan.value?.notes ?? []);
  const problem = notes.find(({ severity }) => severity === 'problem');
  const added = share === null ? undefined : plan.value?.changes.find(({ kind }) => kind === 'added');
  const reason =
    editor.denied ??
    (share === null
      ? w.folderPlaceholder
      : (plan.error?.message ?? problem?.message ?? (settled !== question || plan.loading ? w.checking : null)));
  const add = async () => {
    if (share !== null && (await editor.make({ shares: [...spec.shares, share] }, w.added))) onClose();
  };
  return (
    <FormDialog title={w.newShareTitle} submitLabel={w.addIt} reason={reason} busy={editor.busy} onSubmit={add} onClose={onClose}>
      <TextField
        label={w.folder}
        value={path}
        onChange={setPath}
        placeholder={w.folderPlaceholder}
        direction="ltr"
        autoFocus
        notes={notesFor(notes, 'shares')}
        description={w.folderNote}
      />
      <TextField label={w.tag} value={tag} onChange={setTag} placeholder={w.tagAutomatic} direction="ltr" description={w.tagNote} />
      <Select label={w.shareVia} value={via} onChange={setVia} options={optionsOf(w.shareVias)} description={w.shareViaNotes[via]} />
      <Switch label={w.shareReadOnly} value={readOnly} onChange={setReadOnly} />
      {added && added.when !== 'now' && (
        <p>
          <TimingMark mark={{ kind: added.when, why: added.why }} />
        </p>
      )}
      {editor.error && <ErrorPanel error={editor.error} title={w.failed} onDismiss={editor.dismiss} />}
    </FormDialog>
  );
}
