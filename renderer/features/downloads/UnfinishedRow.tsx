import { Link2 } from 'lucide-react';
import type { UnfinishedDownload } from '../../../contract/download.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { useJob } from '../../state/store.ts';
import { Unfinished } from './Unfinished.tsx';
import { useDownload } from './use-download.ts';

/** A download from an address that somebody gave. */
export function UnfinishedRow({ kept, onChanged }: { kept: UnfinishedDownload; onChanged: () => void }) {
  const job = useJob(kept.job);
  const { error, busy, dismiss, goOn, discard } = useDownload(onChanged);
  return (
    <li className="download-line">
      <span className="download-glyph" aria-hidden="true">
        <Link2 size={20} />
      </span>
      <div className="grow stack">
        <div>
          <div className="download-name ellipsis" title={kept.title}>
            <bdi>{kept.title}</bdi>
          </div>
          <div className="small muted ellipsis selectable" title={kept.url}>
            <bdi>{kept.url}</bdi>
          </div>
        </div>
        {job ? (
          <JobProgress job={job} />
        ) : (
          <Unfinished kept={kept} name={kept.title} busy={busy} onGoOn={() => void goOn(kept)} onDiscard={() => void discard(kept)} />
        )}
        {error && <ErrorPanel error={error} onDismiss={dismiss} />}
      </div>
    </li>
  );
}
