import { LoaderCircle, OctagonAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { ConsoleSession } from '../../console/session.ts';
import { verbIcons, verbReason } from '../../parts/guest-menu.tsx';
import { verbWord } from '../../parts/guest-words.ts';
import { ProgramDetails } from '../../parts/ProgramText.tsx';
import { doVerb, useBusyGuests } from '../../state/guest-verbs.ts';
import { Button } from '../../ui/Button.tsx';
import { consoleWords } from '../../words/console.ts';
import { formatDuration } from '../../words/format.ts';
import type { Absence } from './absence.ts';

type Props = {
  guest: Guest;
  absence: Absence;
  session: ConsoleSession | null;
  /** Nothing else of the guest's page is to be seen: no header with its verb, no panels above. */
  alone: boolean;
  onTakeOver: () => void;
};

/** Over the last picture: why it does not move, and the button that changes it. */
export function ConsoleAbsence({ guest, absence, session, alone, onTakeOver }: Props) {
  const busy = useBusyGuests((state) => state[guest.id] !== undefined);
  // What went wrong with the guest itself stands above its tabs already, at length and with what can be done.
  const toldAbove = !alone && absence.tone === 'problem' && absence.verb !== null;
  const { text, detail, verb } = toldAbove ? { text: '', detail: '', verb: null } : absence;
  return (
    <div className="console-absence">
      <div className="console-absence-card" role={absence.tone === 'problem' ? 'alert' : 'status'}>
        {absence.tone === 'waiting' && <LoaderCircle className="console-spin" size={20} aria-hidden="true" />}
        {absence.tone === 'problem' && <OctagonAlert className="console-problem" size={20} aria-hidden="true" />}
        <h2>
          <bdi>{absence.title}</bdi>
        </h2>
        {text && <p className="selectable">{text}</p>}
        {absence.since !== null && <TimeSince since={absence.since} />}
        {absence.action === 'connect' && session && <RetryTime session={session} />}
        <div className="row row-wrap console-absence-actions">
          {verb && (
            <Button
              kind={alone ? 'primary' : 'secondary'}
              icon={verbIcons[verb]}
              reason={verbReason(guest, verb)}
              busy={busy}
              onPress={() => void doVerb(guest, verb)}
            >
              {verbWord(guest, verb)}
            </Button>
          )}
          {absence.action === 'connect' && (
            <Button kind="primary" onPress={() => session?.retryNow()}>
              {consoleWords.connectNow}
            </Button>
          )}
          {absence.action === 'showHere' && (
            <Button kind="primary" onPress={onTakeOver}>
              {consoleWords.showHere}
            </Button>
          )}
        </div>
        {detail && <ProgramDetails text={detail} />}
      </div>
    </div>
  );
}

/** Counts up; not read out every second. */
function TimeSince({ since }: { since: string }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <p className="muted small" aria-hidden="true">
      {consoleWords.states.silentFor(formatDuration((now - Date.parse(since)) / 1000))}
    </p>
  );
}

/** Counts down; not read out every second. */
function RetryTime({ session }: { session: ConsoleSession }) {
  const [inMs, setInMs] = useState(session.retryInMs);
  useEffect(() => {
    const timer = setInterval(() => setInMs(session.retryInMs), 500);
    return () => clearInterval(timer);
  }, [session]);
  return (
    <p className="muted small" aria-hidden="true">
      {inMs === null ? consoleWords.states.retrying : consoleWords.states.retry(String(Math.ceil(inMs / 1000)))}
    </p>
  );
}
