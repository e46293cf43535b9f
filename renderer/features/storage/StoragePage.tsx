import type { ReactNode } from 'react';
import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import { jobEnded } from '../../../contract/job.ts';
import type { Orphan, StorageReport } from '../../../contract/storage.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { ask } from '../../state/ask.ts';
import { call } from '../../state/bridge.ts';
import { useEngineStore, useJobs } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';
import { Locations } from './Locations.tsx';
import { SpaceBar } from './SpaceBar.tsx';
import { GuestSpace, ImageSpace } from './SpaceRows.tsx';
import './storage.css';

const w = words.storage;

/** What uses how much of the disk, and what can be given back. */
export function StoragePage() {
  // Whatever ends a job, and a guest or an image that comes or goes, changes what is used.
  const version = useEngineStore((state) =>
    [
      Object.keys(state.guests).length,
      Object.keys(state.images).length,
      Object.values(state.jobs).filter((job) => jobEnded.has(job.state)).length,
    ].join(),
  );
  const { value: report, error, reload } = useCall('storage.report', {}, version);
  return (
    <div className="page">
      <header className="page-header">
        <h1>{w.title}</h1>
      </header>
      <p className="muted">{w.text}</p>
      {error && <ErrorPanel error={error} />}
      {!report && !error && <Skeleton height={320} />}
      {report && (
        <>
          <SpaceBar report={report} />
          <Section title={w.guests} empty={report.guests.length === 0 ? w.noGuests : null}>
            {[...report.guests].sort(byUse).map((guest) => (
              <GuestSpace key={guest.id} guest={guest} locations={report.locations} />
            ))}
          </Section>
          <Section title={w.images} empty={report.images.length === 0 ? w.noImages : null}>
            {[...report.images].sort(byUse).map((image) => (
              <ImageSpace key={image.id} image={image} locations={report.locations} />
            ))}
          </Section>
          <Section
            title={w.orphans}
            text={report.orphans.length > 0 ? w.orphansText : null}
            empty={report.orphans.length === 0 ? w.noOrphans : null}
          >
            {report.orphans.map((orphan) => (
              <OrphanRow key={orphan.path} orphan={orphan} onGone={reload} />
            ))}
          </Section>
          <Locations locations={report.locations} onChanged={reload} />
          <Duplicates duplicates={report.duplicates} />
        </>
      )}
    </div>
  );
}

function byUse(one: { use: { realBytes: number } }, other: { use: { realBytes: number } }): number {
  return other.use.realBytes - one.use.realBytes;
}

function Section({
  title,
  text = null,
  empty,
  children,
}: {
  title: string;
  text?: string | null;
  empty: string | null;
  children: ReactNode;
}) {
  return (
    <section className="storage-section" aria-label={title}>
      <h2>{title}</h2>
      {text !== null && <p className="muted small">{text}</p>}
      {empty !== null ? <p className="muted">{empty}</p> : <ul aria-label={title}>{children}</ul>}
    </section>
  );
}

function OrphanRow({ orphan, onGone }: { orphan: Orphan; onGone: () => void }) {
  const [error, setError] = useState<GuesthouseError | null>(null);
  const { path, what, use, modifiedAt } = orphan;
  const remove = async () => {
    const sure = await ask({ title: w.deleteTitle(path), text: w.deleteText(formatBytes(use.realBytes)), confirmLabel: w.delete });
    if (!sure) return;
    const answer = await call('storage.deleteOrphan', { path });
    setError(answer.ok ? null : answer.error);
    if (answer.ok) onGone();
  };
  return (
    <li className="storage-line">
      <div className="storage-head">
        <div className="grow">
          <div className="mono ellipsis selectable" title={path}>
            <bdi>{path}</bdi>
          </div>
          <div className="small muted">
            {what} · {w.changed} <TimeText at={modifiedAt} />
          </div>
        </div>
        <span className="storage-size">{formatBytes(use.realBytes)}</span>
        <Button kind="quiet" onPress={() => void remove()}>
          {w.delete}
        </Button>
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
    </li>
  );
}

function Duplicates({ duplicates }: Pick<StorageReport, 'duplicates'>) {
  const [error, setError] = useState<GuesthouseError | null>(null);
  const job = useJobs().find((each) => each.kind === 'storage.findDuplicates' && !jobEnded.has(each.state));
  const look = async () => {
    const answer = await call('storage.findDuplicates', {});
    setError(answer.ok ? null : answer.error);
  };
  return (
    <section className="storage-section" aria-label={w.duplicates}>
      <div className="storage-head">
        <div className="grow">
          <h2>{w.duplicates}</h2>
          <p className="muted small">{w.duplicatesText}</p>
        </div>
        <Button busy={job !== undefined} onPress={() => void look()}>
          {duplicates === null ? w.findDuplicates : w.lookAgain}
        </Button>
      </div>
      {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
      {job && <JobProgress job={job} />}
      {duplicates !== null &&
        (duplicates.found.length === 0 ? (
          <p className="muted">{w.noDuplicates}</p>
        ) : (
          <ul aria-label={w.duplicates}>
            {duplicates.found.map(({ sha256, bytes, paths }) => (
              <li key={sha256} className="storage-line">
                <div>{w.duplicateLine(paths.length, formatBytes(bytes))}</div>
                {paths.map((path) => (
                  <div key={path} className="mono ellipsis selectable" title={path}>
                    <bdi>{path}</bdi>
                  </div>
                ))}
              </li>
            ))}
          </ul>
        ))}
    </section>
  );
}
