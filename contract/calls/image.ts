/** Calls about images. */
import { z } from 'zod';
import { imageId } from '../ids.ts';
import { image, importReport } from '../image.ts';
import { job } from '../job.ts';
import { type CallTable, done, nothing } from './definition.ts';

export const imageCalls = {
  'image.list': { summary: 'List the images.', input: nothing, output: z.array(image), effect: 'read' },
  'image.inspect': {
    summary: 'Read a file and say what it is, without copying it.',
    input: z.strictObject({ path: z.string() }),
    output: importReport,
    effect: 'read',
  },
  'image.import': {
    summary: 'Copy an ISO, a disk image, or the disks of an OVA into the store.',
    input: z.strictObject({ path: z.string(), name: z.string().min(1).max(200).optional() }),
    output: job,
    effect: 'write',
  },
  'image.delete': {
    summary: 'Delete an image that nothing uses.',
    input: z.strictObject({ image: imageId }),
    output: done,
    effect: 'write',
  },
} as const satisfies CallTable;
