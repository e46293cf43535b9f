import { GitCompareArrows, Tag, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { type Image, imageLifecycle } from '../../../contract/image.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { call } from '../../state/bridge.ts';
import { showErrorToast, showToast } from '../../state/toasts.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { TagsField } from '../../ui/TagsField.tsx';
import { words } from '../../words/en.ts';
import { deleteImages, keptBy } from './image-actions.ts';

const w = words.images;

type Props = { images: readonly Image[]; onClear: () => void; onCompare: (one: Image, other: Image) => void };

/** What can be done to all selected images at once. */
export function ImageBulkBar({ images, onClear, onCompare }: Props) {
  const [tagging, setTagging] = useState(false);
  const [one, other, third] = images;
  const publish = async (lifecycle: Image['lifecycle']) => {
    const answer = await call('image.editMany', { images: images.map(({ id }) => id), lifecycle });
    if (answer.ok) showToast({ tone: 'ok', title: w.bulkDone(answer.value.changed) });
    else showErrorToast(answer.error);
  };
  return (
    <div className="image-bulk-place">
      <div className="image-bulk" role="toolbar" aria-label={w.bulkLabel}>
        <span className="image-bulk-count" role="status">
          {w.selected(images.length)}
        </span>
        <Button kind="quiet" icon={Tag} placement="top" onPress={() => setTagging(true)}>
          {w.bulkTag}
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
        <IconButton icon={X} label={w.clearSelection} placement="top" onPress={onClear} />
      </div>
      {tagging && <TagDialog images={images} onClose={() => setTagging(false)} />}
    </div>
  );
}

function TagDialog({ images, onClose }: { images: readonly Image[]; onClose: () => void }) {
  const [addTags, setAddTags] = useState<string[]>([]);
  const [removeTags, setRemoveTags] = useState<string[]>([]);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    const answer = await call('image.editMany', { images: images.map(({ id }) => id), addTags, removeTags });
    setBusy(false);
    if (!answer.ok) return setError(answer.error);
    showToast({ tone: 'ok', title: w.bulkDone(answer.value.changed) });
    onClose();
  };
  const field = { placeholder: w.tagsPlaceholder, removeLabel: w.removeTag, maxLength: 40 };
  return (
    <FormDialog
      title={w.bulkTagTitle(images.length)}
      submitLabel={words.common.save}
      reason={addTags.length + removeTags.length === 0 ? w.bulkReason : null}
      busy={busy}
      onSubmit={save}
      onClose={onClose}
    >
      <TagsField label={w.bulkAdd} value={addTags} onChange={setAddTags} {...field} />
      <TagsField label={w.bulkRemove} value={removeTags} onChange={setRemoveTags} {...field} />
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
