import { ChevronDown, History, ListChecks, ScrollText } from 'lucide-react';
import { useCallback, useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import type { GuesthouseError } from '../../../contract/errors.ts';
import type { AuditEntry } from '../../../contract/events.ts';
import { type Job, jobEnded } from '../../../contract/job.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { EventList } from '../../parts/EventList.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { OutgoingTransfer, useTransfers } from '../../parts/OutgoingTransfers.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { call } from '../../state/bridge.ts';
import { useJobs } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { useEvents } from '../../state/use-events.ts';
import { Button } from '../../ui/Button.tsx';
import { Disclosure, EmptyState, Skeleton } from '../../ui/feedback.tsx';
import { StateBadge, type StateShape } from '../../ui/StateBadge.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatDuration } from '../../words/format.ts';
import './activity.css';

const tabs = ['jobs', 'events', 'audit'] as const;
type ActivityTab = (typeof tabs)[number];

/** What is and was done: jobs, what happened, and who asked for it. */
export function ActivityPage({ tab }: { tab: string | undefined }) {
  const [, navigate] = useLocation();
  const chosen = tabs.find((each) => each === tab) ?? 'jobs';
  return (
    <div className="activity">
      <header className="page-header activity-header">
        <h1>{words.activity.title}</h1>
      </header>
      <Tabs<ActivityTab>
        label={words.activity.tabs.label}
        tabs={tabs.map((id) => ({ id, label: words.activity.tabs[id] }))}
        value={chosen}
        onChange={(next) => navigate(`/activity/${next}`)}
        fill
      >
        <div className="page">{{ jobs: <Jobs />, events: <Events />, audit: <Audit /> }[chosen]}</div>
      </Tabs>
    </div>
  );
}

function Jobs() {
  const live = useJobs();
  const transfers = useTransfers();
  // The feed carries the last hour; older ones are asked for once, and again when a job ends.
  const ended = live.filter((job) => jobEnded.has(job.state)).length;
  const { value: all, error } = useCall('job.list', {}, ended);
  const known = new Set(live.map((job) => job.id));
  const jobs = [...live, ...(all ?? []).filter((job) => !known.has(job.id))].sort((one, other) =>
    other.createdAt.localeCompare(one.createdAt),
  );
  if (error) return <ErrorPanel error={error} />;
  if (jobs.length === 0 && transfers.length === 0)
    return all ? (
      <EmptyState icon={ListChecks} title={words.activity.noJobs}>
        {words.activity.noJobsText}
      </EmptyState>
    ) : (
      <Skeleton height={120} />
    );
  return (
    <ul className="job-list">
      {transfers.map(([guest, view]) => (
        <li key={guest} className="job-line">
          <OutgoingTransfer guest={guest} view={view} />
        </li>
      ))}
      {jobs.map((job) => (
        <li key={job.id} className="job-line">
          <JobLine job={job} />
        </li>
      ))}
    </ul>
  );
}

function JobLine({ job }: { job: Job }) {
  const seconds = job.startedAt && job.endedAt ? (Date.parse(job.endedAt) - Date.parse(job.startedAt)) / 1000 : null;
  return (
    <>
      <div className="job-line-head">
        <StateBadge shape={jobShape(job)} label={words.jobs.states[job.state]} soft />
        <span className="small muted">
          {words.activity.startedBy(job.startedBy)} · <TimeText at={job.createdAt} />
          {seconds !== null && seconds >= 1 && ` · ${words.activity.took(formatDuration(seconds))}`}
        </span>
      </div>
      {jobEnded.has(job.state) ? <bdi>{job.title}</bdi> : <JobProgress job={job} />}
      {job.error && <ErrorPanel error={job.error} />}
      {job.steps.length > 0 && (
        <Disclosure title={words.activity.steps}>
          <ol className="job-steps">
            {job.steps.map((step) => (
              <li key={step.name} className="row">
                <span className="grow">{step.name}</span>
                {step.bytesDone !== null && step.bytesTotal !== null && (
                  <span className="muted small">{words.jobs.of(formatBytes(step.bytesDone), formatBytes(step.bytesTotal))}</span>
                )}
                <span className="muted small">{words.activity.stepStates[step.state]}</span>
              </li>
            ))}
          </ol>
        </Disclosure>
      )}
    </>
  );
}

function jobShape(job: Job): StateShape {
  if (job.state === 'failed') return 'crashed';
  if (job.state === 'succeeded') return 'running';
  return jobEnded.has(job.state) ? 'off' : 'moving';
}

function Events() {
  const { events, error, loading, more } = useEvents();
  return (
    <>
      {error && <ErrorPanel error={error} />}
      {!events && loading && <Skeleton height={240} />}
      {events?.length === 0 && <EmptyState icon={History} title={words.activity.noEvents} />}
      {events && events.length > 0 && <EventList events={events} linked />}
      {more && <MoreButton onPress={more} />}
    </>
  );
}

const auditPage = 100;

function Audit() {
  const [entries, setEntries] = useState<AuditEntry[] | null>(null);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [complete, setComplete] = useState(false);
  const load = useCallback(async (beforeId?: number) => {
    const answer = await call('audit.list', { limit: auditPage, ...(beforeId === undefined ? {} : { beforeId }) });
    if (!answer.ok) return setError(answer.error);
    setComplete(answer.value.length < auditPage);
    setEntries((before) => (beforeId === undefined ? answer.value : [...(before ?? []), ...answer.value]));
  }, []);
  useEffect(() => void load(), [load]);
  if (error) return <ErrorPanel error={error} />;
  if (!entries) return <Skeleton height={240} />;
  if (entries.length === 0) return <EmptyState icon={ScrollText} title={words.activity.noAudit} />;
  return (
    <>
      <div className="audit-scroll">
        <table className="audit selectable">
          <thead>
            <tr>
              {[words.activity.when, words.activity.who, words.activity.call, words.activity.target, words.activity.outcome].map(
                (title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id}>
                <td className="audit-when">
                  <TimeText at={entry.at} />
                </td>
                <td>{entry.who}</td>
                <td className="mono">{entry.call}</td>
                <td className="audit-target">
                  <bdi>{entry.target}</bdi>
                </td>
                <td className={entry.outcome === 'done' ? '' : 'audit-bad'}>
                  {words.activity.outcomes[entry.outcome]}
                  {entry.errorCode && <span className="mono"> {entry.errorCode}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!complete && <MoreButton onPress={() => void load(entries.at(-1)?.id)} />}
    </>
  );
}

function MoreButton({ onPress }: { onPress: () => void }) {
  return (
    <div>
      <Button icon={ChevronDown} onPress={onPress}>
        {words.common.loadMore}
      </Button>
    </div>
  );
}
