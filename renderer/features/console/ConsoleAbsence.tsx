import { LoaderCircle, OctagonAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { ConsoleSession } from '../../console/session.ts';
import { verbIcons, verbReason } from '../../parts/guest-menu.tsx';
import { verbWord } from '../../parts/guest-words.ts';
import { copyText } from '../../state/bridge.ts';
import { doVerb, useBusyGuests } from '../../state/guest-verbs.ts';
import { Button } from '../../ui/Button.tsx';
import { CodeBlock, Disclosure } from '../../ui/feedback.tsx';
import { consoleWords } from '../../words/console.ts';
import { words } from '../../words/en.ts';
import type { Absence } from './absence.ts';

type Props = { guest: Guest; absence: Absence; session: ConsoleSession | null; onTakeOver: () => void };

/** Over the last picture: why it does not move, and the button that changes it. */
export function ConsoleAbsence({ guest, absence, session, onTakeOver }: Props) {
  const busy = useBusyGuests((state) => state[guest.id] !== undefined);
  const { verb } = absence;
  return (
    <div className="console-absence">
      <div className="console-absence-card" role={absence.tone === 'problem' ? 'alert' : 'status'}>
        {absence.tone === 'waiting' && <LoaderCircle className="console-spin" size={20} aria-hidden="true" />}
        {absence.tone === 'problem' && <OctagonAlert className="console-problem" size={20} aria-hidden="true" />}
        <h2>
          <bdi>{absence.title}</bdi>
        </h2>
        {absence.text && <p className="selectable">{absence.text}</p>}
        {absence.action === 'connect' && session && <RetryTime session={session} />}
        <div className="row row-wrap console-absence-actions">
          {verb && (
            <Button
              kind="primary"
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
        {absence.detail && (
          <Disclosure title={words.common.details}>
            <CodeBlock
              text={absence.detail}
              label={words.common.details}
              copyLabel={words.common.copy}
              copiedLabel={words.common.copied}
              onCopy={copyText}
            />
          </Disclosure>
        )}
      </div>
    </div>
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
