/** The event feed: what a client is told without asking, and what happened in words. */
import { z } from 'zod';
import { guest, sample } from './guest-state.ts';
import { guestId, imageId, instant, jobId } from './ids.ts';
import { image } from './image.ts';
import { job } from './job.ts';
import { settings } from './settings.ts';

/** Something that happened, for people. Stored, bounded, newest last by `id`. */
export const feedEvent = z.object({
  id: z.number().int(),
  at: instant,
  severity: z.enum(['info', 'warning', 'problem']),
  /** "guest.started", "guest.crashed", "image.imported", "engine.adopted". */
  kind: z.string(),
  text: z.string(),
  guestId: guestId.nullable(),
  imageId: imageId.nullable(),
  jobId: jobId.nullable(),
});
export type FeedEvent = z.infer<typeof feedEvent>;

/** Who asked for what and what came of it. */
export const auditEntry = z.object({
  id: z.number().int(),
  at: instant,
  /** "root via app". */
  who: z.string(),
  call: z.string(),
  /** Name of the guest, image or job that the call was about, or empty. */
  target: z.string(),
  outcome: z.enum(['done', 'denied', 'failed']),
  errorCode: z.string().nullable(),
});
export type AuditEntry = z.infer<typeof auditEntry>;

export const engineInfo = z.object({
  version: z.string(),
  pid: z.number().int(),
  startedAt: instant,
  home: z.string(),
  /** Changes whenever an engine starts; a client that sees another one reads everything anew. */
  instanceId: z.string(),
});
export type EngineInfo = z.infer<typeof engineInfo>;

export const snapshot = z.object({
  engine: engineInfo,
  guests: z.array(guest),
  images: z.array(image),
  /** Those that have not ended, and those that ended in the last hour. */
  jobs: z.array(job),
  settings,
});
export type Snapshot = z.infer<typeof snapshot>;

/**
 * What the WebSocket `/v1/events` sends. The first message is `snapshot`; `seq` rises by one with every later message
 * of this connection. A client that sees a gap, or another `engine.instanceId`, connects anew.
 */
export const serverMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), seq: z.number().int(), snapshot }),
  z.object({ type: z.literal('guest'), seq: z.number().int(), id: guestId, guest: guest.nullable() }),
  z.object({ type: z.literal('image'), seq: z.number().int(), id: imageId, image: image.nullable() }),
  /** Several images that changed at once. */
  z.object({ type: z.literal('images'), seq: z.number().int(), images: z.array(image) }),
  z.object({ type: z.literal('job'), seq: z.number().int(), id: jobId, job: job.nullable() }),
  z.object({ type: z.literal('settings'), seq: z.number().int(), settings }),
  z.object({ type: z.literal('event'), seq: z.number().int(), event: feedEvent }),
  /** Newest sample of each watched guest, once a second. */
  z.object({ type: z.literal('samples'), seq: z.number().int(), samples: z.array(z.object({ guestId, sample })) }),
]);
export type ServerMessage = z.infer<typeof serverMessage>;

/** What a client sends: which guests it is looking at. Replaces what it said before. */
export const clientMessage = z.object({ type: z.literal('watch'), guestIds: z.array(guestId).max(2000) });
export type ClientMessage = z.infer<typeof clientMessage>;
