import { GitCompareArrows, Layers, LogOut, Pencil, Replace } from 'lucide-react';
import { useMemo, useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { Image } from '../../../contract/image.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { FormDialog } from '../../parts/FormDialog.tsx';
import { openRebase } from '../../state/rebasing.ts';
import { useImages } from '../../state/store.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { ComboBox } from '../../ui/Select.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';
import { compareNames } from '../../words/format.ts';
import { EditableFact } from './EditableFact.tsx';
import { editImage, leaveSeries, renameSeries } from './image-actions.ts';

const w = words.images;

type Props = { image: Image; onOpen: (id: string) => void; onCompare: (one: Image, other: Image) => void };

/** The versions of the series that an image is in, newest first, each with what changed. */
export function ImageSeries({ image, onOpen, onCompare }: Props) {
  const images = useImages();
  const [placing, setPlacing] = useState(false);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const name = image.series?.name;
  const versions = useMemo(
    () =>
      Object.values(images)
        .filter((each) => name !== undefined && each.series?.name === name)
        .sort((one, other) => (other.series?.version ?? 0) - (one.series?.version ?? 0)),
    [images, name],
  );
  const newest = versions.find((each) => each.lifecycle === 'published');
  return (
    <section className="panel-section">
      <div className="row">
        <h3 className="grow">{w.versions}</h3>
        {image.series && (
          <>
            <IconButton icon={Pencil} label={w.seriesTitle} onPress={() => setPlacing(true)} />
            <IconButton icon={LogOut} label={w.leaveSeries} onPress={() => void leaveSeries(image).then(setError)} />
          </>
        )}
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      {image.series ? (
        <>
          <SeriesName key={image.series.name} name={image.series.name} />
          <ol className="series">
            {versions.map((each) => (
              <li
                key={each.id}
                className={each.id === image.id ? 'series-line series-at' : 'series-line'}
                aria-current={each.id === image.id}
              >
                <span className="series-number">{each.series?.version}</span>
                <div className="grow">
                  <div className="row">
                    {each.id === image.id ? (
                      <bdi className="ellipsis">{each.name}</bdi>
                    ) : (
                      <button type="button" className="link ellipsis" onClick={() => onOpen(each.id)}>
                        <bdi>{each.name}</bdi>
                      </button>
                    )}
                    {each === newest && <span className="image-mark">{w.newest}</span>}
                    {each.lifecycle !== 'published' && <span className="image-mark">{w.lifecycles[each.lifecycle]}</span>}
                  </div>
                  {each.series?.changeNote && <div className="small muted series-note selectable">{each.series.changeNote}</div>}
                </div>
                {each.id !== image.id && (
                  <IconButton icon={GitCompareArrows} label={w.compareWith(each.name)} onPress={() => onCompare(each, image)} />
                )}
              </li>
            ))}
          </ol>
          {image.kind === 'disk' && versions.some((each) => each.id !== image.id && each.madeGuests.length > 0) && (
            <div>
              <Button icon={Replace} onPress={() => openRebase({ image: image.id })}>
                {cloneWords.rebaseHere}
              </Button>
            </div>
          )}
        </>
      ) : (
        <>
          <p className="small muted">{w.noSeries}</p>
          <div>
            <Button icon={Layers} onPress={() => setPlacing(true)}>
              {w.addToSeries}
            </Button>
          </div>
        </>
      )}
      {placing && <SeriesDialog image={image} onClose={() => setPlacing(false)} />}
    </section>
  );
}

/** The name of the series, edited in its place for all of its versions at once. */
function SeriesName({ name }: { name: string }) {
  return (
    <dl className="panel-facts">
      <EditableFact label={w.seriesName} text={name} editLabel={w.renameSeries} onSave={(next) => renameSeries(name, next)} />
    </dl>
  );
}

function SeriesDialog({ image, onClose }: { image: Image; onClose: () => void }) {
  const images = useImages();
  const [name, setName] = useState(image.series?.name ?? '');
  const [version, setVersion] = useState(image.series ? String(image.series.version) : '');
  const [changeNote, setChangeNote] = useState(image.series?.changeNote ?? '');
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [busy, setBusy] = useState(false);
  const known = useMemo(
    () => [...new Set(Object.values(images).flatMap(({ series }) => (series ? [series.name] : [])))].sort(compareNames),
    [images],
  );
  const reason = name.trim() === '' ? w.seriesReason : /^([1-9]\d{0,5})?$/.test(version.trim()) ? null : w.seriesVersionReason;
  const save = async () => {
    setBusy(true);
    const chosen = version.trim() === '' ? {} : { version: Number(version) };
    const failed = await editImage(image, { series: { name: name.trim(), ...chosen, changeNote } });
    setBusy(false);
    if (failed) setError(failed);
    else onClose();
  };
  return (
    <FormDialog title={w.seriesTitle} submitLabel={words.common.save} reason={reason} busy={busy} onSubmit={save} onClose={onClose}>
      <ComboBox label={w.seriesName} value={name} onChange={setName} options={known.map((each) => ({ id: each, label: each }))} />
      <TextField label={w.seriesVersion} value={version} onChange={setVersion} placeholder={w.seriesVersionPlaceholder} />
      <TextField label={w.changeNote} value={changeNote} onChange={setChangeNote} multiline rows={3} />
      {error && <ErrorPanel error={error} />}
    </FormDialog>
  );
}
