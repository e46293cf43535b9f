/** How what was asked of an engine ended. */
import { expect } from 'vitest';
import { type Job, jobEnded } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { until } from './until.ts';

/** The job as it is when it has ended, however that was. */
export function ended(client: EngineClient, job: Pick<Job, 'id'>, deadlineMs = 120_000): Promise<Job> {
  return until(
    'the job to end',
    async () => {
      const now = await client.call('job.show', { job: job.id });
      return jobEnded.has(now.state) ? now : null;
    },
    deadlineMs,
  );
}

export async function succeeded(client: EngineClient, job: Pick<Job, 'id'>): Promise<Job> {
  const end = await ended(client, job);
  expect(end).toMatchObject({ state: 'succeeded', error: null });
  return end;
}

/** The code of the failure that a call ends with, or “done”. */
export function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (thrown: { error?: { code: string } }) => thrown.error?.code ?? String(thrown),
  );
}
