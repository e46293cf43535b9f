import { ChevronDown, ChevronUp, OctagonAlert, RotateCcw, X } from 'lucide-react';
import { useState } from 'react';
import type { FileProblem } from '../../console/files.ts';
import type { OutgoingFile } from '../../console/outgoing-files.ts';
import type { SessionView } from '../../console/session.ts';
import { FileTransfer } from '../../parts/FileTransfer.tsx';
import { Button, IconButton } from '../../ui/Button.tsx';
import { ProgressBar } from '../../ui/feedback.tsx';
import { filesWords as w } from '../../words/files.ts';
import { formatBytes, plainName } from '../../words/format.ts';
import type { UsedFiles } from './use-files.ts';

type Props = { name: string; files: UsedFiles; session: SessionView | null };

/** In the corner of the picture: the files that did not get to the guest, with what to do, and those that are on their way. */
export function FileTransfers({ name, files, session }: Props) {
  const { view, outgoing } = files;
  const [open, setOpen] = useState(false);
  if (view.pendingCount === 0 && view.failedCount === 0) return null;
  const possible = session?.capabilities?.files.possible ?? false;
  const reason = commonReason(view.failed);
  const note = session?.phase !== 'connected' ? w.waitsForConsole : possible ? null : w.waitsForAgent;
  return (
    <section className="console-files" aria-label={w.title(name)}>
      {view.failedCount > 0 && (
        <div role="alert">
          <div className="row console-files-failed">
            <OctagonAlert size={16} aria-hidden="true" />
            <strong className="grow">{w.failed(view.failedCount)}</strong>
            <IconButton icon={X} label={w.dismiss} onPress={() => outgoing.dismiss()} />
          </div>
          {reason !== null && <div className="small selectable">{reason}</div>}
          <ul className="console-files-list">
            {view.failed.map((file) => (
              <Failed key={file.id} file={file} reason={reason === null ? reasonOf(file) : null} onRetry={() => outgoing.retry(file.id)} />
            ))}
            {view.failedCount > view.failed.length && <li className="muted small">{w.more(view.failedCount - view.failed.length)}</li>}
          </ul>
          {view.failedCount > 1 && (
            <Button icon={RotateCcw} onPress={() => outgoing.retry()}>
              {w.retryAll}
            </Button>
          )}
        </div>
      )}
      {view.pendingCount > 0 && (
        <>
          <FileTransfer title={w.title(name)} view={view} note={note} onCancel={() => outgoing.cancelAll()} />
          <Button kind="quiet" icon={open ? ChevronUp : ChevronDown} aria-expanded={open} onPress={() => setOpen(!open)}>
            {open ? w.hide : w.show}
          </Button>
          {open && (
            <ul className="console-files-list">
              {view.pending.map((file) => (
                <Pending key={file.id} file={file} onCancel={() => outgoing.cancel(file.id)} />
              ))}
              {view.pendingCount > view.pending.length && (
                <li className="muted small">{w.more(view.pendingCount - view.pending.length)}</li>
              )}
            </ul>
          )}
        </>
      )}
    </section>
  );
}

function Pending({ file, onCancel }: { file: OutgoingFile; onCancel: () => void }) {
  const line = file.state === 'sending' ? w.of(file.sentBytes, file.bytes) : `${w.waiting} · ${formatBytes(file.bytes)}`;
  return (
    <li>
      <div className="row">
        <Name file={file} line={line} />
        <IconButton icon={X} label={w.cancel(file.name)} onPress={onCancel} />
      </div>
      {file.state === 'sending' && file.bytes > 0 && <ProgressBar label={file.name} value={file.sentBytes / file.bytes} text={line} />}
    </li>
  );
}

function Failed({ file, reason, onRetry }: { file: OutgoingFile; reason: string | null; onRetry: () => void }) {
  return (
    <li className="row">
      <div className="grow">
        <div className="ellipsis" title={plainName(file.name)}>
          <bdi>{plainName(file.name)}</bdi>
        </div>
        {reason !== null && <div className="small selectable">{reason}</div>}
      </div>
      <IconButton icon={RotateCcw} label={w.retry(file.name)} onPress={onRetry} />
    </li>
  );
}

function Name({ file, line }: { file: OutgoingFile; line: string }) {
  return (
    <div className="grow">
      <div className="ellipsis" title={plainName(file.name)}>
        <bdi>{plainName(file.name)}</bdi>
      </div>
      <div className="small muted">{line}</div>
    </div>
  );
}

function reasonOf({ problem }: OutgoingFile): string | null {
  return problem && problemText(problem);
}

/** Of several files that all failed for the same one, which is then said once. */
function commonReason(failed: readonly OutgoingFile[]): string | null {
  const reasons = new Set(failed.map(reasonOf));
  const [first] = reasons;
  return failed.length > 1 && reasons.size === 1 ? (first ?? null) : null;
}

function problemText(problem: FileProblem): string {
  if (problem.kind === 'full') return w.problems.full(problem.freeBytes);
  if (problem.kind === 'unreadable') return w.problems.unreadable(problem.detail);
  return w.problems[problem.kind];
}
