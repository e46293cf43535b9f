/** What uses how much of which disk, what nobody refers to, and what can be given back. Sizes in bytes. */
import { z } from 'zod';
import { diskFormat } from './guest-spec.ts';
import { guestId, imageId, instant } from './ids.ts';

/** `apparent` is what a file says it holds, `real` what it takes up on the disk: less where it has holes. */
export const spaceUse = z.object({ apparentBytes: z.number(), realBytes: z.number() });
export type SpaceUse = z.infer<typeof spaceUse>;

/** What a file is for. Every file of the data folder belongs to one of these. */
export const storagePurpose = z.enum(['images', 'guests', 'layers', 'trash', 'downloads', 'backups', 'database', 'cache', 'logs', 'other']);
export type StoragePurpose = z.infer<typeof storagePurpose>;

export const storedDisk = z.object({
  id: z.string(),
  path: z.string(),
  format: diskFormat,
  /** Used in place: it lies where the user has it, and is left alone. */
  inPlace: z.boolean(),
  virtualBytes: z.number(),
  use: spaceUse,
  /** How many layers and images it builds upon; null when that cannot be read. */
  builtUpon: z.number().nullable(),
  /** What the layers take up that it builds upon, also when others do as well. */
  sharedRealBytes: z.number(),
});
export type StoredDisk = z.infer<typeof storedDisk>;

export const storedGuest = z.object({
  id: guestId,
  name: z.string(),
  trashed: z.boolean(),
  /** All that lies in its folder. */
  use: spaceUse,
  disks: z.array(storedDisk),
  /** Disks that were taken out of it and whose files are kept. */
  removedDisks: z.array(z.object({ path: z.string(), use: spaceUse })),
  /** Id of the location where its folder lies; null for the data folder. */
  location: z.string().nullable(),
  /** Why it cannot be moved now; null when it can. */
  moveReason: z.string().nullable(),
  /** Why it cannot give back room now; null when it can. */
  reclaimReason: z.string().nullable(),
});
export type StoredGuest = z.infer<typeof storedGuest>;

export const storedImage = z.object({
  id: imageId,
  name: z.string(),
  path: z.string(),
  use: spaceUse,
  /** Guests whose CD drive holds it, or whose disks build upon it. */
  dependants: z.array(z.string()),
  /** Id of the location where its file lies; null for the data folder. */
  location: z.string().nullable(),
});
export type StoredImageUse = z.infer<typeof storedImage>;

/** A folder that the user named for images and guests, beside the data folder. */
export const storagePlace = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  /** False while its disk is not mounted. */
  reachable: z.boolean(),
  freeBytes: z.number(),
  totalBytes: z.number(),
});
export type StoragePlace = z.infer<typeof storagePlace>;

export const storageLocation = storagePlace.extend({
  /** Names of the images that lie there. */
  images: z.array(z.string()),
  /** Names of the guests that lie there, those in the trash as well. */
  guests: z.array(z.string()),
  /** Names of guests that lie elsewhere and build upon layers there. */
  neededBy: z.array(z.string()),
  /** What all of these take up there. */
  use: spaceUse,
});
export type StorageLocation = z.infer<typeof storageLocation>;

/** A file or folder that nobody refers to. */
export const orphan = z.object({
  /** Below the data folder; a whole path in another location. */
  path: z.string(),
  what: z.string(),
  use: spaceUse,
  modifiedAt: instant,
});
export type Orphan = z.infer<typeof orphan>;

/** Files with the same content. */
export const duplicate = z.object({ sha256: z.string(), bytes: z.number(), paths: z.array(z.string()).min(2) });

export const storageReport = z.object({
  at: instant,
  home: z.string(),
  freeBytes: z.number(),
  totalBytes: z.number(),
  keepFreeBytes: z.number(),
  purposes: z.array(z.object({ purpose: storagePurpose, use: spaceUse, files: z.number() })),
  locations: z.array(storageLocation),
  images: z.array(storedImage),
  guests: z.array(storedGuest),
  orphans: z.array(orphan),
  /** As the last search found them; null when none was made since the engine started. */
  duplicates: z.object({ at: instant, found: z.array(duplicate) }).nullable(),
});
export type StorageReport = z.infer<typeof storageReport>;

/** Where guests and images can lie, without measuring what lies there. */
export const storagePlaces = z.object({
  home: storagePlace.pick({ path: true, freeBytes: true, totalBytes: true }),
  locations: z.array(storagePlace),
  /** Ids of the locations of guests that do not lie in the data folder, by the ids of those. */
  guests: z.record(z.string(), z.string()),
});
export type StoragePlaces = z.infer<typeof storagePlaces>;
