/**
 * What can be asked of a guest in which state: one pure table. The engine enforces it and the window shows the same
 * reason on the disabled button.
 *
 * INVARIANT: no other place decides whether a verb is possible (`contract/guest-can.test.ts` covers every cell).
 */
import type { GuestState, GuestStatus } from './guest-state.ts';

export const guestVerbs = [
  'start',
  'pause',
  'resume',
  'shutdown',
  'forceOff',
  'reset',
  'suspend',
  'snapshot',
  'revert',
  'delete',
  'rename',
  'console',
  'screenshot',
  'type',
  'exec',
] as const;
export type GuestVerb = (typeof guestVerbs)[number];

/** `ignored`: already so, the call succeeds and changes nothing. */
export type Verdict = { kind: 'allowed' } | { kind: 'ignored' } | { kind: 'denied'; reason: string };

const allowed: Verdict = { kind: 'allowed' };
const ignored: Verdict = { kind: 'ignored' };
const denied = (reason: string): Verdict => ({ kind: 'denied', reason });

const off = denied('The guest is off.');
const suspendedToDisk = denied('The guest is suspended to disk. Start it first.');
const starting = denied('The guest is still starting.');
const stopping = denied('The guest is shutting down.');
const suspending = denied('The guest is being suspended to disk.');
const crashed = denied('The guest has crashed. Start it first.');
const paused = denied('The guest is paused. Resume it first.');
const running = (what: string) => denied(`The guest is ${what}. Shut it down first.`);

const creating = denied('The guest is still being created.');

const table: Record<GuestVerb, Record<GuestStatus, Verdict>> = {
  start: {
    creating,
    off: allowed,
    starting: ignored,
    running: ignored,
    paused: denied('The guest is paused. Resume it instead.'),
    stopping,
    suspending,
    suspended: allowed,
    crashed: allowed,
  },
  pause: { creating, off, starting, running: allowed, paused: ignored, stopping: allowed, suspending, suspended: suspendedToDisk, crashed },
  resume: {
    creating,
    off,
    starting,
    running: ignored,
    paused: allowed,
    stopping,
    suspending,
    suspended: denied('The guest is suspended to disk. Start it instead.'),
    crashed,
  },
  shutdown: {
    creating,
    off: ignored,
    starting: allowed,
    running: allowed,
    paused,
    stopping: ignored,
    suspending,
    suspended: suspendedToDisk,
    crashed: ignored,
  },
  forceOff: {
    creating,
    off: ignored,
    starting: allowed,
    running: allowed,
    paused: allowed,
    stopping: allowed,
    suspending: allowed,
    suspended: allowed,
    crashed: ignored,
  },
  reset: { creating, off, starting, running: allowed, paused: allowed, stopping: allowed, suspending, suspended: suspendedToDisk, crashed },
  suspend: { creating, off, starting, running: allowed, paused: allowed, stopping, suspending: ignored, suspended: ignored, crashed },
  snapshot: {
    creating,
    off: allowed,
    starting,
    running: allowed,
    paused: allowed,
    stopping,
    suspending,
    suspended: allowed,
    crashed: allowed,
  },
  revert: {
    creating,
    off: allowed,
    starting: running('starting'),
    running: running('running'),
    paused: running('paused'),
    stopping,
    suspending,
    suspended: allowed,
    crashed: allowed,
  },
  delete: {
    creating,
    off: allowed,
    starting: running('starting'),
    running: running('running'),
    paused: running('paused'),
    stopping,
    suspending,
    suspended: allowed,
    crashed: allowed,
  },
  rename: {
    creating,
    off: allowed,
    starting: allowed,
    running: allowed,
    paused: allowed,
    stopping: allowed,
    suspending: allowed,
    suspended: allowed,
    crashed: allowed,
  },
  console: {
    creating,
    off,
    starting,
    running: allowed,
    paused: allowed,
    stopping: allowed,
    suspending,
    suspended: suspendedToDisk,
    crashed,
  },
  screenshot: {
    creating,
    off,
    starting,
    running: allowed,
    paused: allowed,
    stopping: allowed,
    suspending,
    suspended: suspendedToDisk,
    crashed,
  },
  type: { creating, off, starting, running: allowed, paused, stopping: allowed, suspending, suspended: suspendedToDisk, crashed },
  exec: { creating, off, starting, running: allowed, paused, stopping: allowed, suspending, suspended: suspendedToDisk, crashed },
};

/**
 * Whether `verb` is possible now. A guest that stands still because of a fault that resuming cannot mend (a panic, an
 * internal error of the accelerator) can be reset or forced off, not resumed.
 */
export function guestCan(state: Pick<GuestState, 'status' | 'pause'>, verb: GuestVerb): Verdict {
  if (
    verb === 'resume' &&
    state.status === 'paused' &&
    (state.pause?.kind === 'internal-error' || state.pause?.kind === 'guest-panicked')
  ) {
    return denied(`${state.pause.text} Reset the guest or force it off.`);
  }
  return table[verb][state.status];
}

/** The reason why `verb` is not possible now, or null when it is (or would change nothing). */
export function guestCannot(state: Pick<GuestState, 'status' | 'pause'>, verb: GuestVerb): string | null {
  const verdict = guestCan(state, verb);
  return verdict.kind === 'denied' ? verdict.reason : null;
}
