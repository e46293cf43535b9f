/** What a guest was made from, and who builds upon what. */
import { z } from 'zod';
import { guestId, imageId, instant, layerId } from './ids.ts';

/** From what a guest was made. Names are as they were then; what its disks build upon now is said by `lineage.show`. */
export const guestOrigin = z.object({
  kind: z.enum(['image', 'guest']),
  id: z.string(),
  name: z.string(),
  at: instant,
});
export type GuestOrigin = z.infer<typeof guestOrigin>;

/** The new identity of a clone as far as it lies inside the guest: host name, machine id, SSH host keys. */
export const innerIdentity = z.object({
  hostname: z.string().nullable(),
  /** `waiting`: for the guest agent to answer for the first time. */
  state: z.enum(['waiting', 'done', 'failed']),
  /** What is awaited, or what came of it, in a sentence. */
  text: z.string(),
});
export type InnerIdentity = z.infer<typeof innerIdentity>;

/** A file of the store that others build upon, or a disk of a guest. */
export const lineageNode = z.object({
  /** The file's name below the data folder: "layers/l….qcow2". */
  file: z.string(),
  kind: z.enum(['image', 'layer', 'disk']),
  imageId: imageId.nullable(),
  layerId: layerId.nullable(),
  /** The guest whose disk it is. */
  guestId: guestId.nullable(),
  /** What people call it: the image's or the guest's name; empty for a layer. */
  name: z.string(),
  /** Room that the file takes. */
  sizeBytes: z.number(),
  trashed: z.boolean(),
  /** `file` of what it builds upon; null at the ground. */
  base: z.string().nullable(),
});
export type LineageNode = z.infer<typeof lineageNode>;
