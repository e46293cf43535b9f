import { useEffect, useRef } from 'react';
import type { GuestId } from '../../../contract/ids.ts';
import type { Job } from '../../../contract/job.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { useGuest, useJob } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';

const w = words.create;

type Props = { guest: GuestId; name: string; job: Job; onDone: () => void; onBack: () => void };

/** The guest being made: how far it is, how to stop it, and what went wrong. */
export function Creating({ guest: id, name, job: begun, onDone, onBack }: Props) {
  const job = useJob(begun.id) ?? begun;
  const guest = useGuest(id);
  const done = job.state === 'succeeded' || (guest !== undefined && guest.state.status !== 'creating');
  const leave = useRef(onDone);
  leave.current = onDone;
  useEffect(() => {
    if (done) leave.current();
  }, [done]);
  return (
    <div className="create-scroll">
      <div className="create-fields" role="status">
        <JobProgress job={job} title={w.creating(name)} />
        {job.state === 'cancelled' && (
          <Notice tone="info" title={w.cancelled(name)} actions={<Button onPress={onBack}>{words.common.edit}</Button>} />
        )}
        {job.state === 'failed' && job.error && (
          <ErrorPanel error={job.error} actions={<Button onPress={onBack}>{words.common.edit}</Button>} />
        )}
      </div>
    </div>
  );
}
