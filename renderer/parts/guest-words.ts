/** How a guest's state is said and drawn, the same everywhere. */
import { guestCan } from '../../contract/guest-can.ts';
import type { Guest, GuestState, GuestStatus } from '../../contract/guest-state.ts';
import type { PowerVerb } from '../state/power-verbs.ts';
import type { StateShape } from '../ui/StateBadge.tsx';
import { words } from '../words/en.ts';

const shapes: Record<GuestStatus, StateShape> = {
  creating: 'moving',
  off: 'off',
  starting: 'moving',
  running: 'running',
  paused: 'paused',
  stopping: 'moving',
  suspending: 'moving',
  suspended: 'asleep',
  crashed: 'crashed',
  template: 'template',
};

/** A guest that stands still because something broke is drawn as that, not as a pause. */
export function stateShape(state: GuestState): StateShape {
  const broken = state.pause?.kind === 'guest-panicked' || state.pause?.kind === 'internal-error';
  return state.status === 'paused' && broken ? 'crashed' : shapes[state.status];
}

export function stateWord(state: GuestState): string {
  if (state.status === 'paused' && state.pause) return words.pauseKinds[state.pause.kind];
  return words.status[state.status];
}

export function verbWord(guest: Guest, verb: PowerVerb): string {
  return verb === 'start' && guest.state.status === 'suspended' ? words.verbs.startSuspended : words.verbs.labels[verb];
}

/** The verb that a person most likely wants now. */
export function primaryVerb(guest: Guest): PowerVerb {
  const { state } = guest;
  switch (state.status) {
    case 'creating':
    case 'off':
    case 'suspended':
    case 'crashed':
    case 'template':
      return 'start';
    case 'starting':
    case 'running':
      return 'shutdown';
    case 'paused':
      if (state.pause?.kind === 'moved') return 'forceOff';
      return guestCan(state, 'resume').kind === 'denied' ? 'reset' : 'resume';
    case 'stopping':
    case 'suspending':
      return 'forceOff';
  }
}

/** Whether QEMU runs for this guest now. */
export function isLive(state: GuestState): boolean {
  return state.run !== undefined;
}
