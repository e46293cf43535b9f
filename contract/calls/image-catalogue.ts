/** Calls about what is known of images: search, metadata, versions, saved searches. */
import { z } from 'zod';
import { osIdentity } from '../guest-spec.ts';
import { guestId, imageId } from '../ids.ts';
import { image, imageChanges, imageDetails, imageLifecycle, imageName, installedPackage, readField, seriesName } from '../image.ts';
import {
  editedImages,
  guestFacts,
  imageDifferences,
  imageOrigin,
  imageSearch,
  imagesFound,
  outdatedGuest,
  savedSearch,
  undoneEdit,
} from '../image-catalogue.ts';
import { job } from '../job.ts';
import { type CallTable, done, nothing, oneGuest } from './definition.ts';

const twoImages = z.strictObject({ one: imageId, other: imageId });

export const imageCatalogueCalls = {
  'image.search': {
    summary: 'Find images by a query, with counts by system, tag and more.',
    input: imageSearch,
    output: imagesFound,
    effect: 'read',
  },
  'image.edit': {
    summary: 'Write what is known of an image; what a hand wrote stays when the medium is read again.',
    input: imageChanges
      .extend({
        image: imageId,
        /** Fields that shall again be what was read. */
        asRead: z.array(readField).optional(),
      })
      .strict(),
    output: image,
    effect: 'write',
  },
  'image.editMany': {
    summary: 'Write the same into several images at once: all of them, or none.',
    input: z.strictObject({
      images: z.array(imageId).min(1).max(20_000),
      addTags: imageDetails.shape.tags.optional(),
      removeTags: imageDetails.shape.tags.optional(),
      lifecycle: imageLifecycle.optional(),
      patchLevel: imageDetails.shape.patchLevel.optional(),
      endOfLife: imageDetails.shape.endOfLife.optional(),
      /** A paragraph behind the notes that each has. */
      addNote: z.string().trim().min(1).max(4000).optional(),
    }),
    output: editedImages,
    effect: 'write',
  },
  'image.renameSeries': {
    summary: 'Give all versions of a series another name.',
    input: z.strictObject({ series: z.string(), name: seriesName }),
    output: editedImages,
    effect: 'write',
  },
  'image.undoEdit': {
    summary: 'Take an edit of several images back, by default the last; what was changed again since stays.',
    input: z.strictObject({ edit: z.number().int().optional() }),
    output: undoneEdit,
    effect: 'write',
  },
  'image.readAgain': {
    summary: 'Read an image again for its system, kernels and patch level.',
    input: z.strictObject({ image: imageId }),
    output: job,
    effect: 'write',
  },
  'image.packages': {
    summary: 'List the packages of the system on an image, by name; null when they are not known.',
    input: z.strictObject({ image: imageId }),
    output: z.array(installedPackage).nullable(),
    effect: 'read',
  },
  'image.differences': {
    summary: 'Say in what two images differ, and how their contents do once they were compared.',
    input: twoImages,
    output: imageDifferences,
    effect: 'read',
  },
  'image.compare': { summary: 'Compare the contents of two disk images.', input: twoImages, output: job, effect: 'write' },
  'image.capture': {
    summary: 'Make an image of the disk of a guest that is off, as it is now.',
    input: imageChanges.pick({ series: true, lifecycle: true }).extend({ guest: guestId, name: imageName }).strict(),
    output: job,
    effect: 'write',
  },
  'image.systems': {
    summary: 'List the operating systems that are known, for choosing one.',
    input: nothing,
    output: z.array(osIdentity),
    effect: 'read',
  },
  'image.outdated': {
    summary: 'List the guests whose image has a newer published version.',
    input: nothing,
    output: z.array(outdatedGuest),
    effect: 'read',
  },
  'search.list': { summary: 'List the saved searches.', input: nothing, output: z.array(savedSearch), effect: 'read' },
  'search.save': {
    summary: 'Save a search under a name; one of that name is replaced.',
    input: savedSearch.pick({ name: true, query: true }).strict(),
    output: savedSearch,
    effect: 'write',
  },
  'search.delete': { summary: 'Delete a saved search.', input: savedSearch.pick({ name: true }).strict(), output: done, effect: 'write' },
  'guest.imageOrigin': {
    summary: 'Say from which image a guest was made, and what its agent said of its system.',
    input: oneGuest,
    output: z.object({ origin: imageOrigin.nullable(), facts: guestFacts.nullable() }),
    effect: 'read',
  },
  'guest.readFacts': {
    summary: 'Ask the agent in a guest for its system, kernel and patch level, and keep the answer.',
    input: z.strictObject({ guest: guestId }),
    output: guestFacts,
    effect: 'write',
  },
} as const satisfies CallTable;
