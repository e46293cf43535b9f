import { useState } from 'react';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { JobId } from '../../../contract/ids.ts';
import type { Image } from '../../../contract/image.ts';
import type { ContentDifference, PackageDifferences } from '../../../contract/image-catalogue.ts';
import { jobEnded } from '../../../contract/job.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { call } from '../../state/bridge.ts';
import { useJob } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatExactTime, formatPercent } from '../../words/format.ts';

const w = words.images;

/** In what two images differ: what is known of them side by side, and on demand what is on their disks. */
export function DifferencesDialog({ one, other, onClose }: { one: Image; other: Image; onClose: () => void }) {
  const [job, setJob] = useState<JobId | null>(null);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const running = useJob(job);
  const found = useCall('image.differences', { one: one.id, other: other.id }, running?.state);
  const start = async () => {
    const answer = await call('image.compare', { one: one.id, other: other.id });
    if (answer.ok) setJob(answer.value.id);
    else setError(answer.error);
  };
  const isRunning = running !== undefined && !jobEnded.has(running.state);
  return (
    <Dialog open title={w.diffTitle} onClose={onClose} closeLabel={words.common.close} width="wide">
      <div className="stack diff">
        {found.error && <ErrorPanel error={found.error} />}
        {!found.value && !found.error && <Skeleton height={120} />}
        {found.value && (
          <table className="diff-table selectable">
            <thead>
              <tr>
                <th>{w.diffField}</th>
                <th>
                  <bdi>{one.name}</bdi>
                </th>
                <th>
                  <bdi>{other.name}</bdi>
                </th>
              </tr>
            </thead>
            <tbody>
              {found.value.fields.map(({ field, one: first, other: second }) => (
                <tr key={field}>
                  <th>{w.fields[field as keyof typeof w.fields] ?? field}</th>
                  <td>{shown(field, first)}</td>
                  <td>{shown(field, second)}</td>
                </tr>
              ))}
              {found.value.fields.length === 0 && (
                <tr>
                  <td colSpan={3} className="muted">
                    {w.diffSame}
                  </td>
                </tr>
              )}
            </tbody>
          </table>
        )}
        {found.value?.packages && <Packages packages={found.value.packages} />}
        <h3>{w.diffContent}</h3>
        {found.value?.cannotCompare && <p className="muted">{found.value.cannotCompare}</p>}
        {found.value?.content && <Content one={one} other={other} content={found.value.content} />}
        {error && <ErrorPanel error={error} onDismiss={() => setError(null)} />}
        {running && (isRunning || running.error) && <JobProgress job={running} />}
        {found.value && !found.value.content && !found.value.cannotCompare && !isRunning && (
          <div className="row row-wrap">
            <Button onPress={() => void start()}>{w.diffStart}</Button>
            <span className="small muted">{w.diffNote}</span>
          </div>
        )}
      </div>
    </Dialog>
  );
}

function shown(field: string, value: string | null): string {
  if (value === null) return '–';
  if (field.endsWith('Bytes')) return formatBytes(Number(value));
  if (field === 'addedAt') return formatExactTime(value);
  return field === 'lifecycle' ? w.lifecycles[value as keyof typeof w.lifecycles] : value;
}

function Packages({ packages: { changed, added, removed } }: { packages: PackageDifferences }) {
  const rows = [
    ...changed,
    ...added.map(({ name, version }) => ({ name, one: '–', other: version })),
    ...removed.map(({ name, version }) => ({ name, one: version, other: '–' })),
  ];
  return (
    <>
      <h3>{w.diffPackages}</h3>
      {rows.length === 0 && <p className="muted">{w.diffPackagesSame}</p>}
      {rows.length > 0 && (
        <>
          <p className="small muted">{w.diffPackagesCount(changed.length, added.length, removed.length)}</p>
          <div className="package-list">
            <table className="diff-table selectable">
              <tbody>
                {rows.map(({ name, one, other }) => (
                  <tr key={name}>
                    <th>{name}</th>
                    <td>{one}</td>
                    <td>{other}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </>
  );
}

/** Numbers, and a strip that shows where on the disk the two differ. */
function Content({ one, other, content }: { one: Image; other: Image; content: ContentDifference }) {
  const differing = content.changedBytes + content.onlyOneBytes + content.onlyOtherBytes;
  if (differing === 0) return <p>{w.diffAgain}</p>;
  const counts: [string, number][] = [
    [w.diffEqual, content.sameBytes],
    [w.diffChanged, content.changedBytes],
    [w.diffOnly(one.name), content.onlyOneBytes],
    [w.diffOnly(other.name), content.onlyOtherBytes],
  ];
  return (
    <>
      <dl className="diff-counts">
        {counts.map(([name, bytes]) => (
          <div key={name}>
            <dt className="small muted ellipsis">{name}</dt>
            <dd>{formatBytes(bytes)}</dd>
          </div>
        ))}
      </dl>
      <svg
        className="diff-map"
        viewBox={`0 0 ${content.map.length} 10`}
        preserveAspectRatio="none"
        role="img"
        aria-label={w.diffMap(formatPercent(differing / content.spanBytes))}
      >
        {content.map.map((share, part) =>
          // The least difference must be seen; parts have no name but their place.
          // biome-ignore lint/suspicious/noArrayIndexKey: they never move
          share > 0 ? <rect key={part} x={part} y={0} width={1} height={10} fillOpacity={0.3 + 0.7 * share} /> : null,
        )}
      </svg>
    </>
  );
}
