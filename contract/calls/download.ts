/** Calls about operating systems that can be had from the net. */
import { z } from 'zod';
import { downloadList, downloadSource, networkCheck } from '../download.ts';
import { job } from '../job.ts';
import { type CallTable, done, nothing } from './definition.ts';

export const downloadCalls = {
  'download.list': {
    summary: 'List what can be downloaded, and what was begun.',
    input: nothing,
    output: downloadList,
    effect: 'read',
  },
  'download.checkNetwork': {
    summary: 'Say whether the servers of the list can be reached.',
    input: z.strictObject({ refresh: z.boolean().optional() }),
    output: networkCheck,
    effect: 'read',
  },
  'download.start': {
    summary: 'Download an image and put it into the library; goes on with what was begun.',
    input: z.strictObject({ source: downloadSource, name: z.string().min(1).max(200).optional() }),
    output: job,
    effect: 'write',
  },
  'download.discard': {
    summary: 'Delete what was kept of a download that was not finished.',
    input: z.strictObject({ key: z.string() }),
    output: done,
    effect: 'write',
  },
} as const satisfies CallTable;
