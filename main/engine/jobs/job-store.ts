/** The jobs' rows. What is only known while a job runs (bytes, speed) is not stored. */

import type { JobId } from '../../../contract/ids.ts';
import { type Job, type JobState, job as jobSchema } from '../../../contract/job.ts';
import type { Database } from '../store/database.ts';

export type StoredJob = { job: Job; input: unknown };

export type JobStore = {
  insert(job: Job, input: unknown): void;
  update(job: Job): void;
  find(id: JobId): Job | null;
  /** Newest first. */
  list(states: readonly JobState[], limit: number): Job[];
  /** Oldest first, with their inputs. */
  listStored(states: readonly JobState[]): StoredJob[];
  /** Removes the ended jobs beyond the newest `keep`; answers which. */
  prune(keep: number): JobId[];
};

type Row = { job: string; input: string };

export function createJobStore(database: Database): JobStore {
  const insert = database.prepare(
    'jobs.insert',
    'INSERT INTO jobs (id, kind, state, job, input, created_at, ended_at) VALUES (@id, @kind, @state, @job, @input, @createdAt, @endedAt)',
  );
  const update = database.prepare('jobs.update', 'UPDATE jobs SET state = @state, job = @job, ended_at = @endedAt WHERE id = @id');
  const find = database.prepare<Row>('jobs.find', 'SELECT job, input FROM jobs WHERE id = ?');
  const inStates = 'state IN (SELECT value FROM json_each(?))';
  const newest = database.prepare<Row>(
    'jobs.list',
    `SELECT job, input FROM jobs WHERE ${inStates} ORDER BY created_at DESC, rowid DESC LIMIT ?`,
  );
  const oldest = database.prepare<Row>('jobs.listStored', `SELECT job, input FROM jobs WHERE ${inStates} ORDER BY created_at, rowid`);
  const prune = database.prepare<{ id: JobId }>(
    'jobs.prune',
    'DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE ended_at IS NOT NULL ORDER BY created_at DESC, rowid DESC LIMIT -1 OFFSET ?) RETURNING id',
  );
  const buildRow = (job: Job) => ({ id: job.id, state: job.state, job: JSON.stringify(withoutRuntime(job)), endedAt: job.endedAt });
  return {
    insert: (job, input) => void insert.run({ ...buildRow(job), kind: job.kind, input: JSON.stringify(input), createdAt: job.createdAt }),
    update: (job) => void update.run(buildRow(job)),
    find: (id) => parseJob(find.get(id)),
    list: (states, limit) => newest.all(JSON.stringify(states), limit).flatMap((row) => parseJob(row) ?? []),
    listStored: (states) =>
      oldest.all(JSON.stringify(states)).flatMap((row) => {
        const job = parseJob(row);
        return job ? [{ job, input: JSON.parse(row.input) as unknown }] : [];
      }),
    prune: (keep) => prune.all(keep).map((row) => row.id),
  };
}

function withoutRuntime(job: Job): Job {
  return {
    ...job,
    bytesPerSecond: null,
    secondsLeft: null,
    bytesDone: null,
    bytesTotal: null,
    steps: job.steps.map((step) => ({ ...step, bytesDone: null, bytesTotal: null })),
  };
}

function parseJob(row: Row | undefined): Job | null {
  return row ? jobSchema.parse(JSON.parse(row.job)) : null;
}
