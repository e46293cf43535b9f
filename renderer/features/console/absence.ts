/** Why there is no live picture of a guest, in words, and what can be done about it. */
import type { Guest } from '../../../contract/guest-state.ts';
import type { EngineConnection } from '../../../contract/shell.ts';
import type { SessionView } from '../../console/session.ts';
import type { PowerVerb } from '../../state/power-verbs.ts';
import { consoleWords } from '../../words/console.ts';

export type Absence = {
  title: string;
  text: string;
  /** What went wrong exactly, on demand. */
  detail: string;
  tone: 'plain' | 'waiting' | 'problem';
  /** The verb that brings the guest back. */
  verb: PowerVerb | null;
  action: 'connect' | 'showHere' | null;
  /** Since when that is so, where it is counted. */
  since: string | null;
};

export type AbsenceInput = {
  guest: Pick<Guest, 'spec' | 'state'>;
  connection: EngineConnection;
  phase: SessionView['phase'];
  end: SessionView['end'];
  /** The console is shown by another window of this app. */
  elsewhere: boolean;
};

/** Null when the picture is live and moving. */
export function absenceOf({ guest, connection, phase, end, elsewhere }: AbsenceInput): Absence | null {
  const { state, spec } = guest;
  const { states } = consoleWords;
  const say = (title: string, more: Partial<Absence> = {}): Absence => ({
    title,
    text: '',
    detail: '',
    tone: 'plain',
    verb: null,
    action: null,
    since: null,
    ...more,
  });
  const silentSince = connection.state === 'connected' ? (state.run?.silentSince ?? null) : null;
  if (phase === 'connected' && silentSince !== null && state.pause?.kind !== 'moved')
    return say(states.silent(spec.name), { text: states.silentText, tone: 'waiting', since: silentSince });
  // A console lives without the engine: as long as there is a picture, nothing is in its way.
  if (phase === 'connected' && state.pause?.kind === 'moved') return null;
  if (phase === 'connected')
    return state.status === 'paused'
      ? say(states.paused(spec.name), {
          text: state.pause && state.pause.kind !== 'user' ? state.pause.text : states.pausedText,
          tone: state.pause && state.pause.kind !== 'user' ? 'problem' : 'plain',
          verb: state.pause?.kind === 'internal-error' || state.pause?.kind === 'guest-panicked' ? 'reset' : 'resume',
        })
      : null;
  if (elsewhere) return say(states.elsewhere(spec.name), { text: states.elsewhereText, action: 'showHere' });
  if (connection.state !== 'connected')
    return say(states.engineLost, {
      text: connection.state === 'lost' || connection.state === 'failed' ? connection.text : states.engineLostText,
      tone: connection.state === 'starting' ? 'waiting' : 'problem',
    });
  switch (state.status) {
    case 'creating':
      return say(states.creating(spec.name), { tone: 'waiting' });
    case 'off':
      return say(states.off(spec.name), { verb: 'start' });
    case 'template':
      return say(states.template(spec.name), { text: states.templateText });
    case 'starting':
      return say(states.starting(spec.name), { tone: 'waiting' });
    case 'suspending':
      return say(states.suspending(spec.name), { tone: 'waiting' });
    case 'suspended':
      return say(states.suspended(spec.name), { text: states.suspendedText, verb: 'start' });
    case 'crashed':
      return say(states.crashed(spec.name), {
        text: state.crash?.text ?? '',
        detail: state.crash?.lastWords ?? '',
        tone: 'problem',
        verb: 'start',
      });
    case 'running':
    case 'paused':
    case 'stopping':
      break;
  }
  if (state.pause?.kind === 'moved')
    return say(states.moved(spec.name), {
      ...(end ? { text: states.movedText, detail: end.text, tone: 'problem', action: 'connect' } : { tone: 'waiting' }),
    });
  if (spec.display.device === 'none') return say(states.noDisplay(spec.name), { text: states.noDisplayText });
  if (end && end.cause !== 'asked') return say(end.text, { detail: end.detail, tone: 'problem', action: 'connect' });
  return say(states.connecting(spec.name), { tone: 'waiting' });
}

/** Whether there is anything to connect to. */
export function isReachable(guest: Pick<Guest, 'spec' | 'state'>): boolean {
  const { status } = guest.state;
  return guest.spec.display.device !== 'none' && (status === 'running' || status === 'paused' || status === 'stopping');
}
