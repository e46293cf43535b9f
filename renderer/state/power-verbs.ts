import type { GuestVerb } from '../../contract/guest-can.ts';

/** The verbs that change whether a guest runs, in the order in which they are listed. */
export const powerVerbs = ['start', 'resume', 'pause', 'shutdown', 'suspend', 'reset', 'forceOff'] as const satisfies readonly GuestVerb[];
export type PowerVerb = (typeof powerVerbs)[number];
