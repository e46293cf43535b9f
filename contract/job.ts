/** Work that takes long enough to be watched, cancelled and survived. */
import { z } from 'zod';
import { guesthouseError } from './errors.ts';
import { guestId, imageId, instant, jobId } from './ids.ts';

/**
 * ```
 *   queued ─► running ─► succeeded | failed
 *      │        └─► cancelling ─► cancelled
 *      └─► cancelled
 *   running when the engine died ─► interrupted, then resumed (running) or undone (failed)
 * ```
 */
export const jobState = z.enum(['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled', 'interrupted']);
export type JobState = z.infer<typeof jobState>;
export const jobEnded: ReadonlySet<JobState> = new Set(['succeeded', 'failed', 'cancelled']);

export const jobKind = z.enum([
  'image.import',
  'image.download',
  'guest.reclaim',
  'image.reclaim',
  'image.move',
  'guest.move',
  'storage.findDuplicates',
  'image.readAgain',
  'image.lookInside',
  'image.compare',
  'image.capture',
  'guest.create',
  'guest.clone',
  'guest.copy',
  'guest.disposable',
  'guest.flatten',
  'guest.rebase',
  'image.verify',
  'guest.edit',
  'guest.suspend',
  'guest.resumeFromDisk',
  'guest.delete',
  'snapshot.create',
  'snapshot.revert',
  'snapshot.tidy',
  'snapshot.export',
  'trash.purge',
  'machine.import',
  'image.importDisks',
  'guest.export',
]);
export type JobKind = z.infer<typeof jobKind>;

export const jobStep = z.object({
  name: z.string(),
  /** Share of the whole job, as a relative number. */
  weight: z.number().positive(),
  state: z.enum(['waiting', 'running', 'done', 'failed', 'undone']),
  bytesDone: z.number().nullable(),
  bytesTotal: z.number().nullable(),
});
export type JobStep = z.infer<typeof jobStep>;

export const job = z.object({
  id: jobId,
  kind: jobKind,
  /** "Create Debian 12 desktop". */
  title: z.string(),
  target: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('guest'), id: guestId.nullable(), name: z.string() }),
    z.object({ kind: z.literal('image'), id: imageId.nullable(), name: z.string() }),
    /** The data folder as a whole. */
    z.object({ kind: z.literal('store'), id: z.null(), name: z.string() }),
  ]),
  state: jobState,
  steps: z.array(jobStep),
  /** 0 to 1 over all steps by weight. */
  progress: z.number().min(0).max(1),
  bytesDone: z.number().nullable(),
  bytesTotal: z.number().nullable(),
  bytesPerSecond: z.number().nullable(),
  secondsLeft: z.number().nullable(),
  cancellable: z.boolean(),
  error: guesthouseError.nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  startedBy: z.string(),
});
export type Job = z.infer<typeof job>;
