import { GitCompareArrows, Pencil, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { type Image, imageLifecycle } from '../../../contract/image.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { SelectionBar } from '../../parts/SelectionBar.tsx';
import { showErrorToast } from '../../state/toasts.ts';
import { Button } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { TagsField } from '../../ui/TagsField.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { words } from '../../words/en.ts';
import { deleteImages, editImages, keptBy } from './image-actions.ts';

const w = words.images;

type Props = { images: readonly Image[]; onClear: () => void; onCompare: (one: Image, other: Image) => void };

/** What can be done to all selected images at once. */
export function ImageBulkBar({ images, onClear, onCompare }: Props) {
  const [editing, setEditing] = useState(false);
  const [one, other, third] = images;
  const publish = async (lifecycle: Image['lifecycle']) => {
    const failed = await editImages(images, { lifecycle });
    if (failed) showErrorToast(failed);
  };
  return (
    <>
      <SelectionBar label={w.bulkLabel} count={w.selected(images.length)} clearLabel={w.clearSelection} onClear={onClear}>
        <Button kind="quiet" icon={Pencil} placement="top" onPress={() => setEditing(true)}>
          {w.bulkEdit}
        </Button>
        <MenuTrigger label={w.fields.lifecycle} placement="top start" button={<Button kind="quiet">{w.fields.lifecycle}</Button>}>
          <MenuSection label={w.fields.lifecycle}>
            {imageLifecycle.options.map((lifecycle) => (
              <MenuItem key={lifecycle} id={lifecycle} onAction={() => void publish(lifecycle)}>
                {w.lifecycles[lifecycle]}
              </MenuItem>
            ))}
          </MenuSection>
        </MenuTrigger>
        <Button
          kind="quiet"
          icon={GitCompareArrows}
          placement="top"
          reason={one && other && !third ? null : w.compareReason}
          onPress={() => one && other && onCompare(one, other)}
        >
          {w.compare}
        </Button>
        <Button
          kind="quiet"
          icon={Trash2}
          placement="top"
          reason={images.some((image) => keptBy(image) === null) ? null : w.noneDeletable}
          onPress={() => void deleteImages(images)}
        >
          {w.delete}
        </Button>
      </SelectionBar>
      {editing && <EditDialog images={images} onClose={() => setEditing(false)} />}
    </>
  );
}

function EditDialog({ images, onClose }: { images: readonly Image[]; onClose: () => void }) {
  const [addTags, setAddTags] = useState<string[]>([]);
  const [removeTags, setRemoveTags] = useState<string[]>([]);
  const [patchLevel, setPatchLevel] = useState('');
  const [endOfLife, setEndOfLife] = useState('');
  const [addNote, setAddNote] = useState('');
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const given = Object.entries({ patchLevel, endOfLife, addNote }).flatMap(([field, text]) => {
    const value = text.trim();
    return value === '' ? [] : [[field, value] as const];
  });
  const isNothing = addTags.length + removeTags.length + given.length === 0;
  const save = async () => {
    setBusy(true);
    const failed = await editImages(images, { addTags, removeTags, ...Object.fromEntries(given) });
    setBusy(false);
    if (failed) setError(failed);
    else onClose();
  };
  const tags = { placeholder: w.tagsPlaceholder, removeLabel: w.removeTag, maxLength: 40 };
  const unchanged = { placeholder: w.bulkUnchanged };
  const noteOn = (path: string) => (error?.path === path ? [{ severity: 'problem' as const, text: error.message }] : []);
  return (
    <FormDialog
      title={w.bulkEditTitle(images.length)}
      submitLabel={words.common.save}
      reason={isNothing ? w.bulkReason : null}
      busy={busy}
      onSubmit={save}
      onClose={onClose}
    >
      <TagsField label={w.bulkAdd} value={addTags} onChange={setAddTags} {...tags} />
      <TagsField label={w.bulkRemove} value={removeTags} onChange={setRemoveTags} {...tags} placeholder={w.bulkTag} />
      <div className="bulk-days">
        <TextField
          label={w.fields.patchLevel}
          description={w.patchPlaceholder}
          value={patchLevel}
          onChange={setPatchLevel}
          notes={noteOn('patchLevel')}
          {...unchanged}
        />
        <TextField
          label={w.fields.endOfLife}
          description={w.dayPlaceholder}
          value={endOfLife}
          onChange={setEndOfLife}
          notes={noteOn('endOfLife')}
          {...unchanged}
        />
      </div>
      <TextField label={w.bulkNote} value={addNote} onChange={setAddNote} multiline rows={3} />
      {error && !['patchLevel', 'endOfLife'].includes(error.path ?? '') && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
