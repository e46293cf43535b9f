import { X } from 'lucide-react';
import { type Job, jobEnded } from '../../contract/job.ts';
import { call } from '../state/bridge.ts';
import { showErrorToast } from '../state/toasts.ts';
import { IconButton } from '../ui/Button.tsx';
import { ProgressBar } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';
import { formatBytes, formatDuration, formatPercent, formatRate } from '../words/format.ts';
import './JobProgress.css';

/** "Copying the disk · 1.2 GiB of 4 GiB · 180 MiB/s · 15 s left". */
export function jobLine(job: Job): string {
  const step = job.steps.find((each) => each.state === 'running');
  const parts = [jobEnded.has(job.state) || !step ? words.jobs.states[job.state] : step.name];
  if (!jobEnded.has(job.state)) {
    if (job.bytesDone !== null && job.bytesTotal !== null)
      parts.push(words.jobs.of(formatBytes(job.bytesDone), formatBytes(job.bytesTotal)));
    else if (job.progress > 0) parts.push(formatPercent(job.progress));
    if (job.bytesPerSecond !== null) parts.push(formatRate(job.bytesPerSecond));
    if (job.secondsLeft !== null) parts.push(words.jobs.left(formatDuration(job.secondsLeft)));
  }
  return parts.join(' · ');
}

export async function cancelJob(job: Job): Promise<void> {
  const answer = await call('job.cancel', { job: job.id });
  if (!answer.ok) showErrorToast(answer.error);
}

/** One job: what it is, how far it is, and how to stop it. */
export function JobProgress({ job, title = job.title }: { job: Job; title?: string }) {
  const ended = jobEnded.has(job.state);
  return (
    <div className="job">
      <div className="row">
        <div className="grow">
          <div className="ellipsis" title={title}>
            <bdi>{title}</bdi>
          </div>
          <div className={`small ellipsis ${job.error ? 'job-failed' : 'muted'}`}>{job.error?.message ?? jobLine(job)}</div>
        </div>
        {!ended && (
          <IconButton
            icon={X}
            label={words.jobs.cancel}
            reason={job.state === 'cancelling' ? words.jobs.states.cancelling : job.cancellable ? null : words.jobs.notCancellable}
            onPress={() => void cancelJob(job)}
          />
        )}
      </div>
      {!ended && <ProgressBar label={title} value={job.state === 'queued' ? null : job.progress} text={jobLine(job)} />}
    </div>
  );
}
