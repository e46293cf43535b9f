/** Calls about jobs, events and the audit log. */
import { z } from 'zod';
import { auditEntry, feedEvent } from '../events.ts';
import { guestId, jobId } from '../ids.ts';
import { job, jobState } from '../job.ts';
import type { CallTable } from './definition.ts';

export const recordCalls = {
  'job.list': {
    summary: 'List the jobs, newest first.',
    input: z.strictObject({ states: z.array(jobState).optional() }),
    output: z.array(job),
    effect: 'read',
  },
  'job.show': { summary: 'Show one job.', input: z.strictObject({ job: jobId }), output: job, effect: 'read' },
  'job.cancel': { summary: 'Cancel a job.', input: z.strictObject({ job: jobId }), output: job, effect: 'write' },

  'event.list': {
    summary: 'List what happened, newest first.',
    input: z.strictObject({
      guest: guestId.optional(),
      beforeId: z.number().int().optional(),
      limit: z.number().int().min(1).max(1000).optional(),
    }),
    output: z.array(feedEvent),
    effect: 'read',
  },
  'audit.list': {
    summary: 'List who asked for what, newest first.',
    input: z.strictObject({ beforeId: z.number().int().optional(), limit: z.number().int().min(1).max(1000).optional() }),
    output: z.array(auditEntry),
    effect: 'read',
  },
} as const satisfies CallTable;
