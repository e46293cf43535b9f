import { Link2, SearchX } from 'lucide-react';
import { useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { jobEnded } from '../../../contract/job.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { useEngineStore } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState, Notice, Skeleton } from '../../ui/feedback.tsx';
import { SearchField } from '../../ui/SearchField.tsx';
import { Segmented } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { AddressDialog } from './AddressDialog.tsx';
import { DownloadRow } from './DownloadRow.tsx';
import { type DownloadFilter, groupDownloads } from './download-groups.ts';
import { UnfinishedRow } from './UnfinishedRow.tsx';
import './downloads.css';

const w = words.downloads;
const filters: readonly DownloadFilter[] = ['all', 'discs', 'disks'];

/** Operating systems that can be had from the net. */
export function DownloadsPage() {
  const [, navigate] = useLocation();
  const search = new URLSearchParams(useSearch());
  const text = search.get('q') ?? '';
  const filter = filters.find((each) => each === search.get('show')) ?? 'all';
  const go = (change: Record<string, string | null>) => {
    const next = new URLSearchParams(search);
    for (const [name, value] of Object.entries(change)) {
      if (value === null || value === '') next.delete(name);
      else next.set(name, value);
    }
    navigate(`/downloads${next.size > 0 ? `?${next}` : ''}`, { replace: true });
  };
  // What is known of an entry changes when a download begins or ends, and when an image comes or goes.
  const version = useEngineStore((state) =>
    [
      ...Object.values(state.jobs).flatMap((job) => (job.kind === 'image.download' ? [`${job.id}${jobEnded.has(job.state)}`] : [])),
      Object.keys(state.images).length,
    ].join(),
  );
  const { value: list, error, reload } = useCall('download.list', {}, version);
  const groups = groupDownloads(list?.entries ?? [], text, filter);
  return (
    <div className="page">
      <header className="page-header">
        <h1>{w.title}</h1>
        <Button icon={Link2} onPress={() => go({ address: '1' })}>
          {w.address}
        </Button>
      </header>
      <p className="muted">{w.text}</p>
      <OfflineNotice />
      {error && <ErrorPanel error={error} />}
      {!list && !error && <Skeleton height={320} />}
      {list && (
        <>
          <div className="row row-wrap downloads-bar">
            <div className="downloads-search" data-find="">
              <SearchField label={w.searchLabel} placeholder={w.searchPlaceholder} value={text} onChange={(q) => go({ q })} />
            </div>
            <Segmented
              label={w.show}
              value={filter}
              onChange={(show) => go({ show: show === 'all' ? null : show })}
              options={filters.map((id) => ({ id, label: w.filters[id] }))}
            />
          </div>
          {list.unfinished.length > 0 && (
            <section className="downloads-group" aria-label={w.unfinished}>
              <h2>{w.unfinished}</h2>
              <ul aria-label={w.unfinished}>
                {list.unfinished.map((kept) => (
                  <UnfinishedRow key={kept.key} kept={kept} onChanged={reload} />
                ))}
              </ul>
            </section>
          )}
          {groups.length === 0 && (
            <EmptyState icon={SearchX} title={w.nothing} actions={<Button onPress={() => go({ q: null, show: null })}>{w.clear}</Button>} />
          )}
          {groups.map(({ family, entries }) => (
            <section key={family} className="downloads-group" aria-label={w.families[family]}>
              <h2>{w.families[family]}</h2>
              <ul aria-label={w.listLabel(w.families[family])}>
                {entries.map((entry) => (
                  <DownloadRow key={entry.id} entry={entry} onChanged={reload} />
                ))}
              </ul>
            </section>
          ))}
        </>
      )}
      {search.has('address') && <AddressDialog onClose={() => go({ address: null })} />}
    </div>
  );
}

/** Says calmly that there is no net, and what does without it. Nothing waits for the answer. */
function OfflineNotice() {
  const [, navigate] = useLocation();
  const [round, setRound] = useState(0);
  const { value: network, loading } = useCall('download.checkNetwork', round === 0 ? {} : { refresh: true }, round);
  if (!network || network.reachable) return null;
  return (
    <Notice
      tone="info"
      role="status"
      title={w.offlineTitle}
      actions={
        <>
          <Button onPress={() => navigate('/images?import')}>{w.offlineImport}</Button>
          <Button onPress={() => navigate('/new/image')}>{w.offlineStarter}</Button>
          <Button kind="quiet" busy={loading} onPress={() => setRound(round + 1)}>
            {words.common.retry}
          </Button>
        </>
      }
    >
      <p>{w.offlineText}</p>
      <p className="muted small selectable">
        {network.text} {network.proxy !== null && w.offlineProxy(network.proxy)}
      </p>
    </Notice>
  );
}
