import { ArrowUpRight, Check, Download, Plus, RefreshCw } from 'lucide-react';
import { useLocation } from 'wouter';
import type { DownloadEntry } from '../../../contract/download.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { useJob } from '../../state/store.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';
import { Unfinished } from './Unfinished.tsx';
import { useDownload } from './use-download.ts';

const w = words.downloads;

/** One system of the list: what it is, how far it is, and what can be done about it. */
export function DownloadRow({ entry, onChanged }: { entry: DownloadEntry; onChanged: () => void }) {
  const job = useJob(entry.job);
  const { error, busy, dismiss, start, discard } = useDownload(onChanged);
  const begin = () => void start({ kind: 'entry', entry: entry.id });
  const { unfinished } = entry;
  return (
    <li className="download-line">
      <OsLogo os={entry.os} size={32} />
      <div className="grow stack">
        <div className="download-head">
          <div className="grow">
            <h3 className="ellipsis download-name" title={entry.name}>
              {entry.name}
            </h3>
            <div className="small muted">{entry.summary}</div>
            <Facts entry={entry} />
          </div>
          {!job && !unfinished && <Actions entry={entry} busy={busy} onBegin={begin} />}
        </div>
        {job && <JobProgress job={job} />}
        {!job && unfinished && (
          <Unfinished kept={unfinished} name={entry.name} busy={busy} onGoOn={begin} onDiscard={() => void discard(unfinished)} />
        )}
        {error && <ErrorPanel error={error} onDismiss={dismiss} />}
      </div>
    </li>
  );
}

function Facts({ entry }: { entry: DownloadEntry }) {
  const { kind, version, approximateBytes, proof, host, page, image } = entry;
  return (
    <div className="small muted row row-wrap download-facts">
      <span>{w.kinds[kind]}</span>
      <span>{version}</span>
      {approximateBytes !== null && <span>{w.about(formatBytes(approximateBytes))}</span>}
      {page === null && <span title={w.proofNotes[proof]}>{w.proofs[proof]}</span>}
      <span>{w.from(host)}</span>
      <a href={entry.homepage} target="_blank" rel="noreferrer">
        {w.homepage}
      </a>
      <a href={entry.terms} target="_blank" rel="noreferrer">
        {w.terms}
      </a>
      {image && (
        <span className="row download-there">
          <Check size={16} aria-hidden="true" />
          {w.inLibrary(image.version)} · {w.provenBy[image.proof]}
        </span>
      )}
    </div>
  );
}

function Actions({ entry, busy, onBegin }: { entry: DownloadEntry; busy: boolean; onBegin: () => void }) {
  const [, navigate] = useLocation();
  const { page, image } = entry;
  if (page !== null) {
    return (
      <Button icon={ArrowUpRight} tooltip={w.pageNote} onPress={() => void window.open(page, '_blank', 'noreferrer')}>
        {w.openPage}
      </Button>
    );
  }
  if (!image) {
    return (
      <Button icon={Download} busy={busy} onPress={onBegin}>
        {w.download}
      </Button>
    );
  }
  return (
    <div className="row">
      <Button icon={Plus} onPress={() => navigate(`/new/image?image=${image.id}`)}>
        {w.createGuest}
      </Button>
      <IconButton icon={RefreshCw} label={w.again} busy={busy} onPress={onBegin} />
    </div>
  );
}
