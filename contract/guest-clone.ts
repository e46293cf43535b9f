/** What a person decides about copies of a guest. */
import { z } from 'zod';
import { guestName, guestNameMaxLength } from './guest-spec.ts';
import { guestId, imageId } from './ids.ts';

export const cloneCountMax = 200;

export const cloneRequest = z.strictObject({
  guest: guestId,
  /** The name, or a pattern: "web-{n}" counts from 1 and passes over names that are taken; "{nn}" and "{nnn}" count with zeros in front. */
  name: z.string().min(1).max(guestNameMaxLength),
  count: z.number().int().min(1).max(cloneCountMax).optional(),
  /** Build upon the guest's frozen disks (at once, small) or copy all of their data. Absent: share, where that is possible. */
  share: z.boolean().optional(),
  /** Give the system in the clone a host name of its own, after the clone's name, a machine id and SSH host keys. Absent: where the agent can. */
  newIdentity: z.boolean().optional(),
  /**
   * Copy the TPM as well. By default a clone gets a new one: keys that a TPM holds stand for one computer, and two that share them are
   * one to whoever trusts them. A disk that is sealed to its TPM (BitLocker) only opens by itself with a copy.
   */
  keepTpm: z.boolean().optional(),
  /** Keep what a guest that runs or is suspended was when it was cloned, as a snapshot of it. */
  keepSnapshot: z.boolean().optional(),
  /** Id or name of the storage location in which they are to lie, null for the data folder; absent: as the settings say. */
  location: z.string().max(60).nullable().optional(),
  /** Make templates instead of guests. */
  asTemplate: z.boolean().optional(),
});
export type CloneRequest = z.infer<typeof cloneRequest>;

/**
 * Of what the disks of the copies are: of a guest that is off; of one that runs and whose agent brings the file systems to rest; of one that runs
 * or is paused, as after a power cut; of a suspended one, which knew nothing of it, as after a power cut in that moment.
 */
export const cloneMoment = z.enum(['off', 'quiesced', 'power-cut', 'suspended']);
export type CloneMoment = z.infer<typeof cloneMoment>;

/** What the copies would be. */
export const clonePlan = z.object({
  names: z.array(guestName),
  share: z.boolean(),
  /** Why the clones cannot share the guest's disks; null when they can. */
  shareProblem: z.string().nullable(),
  /** Why its disks cannot be copied whole now; null when they can. */
  copyProblem: z.string().nullable(),
  moment: cloneMoment,
  /** Room that the copies take at once. */
  neededBytes: z.number(),
  newIdentity: z.boolean(),
  /** Why the system inside cannot be given an identity of its own; null when it can. */
  identityProblem: z.string().nullable(),
  hasTpm: z.boolean(),
  /** Things worth knowing before. */
  notes: z.array(z.string()),
});
export type ClonePlan = z.infer<typeof clonePlan>;

const imageWithVersion = z.object({
  imageId,
  imageName: z.string(),
  series: z.object({ name: z.string(), version: z.number().int() }).nullable(),
});

/** A guest that could build upon another image than now, or why it cannot. */
export const rebaseMove = z.object({
  guest: guestId,
  name: z.string(),
  /** `present` is false when that image is no longer in the library. */
  from: imageWithVersion.extend({ present: z.boolean() }),
  to: imageWithVersion,
  /** Why it cannot be moved now, and what to do; null when it can. */
  problem: z.object({ message: z.string(), hint: z.string().nullable() }).nullable(),
});
export type RebaseMove = z.infer<typeof rebaseMove>;
