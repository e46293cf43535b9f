/** Branded identifiers. A guest's id is short because it is part of socket paths (108 bytes at most on Linux). */
import { z } from 'zod';

const id = <Brand extends string>(prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}[0-9a-z]{9}$`))
    .brand<Brand>();

export const guestId = id<'GuestId'>('g');
export const imageId = id<'ImageId'>('i');
export const jobId = id<'JobId'>('j');
export const layerId = id<'LayerId'>('l');
export const snapshotId = id<'SnapshotId'>('s');
export type GuestId = z.infer<typeof guestId>;
export type ImageId = z.infer<typeof imageId>;
export type JobId = z.infer<typeof jobId>;
export type LayerId = z.infer<typeof layerId>;
export type SnapshotId = z.infer<typeof snapshotId>;

/** An instant as ISO 8601 in UTC with milliseconds. */
export const instant = z.iso.datetime();
