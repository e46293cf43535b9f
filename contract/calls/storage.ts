/** Calls about the space that images and guests take up. */
import { z } from 'zod';
import { guestId, imageId } from '../ids.ts';
import { job } from '../job.ts';
import { storagePlace, storagePlaces, storageReport } from '../storage.ts';
import { type CallTable, done, nothing } from './definition.ts';

export const storageCalls = {
  'storage.report': {
    summary: 'Say what uses how much, and what nobody refers to.',
    input: nothing,
    output: storageReport,
    effect: 'read',
  },
  'storage.places': {
    summary: 'Say where guests and images can lie and how much room is there, and which guests lie elsewhere than in the data folder.',
    input: nothing,
    output: storagePlaces,
    effect: 'read',
  },
  'storage.findDuplicates': {
    summary: 'Read files of the same size and say which have the same content; the report shows them.',
    input: nothing,
    output: job,
    effect: 'write',
  },
  'storage.deleteOrphan': {
    summary: 'Delete a file or folder that nobody refers to.',
    input: z.strictObject({ path: z.string() }),
    output: done,
    effect: 'write',
  },
  'storage.addLocation': {
    summary: 'Name another folder for images and guests.',
    input: z.strictObject({ path: z.string().max(4096), name: z.string().trim().min(1).max(60) }),
    output: storagePlace,
    effect: 'write',
  },
  'storage.removeLocation': {
    summary: 'Forget a location in which neither an image nor a guest lies.',
    input: z.strictObject({ location: z.string() }),
    output: done,
    effect: 'write',
  },
  'image.move': {
    summary: 'Move the file of an image to another location; null is the data folder.',
    input: z.strictObject({ image: imageId, location: z.string().nullable() }),
    output: job,
    effect: 'write',
  },
  'guest.move': {
    summary: 'Move a guest that is off to another location, with its snapshots and all layers that only it needs; null is the data folder.',
    input: z.strictObject({ guest: guestId, location: z.string().nullable() }),
    output: job,
    effect: 'write',
  },
  'guest.reclaim': {
    summary:
      'Give back what the disks of a guest no longer need: it is asked to trim while it runs, its disks are rewritten while it is off.',
    input: z.strictObject({ guest: guestId }),
    output: job,
    effect: 'write',
  },
  'image.reclaim': {
    summary: 'Give back what an image takes up for zeros; its content stays the same, byte by byte.',
    input: z.strictObject({ image: imageId }),
    output: job,
    effect: 'write',
  },
} as const satisfies CallTable;
