import { Disc3, Download, FileInput, FolderOpen, HardDrive, Hourglass, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { LineageNode } from '../../../contract/guest-lineage.ts';
import type { Image } from '../../../contract/image.ts';
import { jobEnded } from '../../../contract/job.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { LineageTree } from '../../parts/LineageTree.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { ask } from '../../state/ask.ts';
import { call, copyText, shell } from '../../state/bridge.ts';
import { startDisposable, verifyImage } from '../../state/cloning.ts';
import { useImages, useJobs } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { CopyText, Disclosure, EmptyState } from '../../ui/feedback.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';
import { compareNames, formatBytes, formatList } from '../../words/format.ts';
import { ImportDialog } from './ImportDialog.tsx';
import './images.css';

const w = words.images;

/** Media from which guests are made. */
export function ImagesPage() {
  const images = Object.values(useImages()).sort((one, other) => compareNames(one.name, other.name));
  const imports = useJobs().filter((job) => job.kind === 'image.import' && !jobEnded.has(job.state));
  const [, navigate] = useLocation();
  const wanted = new URLSearchParams(useSearch()).get('import');
  const importing = wanted !== null;
  const openImport = () => navigate('/images?import');
  return (
    <div className="page">
      <header className="page-header">
        <h1>{w.title}</h1>
        <Button icon={Download} onPress={() => navigate('/downloads')}>
          {words.downloads.open}
        </Button>
        <Button kind="primary" icon={FileInput} onPress={openImport}>
          {w.import}
        </Button>
      </header>
      <p className="muted">{w.text}</p>
      {imports.map((job) => (
        <div key={job.id} className="image-job">
          <JobProgress job={job} />
        </div>
      ))}
      {images.length === 0 && imports.length === 0 ? (
        <EmptyState icon={Disc3} title={w.emptyTitle} actions={<Button onPress={openImport}>{w.import}</Button>}>
          {w.emptyText}
        </EmptyState>
      ) : (
        <ul className="image-list" aria-label={w.listLabel}>
          {images.map((image) => (
            <ImageLine key={image.id} image={image} />
          ))}
        </ul>
      )}
      {importing && <ImportDialog key={wanted} path={wanted} onClose={() => navigate('/images', { replace: true })} />}
    </div>
  );
}

function ImageLine({ image }: { image: Image }) {
  const [, navigate] = useLocation();
  const [error, setError] = useState<GuesthouseError | null>(null);
  const KindIcon = image.kind === 'iso' ? Disc3 : HardDrive;
  const [starting, setStarting] = useState(false);
  const disposable = async () => {
    setStarting(true);
    const id = await startDisposable({ image: image.id });
    setStarting(false);
    if (id !== null) navigate(`/guests/${id}/console`);
  };
  const remove = async () => {
    const text = w.deleteText(formatBytes(image.sizeBytes));
    const sure = await ask({
      title: w.deleteTitle(image.name),
      text: image.builtIn ? `${text} ${w.deleteBuiltIn}` : text,
      confirmLabel: w.delete,
    });
    if (!sure) return;
    const answer = await call('image.delete', { image: image.id });
    setError(answer.ok ? null : answer.error);
  };
  return (
    <li className="image-line">
      <div className="image-head">
        <OsLogo os={image.os} size={32} />
        <div className="grow">
          <div className="row">
            <h2 className="ellipsis image-name" title={image.name}>
              <bdi>{image.name}</bdi>
            </h2>
            {image.builtIn && <span className="image-mark">{w.builtIn}</span>}
          </div>
          <div className="small muted row row-wrap image-facts">
            <span className="row image-kind">
              <KindIcon size={16} aria-hidden="true" />
              {w.kinds[image.kind]}
            </span>
            <span>{image.os.name}</span>
            <span>{formatBytes(image.sizeBytes)}</span>
            <span>
              <TimeText at={image.addedAt} />
            </span>
            {image.usedBy.length > 0 && <bdi>{w.usedBy(formatList(image.usedBy))}</bdi>}
            {image.builtUponBy.length > 0 && <span>{w.builtUponBy(image.builtUponBy.length)}</span>}
          </div>
        </div>
        <div className="row">
          {image.kind === 'disk' && (
            <IconButton icon={Hourglass} label={cloneWords.startDisposable} busy={starting} onPress={() => void disposable()} />
          )}
          <Button icon={Plus} onPress={() => navigate(`/new/image?image=${image.id}`)}>
            {w.createGuest}
          </Button>
          <IconButton icon={Trash2} label={w.delete} reason={keptBy(image)} onPress={() => void remove()} />
        </div>
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      <Disclosure title={w.details}>
        <ImageDetails image={image} />
        {image.kind === 'disk' && <ImageLineage image={image} />}
      </Disclosure>
    </li>
  );
}

/** Why an image cannot be deleted now, or null. */
function keptBy({ usedBy, builtUponBy }: Image): string | null {
  if (usedBy.length > 0) return w.inUse(formatList(usedBy));
  return builtUponBy.length > 0 ? w.isBase(formatList(builtUponBy)) : null;
}

/** Every guest whose disk builds upon the image, directly or through frozen disks. */
function ImageLineage({ image }: { image: Image }) {
  const { value } = useCall('lineage.show', {}, image.builtUponBy.join());
  const isFocus = (node: LineageNode) => node.imageId === image.id;
  if (!value) return null;
  return (
    <section className="image-lineage">
      <div className="row">
        <h3 className="grow">{cloneWords.lineageLabel}</h3>
        <Button kind="quiet" tooltip={cloneWords.verifyNote} onPress={() => void verifyImage(image)}>
          {cloneWords.verify}
        </Button>
      </div>
      {value.some(isFocus) ? <LineageTree nodes={value} isFocus={isFocus} /> : <p className="muted">{cloneWords.lineageNone}</p>}
    </section>
  );
}

function ImageDetails({ image }: { image: Image }) {
  const facts: [string, string][] = [
    [w.format, image.format],
    [w.virtualSize, formatBytes(image.virtualSizeBytes)],
    [w.firmware, words.guest.firmwares[image.firmware]],
    ...(image.label === null ? [] : ([[w.label, image.label]] as [string, string][])),
    [w.source, image.source],
    [w.addedBy, image.addedBy],
  ];
  return (
    <dl className="image-details selectable">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
      <div>
        <dt>{w.checksum}</dt>
        <dd>
          <CopyText text={image.sha256} copyLabel={words.common.copy} copiedLabel={words.common.copied} onCopy={copyText} />
        </dd>
      </div>
      <div>
        <dt>{w.path}</dt>
        <dd className="row">
          <code>{image.path}</code>
          <IconButton icon={FolderOpen} label={words.common.showFile} onPress={() => void shell('shell.showFile', { path: image.path })} />
        </dd>
      </div>
    </dl>
  );
}
