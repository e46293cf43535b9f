import { X } from 'lucide-react';
import type { OutgoingView } from '../console/outgoing-files.ts';
import { IconButton } from '../ui/Button.tsx';
import { ProgressBar } from '../ui/feedback.tsx';
import { filesWords as w } from '../words/files.ts';

/** "Sending 2 of 12 files · 1.2 GiB of 4 GiB · 180 MiB/s · 15 s left". */
export function transferLine({ sentCount, totalCount, failedCount, sentBytes, totalBytes, bytesPerSecond }: OutgoingView): string {
  const total = totalCount - failedCount;
  const parts = [total === 1 ? w.sendingOne : w.sending(Math.min(sentCount + 1, total), total), w.of(sentBytes, totalBytes)];
  if (bytesPerSecond !== null) {
    if (bytesPerSecond < 1) parts.push(w.waitsForGuest);
    else parts.push(w.rate(bytesPerSecond), w.left((totalBytes - sentBytes) / bytesPerSecond));
  }
  return parts.join(' · ');
}

/** All files that are on their way to one guest: how far they are, and how to stop them. */
export function FileTransfer({
  title,
  view,
  onCancel,
  note,
}: {
  title: string;
  view: OutgoingView;
  onCancel: () => void;
  note?: string | null;
}) {
  const line = note ?? transferLine(view);
  return (
    <div className="job">
      <div className="row">
        <div className="grow">
          <div className="ellipsis" title={title}>
            <bdi>{title}</bdi>
          </div>
          <div className="small muted">{line}</div>
        </div>
        <IconButton icon={X} label={w.cancelAll} onPress={onCancel} />
      </div>
      <ProgressBar label={title} value={view.totalBytes > 0 ? view.sentBytes / view.totalBytes : null} text={line} />
    </div>
  );
}
