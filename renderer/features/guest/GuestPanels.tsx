import { useLocation } from 'wouter';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { verbIcons } from '../../parts/guest-menu.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { ProgramDetails } from '../../parts/ProgramText.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import { call, shell } from '../../state/bridge.ts';
import { dismissTrouble, doVerb, useTroubles } from '../../state/guest-verbs.ts';
import { showFile } from '../../state/show-file.ts';
import { useGuestJobs } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { Button } from '../../ui/Button.tsx';
import { Notice } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';
import { formatBytes } from '../../words/format.ts';
import { howItEnded } from './crash-end.ts';

/** Everything about a guest that wants attention now, above its tabs. The verb that goes on from there is the header's. */
export function GuestPanels({ guest }: { guest: Guest }) {
  const trouble = useTroubles((state) => state[guest.id]);
  const jobs = useGuestJobs(guest.id);
  const { state } = guest;
  const panels = [
    trouble && (
      <ErrorPanel
        key="trouble"
        error={trouble.error}
        title={words.verbs.trouble[trouble.verb]}
        onDismiss={() => dismissTrouble(guest.id)}
      />
    ),
    state.status === 'crashed' && state.crash && <CrashPanel key="crash" guest={guest} crash={state.crash} />,
    state.status === 'paused' && state.pause && state.pause.kind !== 'user' && <PausePanel key="pause" guest={guest} pause={state.pause} />,
    state.status === 'stopping' && state.shutdown && <ShutdownPanel key="shutdown" guest={guest} shutdown={state.shutdown} />,
    ...jobs.map((job) => (
      <div key={job.id} className="guest-job">
        <JobProgress job={job} />
      </div>
    )),
    state.problems.length > 0 && (
      <Notice key="problems" tone="warning" title={words.guest.problemsTitle}>
        <ul className="selectable">
          {state.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      </Notice>
    ),
  ].filter(Boolean);
  return panels.length === 0 ? null : <div className="guest-panels">{panels}</div>;
}

function ForceOffButton({ guest }: { guest: Guest }) {
  return (
    <Button icon={verbIcons.forceOff} reason={guestCannot(guest.state, 'forceOff')} onPress={() => void doVerb(guest, 'forceOff')}>
      {words.verbs.labels.forceOff}
    </Button>
  );
}

function CrashPanel({ guest, crash }: { guest: Guest; crash: NonNullable<Guest['state']['crash']> }) {
  const [, navigate] = useLocation();
  const end = howItEnded(crash);
  return (
    <Notice
      tone="problem"
      title={<bdi>{words.guest.crashedTitle(guest.spec.name)}</bdi>}
      actions={
        <>
          {(crash.kind === 'internal-error' || crash.kind === 'start-failed') && (
            <Button onPress={() => navigate('/health')}>{words.guest.openHealth}</Button>
          )}
          <Button onPress={() => void shell('shell.openLogs', {})}>{words.engine.openLogs}</Button>
        </>
      }
    >
      <p className="selectable">{crash.text}</p>
      <p className="muted selectable">
        {end !== null && `${end} · `}
        <TimeText at={crash.at} />
      </p>
      <p className="muted">{words.guest.crashAdvice[crash.kind]}</p>
      {crash.lastWords.trim() === '' ? (
        <p className="muted">{words.guest.noLastWords}</p>
      ) : (
        <ProgramDetails text={crash.lastWords} label={words.guest.lastWords} open={crash.lastWords.length < 400} />
      )}
    </Notice>
  );
}

function PausePanel({ guest, pause }: { guest: Guest; pause: NonNullable<Guest['state']['pause']> }) {
  const full = pause.kind === 'disk-full';
  const broken = pause.kind === 'guest-panicked' || pause.kind === 'internal-error';
  return (
    <Notice
      tone={broken ? 'problem' : 'warning'}
      role="status"
      title={<bdi>{pause.kind === 'moved' ? words.guest.movedTitle(guest.spec.name) : words.guest.pausedTitle(guest.spec.name)}</bdi>}
      actions={
        <>
          <ForceOffButton guest={guest} />
          {pause.file !== undefined && (
            <Button onPress={() => pause.file !== undefined && void showFile(pause.file)}>{words.common.showFile}</Button>
          )}
        </>
      }
    >
      <p className="selectable">{pause.text}</p>
      {pause.file !== undefined && <p className="muted mono selectable">{pause.file}</p>}
      {full && <FreeSpace />}
      {full && <p className="muted">{words.guest.pauseFullAdvice}</p>}
      {pause.kind === 'io-error' && <p className="muted">{words.guest.pauseIoAdvice}</p>}
    </Notice>
  );
}

/** How much room there is now: read when the panel shows. */
function FreeSpace() {
  const { value: host } = useCall('host.report', {});
  return host ? <p className="muted">{words.guest.pauseFree(formatBytes(host.storeFreeBytes), host.storePath)}</p> : null;
}

function ShutdownPanel({ guest, shutdown }: { guest: Guest; shutdown: NonNullable<Guest['state']['shutdown']> }) {
  if (!shutdown.unanswered)
    return (
      <p className="muted guest-waiting" role="status">
        {words.status.stopping} · <TimeText at={shutdown.askedAt} />
      </p>
    );
  return (
    <Notice
      tone="warning"
      role="alert"
      title={<bdi>{words.guest.unansweredTitle(guest.spec.name)}</bdi>}
      actions={
        <>
          <Button kind="primary" onPress={() => void call('guest.shutdown', { guest: guest.id })}>
            {words.guest.keepWaiting}
          </Button>
          <ForceOffButton guest={guest} />
        </>
      }
    >
      <p className="muted">{shutdown.by === 'acpi' ? words.guest.unansweredAcpi : words.guest.unansweredAgent}</p>
    </Notice>
  );
}
