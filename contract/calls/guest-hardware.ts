/** Calls about the hardware of guests that are there. */
import { z } from 'zod';
import { fieldNote } from '../guest-creation.ts';
import { hardwareChange, pastEdit, plannedChange, removedDisk } from '../guest-hardware.ts';
import { deviceId, guestSpec, share, shareProtocol } from '../guest-spec.ts';
import { guest } from '../guest-state.ts';
import { guestId } from '../ids.ts';
import { job } from '../job.ts';
import { type CallTable, done, oneGuest } from './definition.ts';

/**
 * `folder` is where it is mounted by default, or the address at which spice-webdavd serves it; `command` mounts it, null for a system that is
 * not Linux and for what is not mounted.
 */
const shareMount = share.extend({ protocol: shareProtocol, folder: z.string(), command: z.string().nullable() });

const qmpInput = z.strictObject({
  guest: guestId,
  command: z.string().regex(/^[a-z][a-z0-9_-]{0,60}$/),
  arguments: z.record(z.string(), z.unknown()).optional(),
});

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
  'guest.shares': {
    summary: 'Say how each shared folder of a guest is served, and how a Linux guest mounts it.',
    input: oneGuest,
    output: z.array(shareMount),
    effect: 'read',
  },
  'guest.mountShare': {
    summary: 'Mount a shared folder in a Linux guest through its agent.',
    input: z.strictObject({ guest: guestId, share: deviceId }),
    output: z.object({ folder: z.string() }),
    effect: 'write',
  },
  'guest.libvirtXml': {
    summary: 'Show a guest as the XML of a libvirt domain.',
    input: oneGuest,
    output: z.object({ xml: z.string() }),
    effect: 'read',
  },
  'guest.qmpQuery': {
    summary: 'Ask the QEMU of a guest something that changes nothing: a query-… command or qom-list, qom-get.',
    input: qmpInput,
    output: z.object({ answer: z.unknown() }),
    effect: 'read',
  },
  'guest.qmpCommand': {
    summary: 'Give the QEMU of a guest any command of QMP. Unsafe: Guesthouse does not know what it changes.',
    input: qmpInput,
    output: z.object({ answer: z.unknown() }),
    effect: 'write',
  },
  'guest.removedDisks': {
    summary: 'List the disks that were taken out of a guest and whose files are kept.',
    input: oneGuest,
    output: z.array(removedDisk),
    effect: 'read',
  },
  'guest.attachRemovedDisk': {
    summary: 'Put a disk that was taken out into its guest again, as any other change of the hardware.',
    input: z.strictObject({ guest: guestId, file: z.string().max(80) }),
    output: edited,
    effect: 'write',
  },
  'guest.deleteRemovedDisk': {
    summary: 'Delete a disk that was taken out of a guest for good; what was changed then cannot be undone any more.',
    input: z.strictObject({ guest: guestId, file: z.string().max(80) }),
    output: done,
    effect: 'write',
  },
  'guest.edits': {
    summary: 'List the changes of the hardware of a guest that can be taken back, newest first.',
    input: oneGuest,
    output: z.array(pastEdit),
    effect: 'read',
  },
} as const satisfies CallTable;
