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
  'clone',
  'cloneNow',
  'makeTemplate',
  'makeGuest',
  'rebuild',
  'flatten',
  'move',
  'edit',
  'console',
  'screenshot',
  'type',
  'exec',
] as const;
export type GuestVerb = (typeof guestVerbs)[number];

/** What of a state decides about verbs. */
export type StateForVerbs = Pick<GuestState, 'status' | 'pause' | 'busy'>;

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
const template = denied('The guest is a template. Make a new guest from it.');

const suspendedNeedsEnd = denied('The guest is suspended to disk. Start it and shut it down first.');
/** What reads or replaces whole disks. */
const needsRest: Record<GuestStatus, Verdict> = {
  creating,
  off: allowed,
  starting: running('starting'),
  running: running('running'),
  paused: running('paused'),
  stopping,
  suspending,
  suspended: suspendedNeedsEnd,
  crashed: allowed,
  template: allowed,
};
const notATemplate: Record<GuestStatus, Verdict> = {
  creating,
  off: ignored,
  starting: ignored,
  running: ignored,
  paused: ignored,
  stopping: ignored,
  suspending: ignored,
  suspended: ignored,
  crashed: ignored,
  template: allowed,
};

/** What cannot be while something else works on the disks. */
const needsDisks: ReadonlySet<GuestVerb> = new Set([
  'start',
  'delete',
  'clone',
  'cloneNow',
  'makeTemplate',
  'makeGuest',
  'rebuild',
  'flatten',
  'move',
  'edit',
]);

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
    template,
  },
  pause: {
    creating,
    off,
    starting,
    running: allowed,
    paused: ignored,
    stopping: allowed,
    suspending,
    suspended: suspendedToDisk,
    crashed,
    template,
  },
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
    template,
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
    template: ignored,
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
    template: ignored,
  },
  reset: {
    creating,
    off,
    starting,
    running: allowed,
    paused: allowed,
    stopping: allowed,
    suspending,
    suspended: suspendedToDisk,
    crashed,
    template,
  },
  suspend: {
    creating,
    off,
    starting,
    running: allowed,
    paused: allowed,
    stopping,
    suspending: ignored,
    suspended: ignored,
    crashed,
    template,
  },
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
    template,
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
    template,
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
    template: allowed,
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
    template: allowed,
  },
  clone: needsRest,
  /** By a snapshot of the present where whole disks cannot be read. */
  cloneNow: { ...needsRest, starting, running: allowed, paused: allowed, suspended: allowed },
  makeTemplate: { ...needsRest, template: ignored },
  makeGuest: notATemplate,
  rebuild: needsRest,
  /** Copying into its disks what they build upon can be done by the QEMU that has them open. */
  flatten: { ...needsRest, starting, running: allowed, paused: allowed },
  // What is kept of its memory moves along.
  move: { ...needsRest, suspended: allowed },
  edit: {
    creating,
    off: allowed,
    starting,
    running: allowed,
    paused: allowed,
    stopping,
    suspending,
    suspended: denied('The guest is suspended to disk, and goes on only with the hardware that it has. Start it first.'),
    crashed: allowed,
    template: allowed,
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
    template,
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
    template,
  },
  type: { creating, off, starting, running: allowed, paused, stopping: allowed, suspending, suspended: suspendedToDisk, crashed, template },
  exec: { creating, off, starting, running: allowed, paused, stopping: allowed, suspending, suspended: suspendedToDisk, crashed, template },
};

/** Of a guest that was moved to another QEMU: the one that stands here must not run beside it, and knows nothing of it any more. */
const possibleWhenMoved: ReadonlySet<GuestVerb> = new Set(['forceOff', 'rename', 'console']);

/**
 * Whether `verb` is possible now. A guest that stands still because of a fault that resuming cannot mend (a panic, an
 * internal error of the accelerator) can be reset or forced off, not resumed.
 */
export function guestCan(state: StateForVerbs, verb: GuestVerb): Verdict {
  if (state.busy !== undefined && needsDisks.has(verb)) return denied(state.busy);
  if (
    verb === 'resume' &&
    state.status === 'paused' &&
    (state.pause?.kind === 'internal-error' || state.pause?.kind === 'guest-panicked')
  ) {
    return denied(`${state.pause.text} Reset the guest or force it off.`);
  }
  if (state.status === 'paused' && state.pause?.kind === 'moved' && !possibleWhenMoved.has(verb)) return denied(state.pause.text);
  return table[verb][state.status];
}

/** The reason why `verb` is not possible now, or null when it is (or would change nothing). */
export function guestCannot(state: StateForVerbs, verb: GuestVerb): string | null {
  const verdict = guestCan(state, verb);
  return verdict.kind === 'denied' ? verdict.reason : null;
}
