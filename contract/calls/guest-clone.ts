/** Calls about clones, templates and disposable guests. */
import { z } from 'zod';
import { clonePlan, cloneRequest, rebaseMove } from '../guest-clone.ts';
import { lineageNode } from '../guest-lineage.ts';
import { guestName } from '../guest-spec.ts';
import { guest } from '../guest-state.ts';
import { guestId, imageId } from '../ids.ts';
import { job } from '../job.ts';
import { type CallTable, nothing, oneGuest } from './definition.ts';

export const guestCloneCalls = {
  'guest.planClone': { summary: 'Say what guest.clone would make.', input: cloneRequest, output: clonePlan, effect: 'read' },
  'guest.clone': {
    summary: 'Make clones of a guest or a template, each with an identity of its own.',
    input: cloneRequest,
    output: z.object({ guests: z.array(guest), job }),
    effect: 'write',
  },
  'guest.disposable': {
    summary: 'Start a disposable guest from a guest, a template or a disk image; it goes when it ends.',
    input: z.strictObject({ guest: guestId.optional(), image: imageId.optional() }),
    output: z.object({ guest, job }),
    effect: 'write',
  },
  'guest.keep': { summary: 'Keep a disposable guest.', input: oneGuest, output: guest, effect: 'write' },
  'guest.makeTemplate': {
    summary: 'Make a template of a guest: it is not started any more, and guests are made from it.',
    input: oneGuest,
    output: guest,
    effect: 'write',
  },
  'guest.makeGuest': { summary: 'Make a guest of a template that no clone builds upon.', input: oneGuest, output: guest, effect: 'write' },
  'guest.flatten': {
    summary: 'Make a guest independent, running or not: copy into its disks what they build upon.',
    input: z.strictObject({
      guest: guestId,
      /** The most to copy while the guest runs, so that it keeps some of the disk for itself. */
      mibPerSecond: z.number().int().min(1).max(100_000).optional(),
    }),
    output: job,
    effect: 'write',
  },
  'guest.rebase': {
    summary: 'Have a guest without data of its own build upon another image, such as a newer version.',
    input: z.strictObject({ guest: guestId, image: imageId }),
    output: job,
    effect: 'write',
  },
  'guest.planRebase': {
    summary: 'List the guests that could build upon a newer version of their image, or upon this one, each with why it cannot.',
    input: z.strictObject({
      /** Only these; without them all that were made from another version. */
      guests: z.array(guestId).max(20_000).optional(),
      /** The version to move to; without it the newest of each guest’s series. */
      image: imageId.optional(),
    }),
    output: z.array(rebaseMove),
    effect: 'read',
  },
  'image.makeTemplate': {
    summary: 'Make a template of a disk image, with the hardware that its system wants; its disk builds upon the image.',
    input: z.strictObject({ image: imageId, name: guestName.optional() }),
    output: z.object({ guest, job }),
    effect: 'write',
  },
  'image.verify': {
    summary: 'Read an image again and hold it against its checksum; without one, all that disks build upon.',
    input: z.strictObject({ image: imageId.optional() }),
    output: job,
    effect: 'write',
  },
  'lineage.show': {
    summary: 'Say which disks build upon which images and frozen disks.',
    input: nothing,
    output: z.array(lineageNode),
    effect: 'read',
  },
} as const satisfies CallTable;
