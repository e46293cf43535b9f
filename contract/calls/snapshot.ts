/** Calls about the snapshots of guests. */
import { z } from 'zod';
import { guestSnapshot, snapshotName, snapshotNote, snapshotSchedule, snapshotTree } from '../guest-snapshot.ts';
import { deviceId } from '../guest-spec.ts';
import { guest } from '../guest-state.ts';
import { guestId, snapshotId } from '../ids.ts';
import { job } from '../job.ts';
import { type CallTable, done, oneGuest } from './definition.ts';

const oneSnapshot = z.strictObject({ snapshot: snapshotId });

export const snapshotCalls = {
  'snapshot.list': {
    summary: 'List the snapshots of a guest and say which the present builds upon.',
    input: oneGuest,
    output: snapshotTree,
    effect: 'read',
  },
  'snapshot.show': { summary: 'Show one snapshot.', input: oneSnapshot, output: guestSnapshot, effect: 'read' },
  'snapshot.create': {
    summary: 'Keep what a guest is now, with its memory when it runs and that is asked for.',
    input: z.strictObject({
      guest: guestId,
      name: snapshotName.optional(),
      note: snapshotNote.optional(),
      memory: z.boolean().optional(),
    }),
    output: z.object({ snapshot: guestSnapshot, job }),
    effect: 'write',
  },
  'snapshot.revert': {
    summary: 'Take a guest back to a snapshot; what it is now is lost, or kept as a branch.',
    input: z.strictObject({
      snapshot: snapshotId,
      /** Makes a snapshot of the present first. */
      keepPresent: z.boolean().optional(),
      /** Forces the guest off first when it runs. */
      forceOff: z.boolean().optional(),
    }),
    output: job,
    effect: 'write',
  },
  'snapshot.export': {
    summary: 'Make an image of a disk of a snapshot, whole and on its own.',
    input: z.strictObject({
      snapshot: snapshotId,
      /** The first disk when it is not said. */
      disk: deviceId.optional(),
      name: z.string().trim().min(1).max(200).optional(),
    }),
    output: job,
    effect: 'write',
  },
  'snapshot.open': {
    summary: 'Start a disposable guest from a snapshot; it goes when it ends, and the snapshot stays as it is.',
    input: z.strictObject({
      snapshot: snapshotId,
      /** Go on from the snapshot's memory instead of booting, with network cards that lead nowhere: the addresses in memory are the original's. */
      memory: z.boolean().optional(),
    }),
    output: z.object({ guest, job }),
    effect: 'write',
  },
  'snapshot.delete': { summary: 'Delete a snapshot; what others need of it stays.', input: oneSnapshot, output: done, effect: 'write' },
  'snapshot.restore': {
    summary: 'Bring back a snapshot that was deleted within the last minutes.',
    input: oneSnapshot,
    output: guestSnapshot,
    effect: 'write',
  },
  'snapshot.edit': {
    summary: 'Change the name or the note of a snapshot.',
    input: z.strictObject({ snapshot: snapshotId, name: snapshotName.optional(), note: snapshotNote.optional() }),
    output: guestSnapshot,
    effect: 'write',
  },
  'snapshot.setSchedule': {
    summary: 'Say how often snapshots of a guest are made by themselves, and how many are kept.',
    input: z.strictObject({ guest: guestId, schedule: snapshotSchedule.partial().strict() }),
    output: snapshotSchedule,
    effect: 'write',
  },
  'snapshot.thumbnail': {
    summary: 'Give the picture of the screen that a snapshot kept, as PNG in base64.',
    input: oneSnapshot,
    output: z.object({ pngBase64: z.string().nullable() }),
    effect: 'read',
  },
} as const satisfies CallTable;
