/** Snapshots of a guest: a tree of what it was, and the place in it upon which the present builds. */
import { z } from 'zod';
import { deviceId } from './guest-spec.ts';
import { guestId, instant, snapshotId } from './ids.ts';

export const snapshotNameMaxLength = 120;
export const snapshotName = z
  .string()
  .trim()
  .min(1)
  .max(snapshotNameMaxLength)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, 'A name cannot contain a line break or another control character.');
export const snapshotNote = z.string().max(20_000);

/** Who wanted it: a person; the schedule; a change of hardware; going back, which keeps the present as a branch; clones of a guest that runs. */
export const snapshotReason = z.enum(['user', 'schedule', 'hardware', 'revert', 'clone']);
export type SnapshotReason = z.infer<typeof snapshotReason>;

export const guestSnapshot = z.object({
  id: snapshotId,
  guestId,
  /** The snapshot that the guest built upon when this one was made; null at a root. */
  parentId: snapshotId.nullable(),
  name: z.string(),
  note: z.string(),
  createdAt: instant,
  reason: snapshotReason,
  /** `making`: not there yet, and gone again when it does not come to be. */
  state: z.enum(['making', 'ready']),
  /** With the memory of the running guest: going back to it goes on from that moment. */
  withMemory: z.boolean(),
  /** Why a disposable guest cannot go on from its memory beside the original; null when it can, or when there is none. */
  cannotGoOnAside: z.string().nullable(),
  /** What the guest was when it was made. `quiesced`: its file systems were at rest, through its agent. */
  guestWas: z.enum(['off', 'running', 'paused', 'suspended']),
  quiesced: z.boolean(),
  disks: z.array(z.object({ id: deviceId, sizeBytes: z.number() })),
  /** What it takes on the disk by itself: what changed since its parent, and the memory. */
  sizeBytes: z.number(),
  hasThumbnail: z.boolean(),
});
export type GuestSnapshot = z.infer<typeof guestSnapshot>;

/** How often snapshots are made by themselves and how many are kept: the newest of each of the last so many hours, days and weeks. */
export const snapshotSchedule = z.object({
  enabled: z.boolean(),
  keepHourly: z.number().int().min(0).max(48),
  keepDaily: z.number().int().min(0).max(31),
  keepWeekly: z.number().int().min(0).max(52),
  /** One before every change of the guest's hardware; the newest five are kept. */
  beforeHardwareChange: z.boolean(),
});
export type SnapshotSchedule = z.infer<typeof snapshotSchedule>;

export const defaultSnapshotSchedule: SnapshotSchedule = {
  enabled: false,
  keepHourly: 0,
  keepDaily: 7,
  keepWeekly: 4,
  beforeHardwareChange: true,
};

/** All snapshots of one guest, the oldest first. */
export const snapshotTree = z.object({
  snapshots: z.array(guestSnapshot),
  /** Upon which the present builds; null when it builds upon none. */
  currentId: snapshotId.nullable(),
  /** Why this guest can have no snapshots, and what to do; null when it can. */
  cannot: z.object({ message: z.string(), hint: z.string().nullable() }).nullable(),
  /** Why its memory cannot be part of one now; null when it can. */
  cannotMemory: z.string().nullable(),
  schedule: snapshotSchedule,
});
export type SnapshotTree = z.infer<typeof snapshotTree>;
