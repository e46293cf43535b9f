import { useLocation } from 'wouter';
import type { FieldNote } from '../../../contract/guest-creation.ts';
import { notesFor } from '../../parts/field-notes.ts';
import { MediumPath } from '../../parts/MediumPath.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { useImages } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { Select } from '../../ui/Select.tsx';
import { RadioGroup } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { compareNames, formatBytes } from '../../words/format.ts';
import type { SourceDraft } from './create-choices.ts';

const w = words.create;

type Props = { draft: SourceDraft; onChange: (draft: SourceDraft) => void; notes: readonly FieldNote[] };

/** Where the guest comes from. */
export function SourceFields({ draft, onChange, notes }: Props) {
  if (draft.kind === 'image') return <ImageField draft={draft} onChange={onChange} notes={notes} />;
  return (
    <>
      <MediumPath
        label={draft.kind === 'iso' ? w.isoFile : w.diskFile}
        kind={draft.kind}
        value={draft.path}
        onChange={(path) => onChange({ ...draft, path })}
        notes={notesFor(notes, 'path')}
        autoFocus={draft.path === ''}
      />
      {draft.kind === 'disk' && (
        <RadioGroup
          label={w.inPlaceQuestion}
          value={draft.inPlace ? 'in-place' : 'copy'}
          onChange={(answer) => onChange({ ...draft, inPlace: answer === 'in-place' })}
          options={[
            { id: 'copy', label: w.copy, description: w.copyNote },
            { id: 'in-place', label: w.inPlace, description: w.inPlaceNote },
          ]}
        />
      )}
    </>
  );
}

function ImageField({ draft, onChange, notes }: Props) {
  const images = Object.values(useImages()).sort((one, other) => compareNames(one.name, other.name));
  const [, navigate] = useLocation();
  const chosen = images.find((image) => image.id === draft.imageId);
  if (images.length === 0)
    return (
      <div className="stack">
        <p className="muted">{w.noImages}</p>
        <div>
          <Button kind="primary" onPress={() => navigate('/images?import')}>
            {w.importFirst}
          </Button>
        </div>
      </div>
    );
  return (
    <div className="create-image">
      {chosen && <OsLogo os={chosen.os} size={40} />}
      <Select
        label={w.chooseImage}
        value={draft.imageId ?? ''}
        onChange={(id) => onChange({ ...draft, imageId: images.find((image) => image.id === id)?.id ?? null })}
        notes={notesFor(notes, 'imageId')}
        options={images.map((image) => ({
          id: image.id as string,
          label: image.name,
          note: `${image.os.name} · ${words.images.kinds[image.kind]} · ${formatBytes(image.sizeBytes)}`,
        }))}
      />
    </div>
  );
}
