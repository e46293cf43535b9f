/** What is asked of the catalogue of images, and what it answers: searches, facets, versions, differences. */
import { z } from 'zod';
import { guestId, imageId, instant } from './ids.ts';
import { image, imageName, installedPackage, systemFacts } from './image.ts';
import { queryMaxLength } from './image-query.ts';

const query = z.string().max(queryMaxLength);

export const imageSort = z.enum(['name', 'os', 'patched', 'size', 'added', 'lifecycle', 'eol', 'version']);
export type ImageSort = z.infer<typeof imageSort>;

const facetValue = z.object({ value: z.string(), count: z.number().int() });
/** How many of the images found have which value, the commonest first. A value can be asked for as it stands; `none` is what has no value. */
export const facets = z.object({
  os: z.array(facetValue),
  lifecycle: z.array(facetValue),
  arch: z.array(facetValue),
  kind: z.array(facetValue),
  tag: z.array(facetValue),
  series: z.array(facetValue),
});
export type Facets = z.infer<typeof facets>;

export const imageSearch = z.strictObject({
  query,
  sort: imageSort.optional(),
  descending: z.boolean().optional(),
  offset: z.number().int().min(0).optional(),
  /** How many images are answered in full; ids always all. */
  limit: z.number().int().min(0).max(1000).optional(),
});

export const imagesFound = z.object({
  total: z.number().int(),
  /** Every image found, in order: who has the images already needs no more. */
  ids: z.array(imageId),
  /** Those from `offset`, `limit` at most. */
  images: z.array(image),
  facets,
});
export type ImagesFound = z.infer<typeof imagesFound>;

/** What came of an edit of several images. `edit` takes it back; null when nothing was changed. */
export const editedImages = z.object({ changed: z.number().int(), edit: z.number().int().nullable() });

/** What came of taking it back, and which images stayed as they are, with the reason in a sentence. */
export const undoneEdit = z.object({
  restored: z.number().int(),
  kept: z.array(z.object({ image: imageId, name: z.string(), reason: z.string() })),
});

export const savedSearch = z.object({ name: imageName, query, savedAt: instant, savedBy: z.string() });
export type SavedSearch = z.infer<typeof savedSearch>;

/** From which image a guest was made. It is kept when the image goes or gets another place in its series. */
export const imageOrigin = z.object({
  imageId,
  /** What the image is called, or was called when it went. */
  imageName: z.string(),
  /** False when the image is no longer in the library. */
  present: z.boolean(),
  series: z.object({ name: z.string(), version: z.number().int() }).nullable(),
  /** The newest published version of the series, when it is newer than this. */
  newer: z.object({ imageId, imageName: z.string(), version: z.number().int(), changeNote: z.string() }).nullable(),
});
export type ImageOrigin = z.infer<typeof imageOrigin>;

/** What a guest's agent said of the system inside. */
export const guestFacts = systemFacts.extend({ osName: z.string().nullable(), readAt: instant });
export type GuestFacts = z.infer<typeof guestFacts>;

export const outdatedGuest = z.object({ guest: guestId, name: z.string(), origin: imageOrigin });

/** One field in which two images differ; null is nothing known. */
export const fieldDifference = z.object({ field: z.string(), one: z.string().nullable(), other: z.string().nullable() });

/** How the contents of two disks differ, byte by byte where either has any. Sizes in bytes, counted in whole blocks. */
export const contentDifference = z.object({
  blockBytes: z.number().int(),
  /** Size of the larger of the two disks. */
  spanBytes: z.number().int(),
  /** Data in both, and equal; data in both, and not; only in the one or the other, where the second has nothing but zeros. */
  sameBytes: z.number().int(),
  changedBytes: z.number().int(),
  onlyOneBytes: z.number().int(),
  onlyOtherBytes: z.number().int(),
  /** Share of each of as many equal parts of the span that differs, 0 to 1: where on the disk it happened. */
  map: z.array(z.number()),
  comparedAt: instant,
});
export type ContentDifference = z.infer<typeof contentDifference>;

/** Packages that only the other has, only the one has, and that both have in other versions: several of one name are joined by commas. */
export const packageDifferences = z.object({
  added: z.array(installedPackage),
  removed: z.array(installedPackage),
  changed: z.array(z.object({ name: z.string(), one: z.string(), other: z.string() })),
});
export type PackageDifferences = z.infer<typeof packageDifferences>;

export const imageDifferences = z.object({
  fields: z.array(fieldDifference),
  /** Null when the packages of one of them are not known. */
  packages: packageDifferences.nullable(),
  /** Null until `image.compare` has read both. */
  content: contentDifference.nullable(),
  /** Why the contents cannot be compared, or null. */
  cannotCompare: z.string().nullable(),
});
export type ImageDifferences = z.infer<typeof imageDifferences>;
