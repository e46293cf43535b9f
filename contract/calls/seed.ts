/** Calls about the answers that a new system is given. */
import { z } from 'zod';
import { seedReport, setupForm, setupFormat } from '../answers.ts';
import { type CallTable, done, oneGuest } from './definition.ts';

export const seedCalls = {
  'seed.show': {
    summary: 'Say which answers a guest was given; null when none.',
    input: oneGuest,
    output: seedReport.nullable(),
    effect: 'read',
  },
  'seed.remove': {
    summary: 'Take the disc with the answers out of a guest and delete it.',
    input: oneGuest,
    output: done,
    effect: 'write',
  },
  'seed.build': {
    summary: 'Write a disc with answers to a file of your own.',
    input: z.strictObject({ format: setupFormat, setup: setupForm, path: z.string().startsWith('/') }),
    output: z.object({ path: z.string(), volumeId: z.string(), sizeBytes: z.number().int() }),
    effect: 'write',
  },
} as const satisfies CallTable;
