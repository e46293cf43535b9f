/** Calls about the life of guests. */
import { z } from 'zod';
import { setupForm, setupOffer } from '../answers.ts';
import { createChoices, createSource, fieldNote } from '../guest-creation.ts';
import { guestName, guestSpec } from '../guest-spec.ts';
import { guest } from '../guest-state.ts';
import { guestId } from '../ids.ts';
import { mediumReport } from '../image.ts';
import { job } from '../job.ts';
import { type CallTable, done, oneGuest } from './definition.ts';

export const guestCalls = {
  'guest.plan': {
    summary: 'Say what guest.create would make, with a note for every field that does not fit.',
    input: z.strictObject({ source: createSource, choices: createChoices }),
    output: z.object({
      spec: guestSpec.nullable(),
      medium: mediumReport.nullable(),
      diskGiB: z.number().nullable(),
      /** Whether the disk will build upon the image instead of being a copy; null where that cannot be. */
      sharesImage: z.boolean().nullable(),
      /** How the system can be set up by itself; null when it cannot. */
      setup: setupOffer.nullable(),
      notes: z.array(fieldNote),
    }),
    effect: 'read',
  },
  'guest.create': {
    summary: 'Create a guest from an ISO, a disk or an image.',
    input: z.strictObject({ source: createSource, choices: createChoices, setup: setupForm.optional() }),
    output: z.object({ guest, job }),
    effect: 'write',
  },
  'guest.list': {
    summary: 'List the guests.',
    input: z.strictObject({ trash: z.boolean().optional() }),
    output: z.array(guest),
    effect: 'read',
  },
  'guest.show': { summary: 'Show one guest.', input: oneGuest, output: guest, effect: 'read' },
  'guest.start': { summary: 'Start a guest, or resume it from disk.', input: oneGuest, output: guest, effect: 'write' },
  'guest.pause': { summary: 'Freeze a guest in memory.', input: oneGuest, output: guest, effect: 'write' },
  'guest.resume': { summary: 'Let a paused guest go on.', input: oneGuest, output: guest, effect: 'write' },
  'guest.shutdown': {
    summary: 'Ask a guest to shut down.',
    input: z.strictObject({ guest: guestId, timeoutSeconds: z.number().int().min(1).max(3600).optional() }),
    output: guest,
    effect: 'write',
  },
  'guest.forceOff': { summary: 'Cut the power of a guest.', input: oneGuest, output: guest, effect: 'write' },
  'guest.reset': { summary: 'Press the reset button of a guest.', input: oneGuest, output: guest, effect: 'write' },
  'guest.suspend': {
    summary: 'Save a guest with its memory to disk and free what it uses.',
    input: oneGuest,
    output: job,
    effect: 'write',
  },
  'guest.delete': { summary: 'Move a guest with its disks to the trash.', input: oneGuest, output: done, effect: 'write' },
  'guest.restore': { summary: 'Bring a guest back from the trash.', input: oneGuest, output: guest, effect: 'write' },
  'guest.purge': { summary: 'Delete a guest in the trash for good, with its disks.', input: oneGuest, output: job, effect: 'write' },
  'guest.rename': {
    summary: 'Rename a guest.',
    input: z.strictObject({ guest: guestId, name: guestName }),
    output: guest,
    effect: 'write',
  },
  'guest.annotate': {
    summary:
      'Change what a guest says of itself, and what it shares with this computer: notes, tags, favourite, autostart, clipboard, files, keyboard.',
    input: z.strictObject({
      guest: guestId,
      notes: guestSpec.shape.notes.optional(),
      tags: guestSpec.shape.tags.optional(),
      favourite: z.boolean().optional(),
      autostart: z.boolean().optional(),
      clipboard: guestSpec.shape.clipboard.optional(),
      files: guestSpec.shape.files.optional(),
      keyboard: guestSpec.shape.keyboard.optional(),
    }),
    output: guest,
    effect: 'write',
  },
} as const satisfies CallTable;
