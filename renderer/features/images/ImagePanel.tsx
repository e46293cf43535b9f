import { Disc3, FolderOpen, HardDrive, Hourglass, Layers2, Plus, RefreshCw, Trash2, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { LineageNode } from '../../../contract/guest-lineage.ts';
import { firmwareKind, type OsIdentity } from '../../../contract/guest-spec.ts';
import { type Image, imageArchitecture, imageLifecycle, type ReadField } from '../../../contract/image.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { LineageTree } from '../../parts/LineageTree.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { call, copyText } from '../../state/bridge.ts';
import { makeTemplateOfImage, startDisposable, verifyImage } from '../../state/cloning.ts';
import { showFile } from '../../state/show-file.ts';
import { useCall } from '../../state/use-call.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { CopyText } from '../../ui/feedback.tsx';
import { TagsField } from '../../ui/TagsField.tsx';
import { TextField } from '../../ui/TextField.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';
import { formatBytes, formatList } from '../../words/format.ts';
import { EditableFact } from './EditableFact.tsx';
import { ImageSeries } from './ImageSeries.tsx';
import { deleteImages, editImage, type ImageEdit, keptBy } from './image-actions.ts';
import { PackagesDialog } from './PackagesDialog.tsx';

const w = words.images;

type Props = { image: Image; onClose: () => void; onOpen: (id: string) => void; onCompare: (one: Image, other: Image) => void };

/** All that is known of one image, each thing edited in its place. */
export function ImagePanel({ image, onClose, onOpen, onCompare }: Props) {
  const [, navigate] = useLocation();
  const [error, setError] = useState<GuesthouseError | null>(null);
  const KindIcon = image.kind === 'iso' ? Disc3 : HardDrive;
  const [starting, setStarting] = useState(false);
  const [templating, setTemplating] = useState(false);
  const disposable = async () => {
    setStarting(true);
    const id = await startDisposable({ image: image.id });
    setStarting(false);
    if (id !== null) navigate(`/guests/${id}/console`);
  };
  const template = async () => {
    setTemplating(true);
    const id = await makeTemplateOfImage(image);
    setTemplating(false);
    if (id !== null) navigate(`/guests/${id}/overview`);
  };
  const readAgain = async () => {
    const answer = await call('image.readAgain', { image: image.id });
    setError(answer.ok ? null : answer.error);
  };
  return (
    <aside className="panel" aria-label={w.panel}>
      <header className="panel-head">
        <OsLogo os={image.os} size={40} />
        <div className="grow">
          <h2 className="panel-name selectable">
            <bdi>{image.name}</bdi>
          </h2>
          <div className="small muted row row-wrap">
            <KindIcon size={16} aria-hidden="true" />
            {w.kinds[image.kind]} · {formatBytes(image.sizeBytes)}
            {image.builtIn && <span className="image-mark">{w.builtIn}</span>}
          </div>
        </div>
        <IconButton icon={X} label={w.closePanel} onPress={onClose} />
      </header>
      <div className="row row-wrap panel-verbs">
        <Button kind="primary" icon={Plus} onPress={() => navigate(`/new/image?image=${image.id}`)}>
          {w.createGuest}
        </Button>
        {image.kind === 'disk' && (
          <IconButton
            icon={Hourglass}
            label={cloneWords.startDisposable}
            kind="secondary"
            busy={starting}
            onPress={() => void disposable()}
          />
        )}
        {image.kind === 'disk' && (
          <IconButton icon={Layers2} label={cloneWords.makeTemplate} kind="secondary" busy={templating} onPress={() => void template()} />
        )}
        <IconButton icon={RefreshCw} label={w.readAgain} kind="secondary" onPress={() => void readAgain()} />
        <IconButton icon={Trash2} label={w.delete} kind="secondary" reason={keptBy(image)} onPress={() => void deleteImages([image])} />
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      <PanelFacts image={image} />
      <ImageSeries image={image} onOpen={onOpen} onCompare={onCompare} />
      <PanelUsers image={image} />
      <PanelWords key={image.id} image={image} />
      <PanelSource image={image} />
    </aside>
  );
}

const architectures = [
  { id: '', label: w.notKnown },
  ...imageArchitecture.options.map((id) => ({ id: id as string, label: id as string })),
];
const lifecycles = imageLifecycle.options.map((id) => ({ id: id as string, label: w.lifecycles[id] }));
const firmwares = firmwareKind.options.map((id) => ({ id: id as string, label: words.guest.firmwares[id] }));

function PanelFacts({ image }: { image: Image }) {
  const systems = useCall('image.systems', {}).value ?? [];
  const [listing, setListing] = useState(false);
  const save = (change: ImageEdit) => editImage(image, change);
  const asRead = (field: ReadField) => (image.byHand.includes(field) ? { onAsRead: () => void editImage(image, { asRead: [field] }) } : {});
  const orNull = (text: string) => (text === '' ? null : text);
  const hasEnded = image.endOfLife !== null && image.endOfLife < new Date().toISOString().slice(0, 10);
  return (
    <section className="panel-section">
      <h3>{w.facts}</h3>
      <dl className="panel-facts">
        <EditableFact label={w.fields.name} text={image.name} onSave={(name) => save({ name })} />
        <EditableFact
          label={w.fields.lifecycle}
          text={image.lifecycle}
          shown={<Lifecycle lifecycle={image.lifecycle} />}
          options={lifecycles}
          onSave={(lifecycle) => save({ lifecycle: imageLifecycle.parse(lifecycle) })}
        />
        <EditableFact
          label={w.fields.os}
          text={image.os.name}
          options={systems.slice(0, 400).map(({ name }) => ({ id: name, label: name }))}
          choosable
          onSave={(name) => save({ os: identify(name, image.os, systems) })}
          {...asRead('os')}
        />
        <EditableFact
          label={w.fields.patchLevel}
          text={image.patchLevel ?? ''}
          placeholder={w.patchPlaceholder}
          note={image.patchLevelFrom}
          onSave={(text) => save({ patchLevel: orNull(text) })}
          {...asRead('patchLevel')}
        />
        <EditableFact
          label={w.fields.endOfLife}
          text={image.endOfLife ?? ''}
          placeholder={w.dayPlaceholder}
          note={hasEnded ? <span className="image-ended">{w.ended}</span> : undefined}
          onSave={(text) => save({ endOfLife: orNull(text) })}
          {...asRead('endOfLife')}
        />
        <EditableFact
          label={w.fields.architecture}
          text={image.architecture ?? ''}
          options={architectures}
          onSave={(text) => save({ architecture: text === '' ? null : imageArchitecture.parse(text) })}
          {...asRead('architecture')}
        />
        <EditableFact
          label={w.fields.firmware}
          text={image.firmware}
          shown={words.guest.firmwares[image.firmware]}
          options={firmwares}
          onSave={(text) => save({ firmware: firmwareKind.parse(text) })}
          {...asRead('firmware')}
        />
        {image.kernels.length > 0 && (
          <Fact name={w.fields.kernels}>
            {image.kernels.map((kernel) => (
              <div key={kernel}>{kernel}</div>
            ))}
          </Fact>
        )}
        {image.packages && (
          <Fact name={w.fields.packages}>
            <span className="row">
              <span className="grow">{w.packages(image.packages.manager, image.packages.count)}</span>
              <Button kind="quiet" onPress={() => setListing(true)}>
                {w.showPackages}
              </Button>
            </span>
          </Fact>
        )}
        {image.factsFrom !== null && <Fact name={w.fields.factsFrom}>{image.factsFrom}</Fact>}
      </dl>
      {listing && <PackagesDialog image={image} onClose={() => setListing(false)} />}
    </section>
  );
}

/** A system of the list, or one that only its name says something of. */
function identify(name: string, before: OsIdentity, systems: readonly OsIdentity[]): OsIdentity {
  const low = name.toLowerCase();
  const known = systems.find((system) => system.name.toLowerCase() === low || system.id === low);
  return known ?? { id: null, name, family: before.family, version: /\d[\w.]*/.exec(name)?.[0] ?? null, distro: null };
}

export function Lifecycle({ lifecycle }: Pick<Image, 'lifecycle'>) {
  return <span className={`lifecycle lifecycle-${lifecycle}`}>{w.lifecycles[lifecycle]}</span>;
}

function PanelUsers({ image }: { image: Image }) {
  const { usedBy, builtUponBy, madeGuests } = image;
  return (
    <section className="panel-section">
      <h3>{w.users}</h3>
      {usedBy.length + builtUponBy.length + madeGuests.length === 0 && <p className="small muted">{w.noUsers}</p>}
      {usedBy.length > 0 && <p className="small">{w.inDrive(formatList(usedBy))}</p>}
      {builtUponBy.length > 0 && <BuiltUpon image={image} />}
      {madeGuests.length > 0 && (
        <div>
          <div className="small muted">{w.made}</div>
          <ul className="panel-guests">
            {madeGuests.map(({ guest, name }) => (
              <li key={guest}>
                <Link href={`/guests/${guest}`}>
                  <bdi>{name}</bdi>
                </Link>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}

/** Every guest whose disk builds upon the image, directly or through frozen disks. */
function BuiltUpon({ image }: { image: Image }) {
  const { value } = useCall('lineage.show', {}, image.builtUponBy.join());
  const isFocus = (node: LineageNode) => node.imageId === image.id;
  if (!value?.some(isFocus)) return <p className="small">{w.builtUponBy(formatList(image.builtUponBy))}</p>;
  return (
    <div>
      <div className="row">
        <span className="small muted grow">{cloneWords.lineageLabel}</span>
        <Button kind="quiet" tooltip={cloneWords.verifyNote} onPress={() => void verifyImage(image)}>
          {cloneWords.verify}
        </Button>
      </div>
      <LineageTree nodes={value} isFocus={isFocus} />
    </div>
  );
}

/** Notes are kept when the field is left, and when the panel goes. */
function PanelWords({ image }: { image: Image }) {
  const [notes, setNotes] = useState(image.notes);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const latest = useRef({ notes, image });
  latest.current = { notes, image };
  const keep = async () => {
    const now = latest.current;
    if (now.notes !== now.image.notes) setError(await editImage(now.image, { notes: now.notes }));
  };
  useEffect(
    () => () => {
      const now = latest.current;
      if (now.notes !== now.image.notes) void editImage(now.image, { notes: now.notes });
    },
    [],
  );
  return (
    <section className="panel-section">
      <TagsField
        label={w.fields.tags}
        value={image.tags}
        onChange={(tags) => void editImage(image, { tags }).then(setError)}
        placeholder={w.tagsPlaceholder}
        removeLabel={w.removeTag}
        maxLength={40}
      />
      <TextField
        label={w.fields.notes}
        value={notes}
        onChange={setNotes}
        onBlur={() => void keep()}
        multiline
        rows={3}
        placeholder={w.notesPlaceholder}
      />
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </section>
  );
}

function PanelSource({ image }: { image: Image }) {
  const save = (change: ImageEdit) => editImage(image, change);
  const digits = image.sourceChecksum?.replace(/^\w+:/, '').toLowerCase();
  const checksumNote = digits?.length !== 64 ? undefined : digits === image.sha256 ? w.checksumSame : w.checksumOther;
  return (
    <section className="panel-section">
      <h3>{w.source}</h3>
      <dl className="panel-facts">
        <Fact name={w.fields.source}>
          <bdi>{image.source}</bdi>
        </Fact>
        <EditableFact
          label={w.fields.sourceUrl}
          text={image.sourceUrl ?? ''}
          placeholder={w.urlPlaceholder}
          onSave={(text) => save({ sourceUrl: text === '' ? null : text })}
        />
        <EditableFact
          label={w.fields.sourceChecksum}
          text={image.sourceChecksum ?? ''}
          note={checksumNote}
          onSave={(text) => save({ sourceChecksum: text === '' ? null : text })}
        />
        <Fact name={w.fields.addedAt}>
          <TimeText at={image.addedAt} /> · <bdi>{image.addedBy}</bdi>
        </Fact>
      </dl>
      <h3>{w.fileSection}</h3>
      <dl className="panel-facts">
        <Fact name={w.fields.format}>{image.format}</Fact>
        <Fact name={w.fields.virtualSizeBytes}>{formatBytes(image.virtualSizeBytes)}</Fact>
        {image.label !== null && (
          <Fact name={w.fields.label}>
            <bdi>{image.label}</bdi>
          </Fact>
        )}
        <Fact name={w.fields.sha256}>
          <CopyText text={image.sha256} copyLabel={words.common.copy} copiedLabel={words.common.copied} onCopy={copyText} />
        </Fact>
        <Fact name={w.fields.path}>
          <span className="row">
            <code>{image.path}</code>
            <IconButton icon={FolderOpen} label={words.common.showFile} onPress={() => void showFile(image.path)} />
          </span>
        </Fact>
      </dl>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="image-fact">
      <dt>{name}</dt>
      <dd className="selectable">{children}</dd>
    </div>
  );
}
