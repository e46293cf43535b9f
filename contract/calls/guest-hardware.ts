/** Calls about the hardware of guests that are there. */
import { z } from 'zod';
import { fieldNote } from '../guest-creation.ts';
import { hardwareChange, pastEdit, plannedChange } from '../guest-hardware.ts';
import { guestSpec } from '../guest-spec.ts';
import { guest } from '../guest-state.ts';
import { guestId } from '../ids.ts';
import { job } from '../job.ts';
import { type CallTable, oneGuest } from './definition.ts';

/** `job` is null when everything was done at once. */
const edited = z.object({ guest, changes: z.array(plannedChange), job: job.nullable() });

export const guestHardwareCalls = {
  'guest.planEdit': {
    summary: 'Say what guest.edit would change and when each change takes effect, with a note for every field that does not fit.',
    input: z.strictObject({ guest: guestId, change: hardwareChange }),
    output: z.object({ spec: guestSpec, changes: z.array(plannedChange), notes: z.array(fieldNote) }),
    effect: 'read',
  },
  'guest.edit': {
    summary: 'Change the hardware of a guest; while it runs what can be changed at once is, and the rest waits for the next start.',
    input: z.strictObject({ guest: guestId, change: hardwareChange }),
    output: edited,
    effect: 'write',
  },
  'guest.undoEdit': {
    summary: 'Take the last change of the hardware of a guest back.',
    input: oneGuest,
    output: edited,
    effect: 'write',
  },
  'guest.edits': {
    summary: 'List the changes of the hardware of a guest that can be taken back, newest first.',
    input: oneGuest,
    output: z.array(pastEdit),
    effect: 'read',
  },
} as const satisfies CallTable;
