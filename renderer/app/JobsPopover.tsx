import { ListChecks, LoaderCircle } from 'lucide-react';
import { Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components';
import { useLocation } from 'wouter';
import type { GuestId } from '../../contract/ids.ts';
import { jobEnded } from '../../contract/job.ts';
import type { OutgoingView } from '../console/outgoing-files.ts';
import { FileTransfer } from '../parts/FileTransfer.tsx';
import { JobProgress } from '../parts/JobProgress.tsx';
import { outgoingFor, useOutgoing } from '../state/outgoing.ts';
import { useEngineStore, useJobs } from '../state/store.ts';
import { Button } from '../ui/Button.tsx';
import { words } from '../words/en.ts';
import { filesWords } from '../words/files.ts';
import { formatInteger } from '../words/format.ts';

/** How many jobs are under way; each with its progress and how to cancel it. */
export function JobsPopover() {
  const jobs = useJobs();
  const [, navigate] = useLocation();
  const active = jobs.filter((job) => !jobEnded.has(job.state));
  const transfers = Object.entries(useOutgoing((state) => state.pending)) as [GuestId, OutgoingView][];
  const guests = useEngineStore((state) => state.guests);
  const count = active.length + transfers.length;
  const ended = jobs.filter((job) => jobEnded.has(job.state)).slice(0, 5);
  return (
    <DialogTrigger>
      <Button
        kind="quiet"
        icon={count > 0 ? LoaderCircle : ListChecks}
        className={count > 0 ? 'top-chip top-chip-busy' : 'top-chip'}
        tooltip={count > 0 ? words.top.jobsRunning(count) : words.top.jobsNone}
      >
        <span className="top-chip-text">{words.top.jobs}</span>
        {count > 0 && <span> {formatInteger(count)}</span>}
      </Button>
      <Popover className="popover top-popover" placement="bottom end" offset={4}>
        <Dialog className="top-panel">
          {({ close }) => (
            <>
              <Heading slot="title" level={2}>
                {words.top.jobs}
              </Heading>
              {count === 0 && <p className="muted">{words.top.jobsNone}</p>}
              {transfers.map(([guest, view]) => (
                <FileTransfer
                  key={guest}
                  title={filesWords.title(guests[guest]?.spec.name ?? '')}
                  view={view}
                  onCancel={() => outgoingFor(guest).cancelAll()}
                />
              ))}
              {active.map((job) => (
                <JobProgress key={job.id} job={job} />
              ))}
              {ended.length > 0 && <h3 className="muted small">{words.top.jobsRecent}</h3>}
              {ended.map((job) => (
                <JobProgress key={job.id} job={job} />
              ))}
              <div>
                <Button
                  onPress={() => {
                    close();
                    navigate('/activity');
                  }}
                >
                  {words.top.allJobs}
                </Button>
              </div>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
