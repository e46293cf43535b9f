import { Play, Trash2 } from 'lucide-react';
import type { UnfinishedDownload } from '../../../contract/download.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { Button } from '../../ui/Button.tsx';
import { ProgressBar } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';

const w = words.downloads;

type Props = { kept: UnfinishedDownload; name: string; busy: boolean; onGoOn: () => void; onDiscard: () => void };

/** What is kept of a download that stopped, why it stopped, and the two things one can do. */
export function Unfinished({ kept, name, busy, onGoOn, onDiscard }: Props) {
  const { bytesDone, bytesTotal, error } = kept;
  const line = w.kept(formatBytes(bytesDone), bytesTotal === null ? null : formatBytes(bytesTotal));
  const actions = (
    <>
      <Button icon={Play} busy={busy} onPress={onGoOn}>
        {w.goOn}
      </Button>
      <Button icon={Trash2} kind="quiet" busy={busy} onPress={onDiscard}>
        {w.discard}
      </Button>
    </>
  );
  return (
    <div className="stack">
      {bytesDone > 0 && (
        <div className="downloads-kept">
          <ProgressBar label={name} value={bytesTotal ? bytesDone / bytesTotal : null} text={line} />
          <span className="small muted">{line}</span>
        </div>
      )}
      {error ? <ErrorPanel error={error} actions={actions} /> : <div className="row row-wrap">{actions}</div>}
    </div>
  );
}
