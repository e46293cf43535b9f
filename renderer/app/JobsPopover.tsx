import { ListChecks, LoaderCircle } from 'lucide-react';
import { Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components';
import { useLocation } from 'wouter';
import { jobEnded } from '../../contract/job.ts';
import { JobProgress } from '../parts/JobProgress.tsx';
import { OutgoingTransfer, useTransfers } from '../parts/OutgoingTransfers.tsx';
import { useJobs } from '../state/store.ts';
import { Button } from '../ui/Button.tsx';
import { words } from '../words/en.ts';
import { formatInteger } from '../words/format.ts';

/** How many jobs are under way; each with its progress and how to cancel it. */
export function JobsPopover() {
  const jobs = useJobs();
  const [, navigate] = useLocation();
  const active = jobs.filter((job) => !jobEnded.has(job.state));
  const transfers = useTransfers();
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
                <OutgoingTransfer key={guest} guest={guest} view={view} />
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
