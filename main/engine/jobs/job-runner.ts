/**
 * Runs jobs so that none is ever left half-done. The row is stored before the first step runs and again before every
 * further one; whatever was begun is undone last first when the job fails, is cancelled, or died with an engine and
 * cannot be resumed.
 *
 * INVARIANT: from any point at which the engine dies, the next one either finishes the job or undoes each step that was
 * begun (`job-runner.test.ts` dies at every step).
 */
import { Failure, type GuesthouseError, toGuesthouseError } from '../../../contract/errors.ts';
import type { JobId } from '../../../contract/ids.ts';
import { type Job, type JobKind, type JobState, type JobStep, jobEnded, jobState } from '../../../contract/job.ts';
import { type Clock, instantNow } from '../clock/clock.ts';
import type { Changes, Feed } from '../feed/feed.ts';
import type { Log } from '../log/log.ts';
import type { Database } from '../store/database.ts';
import { newJobId } from '../store/new-id.ts';
import type { JobDefinition, JobRunner, NewJob } from './job-definition.ts';
import { createProgressMeter, type ProgressMeter } from './job-progress.ts';
import { createJobStore } from './job-store.ts';

export type Jobs = JobRunner & {
  /** Newest first; at most the 500 newest. */
  list(states?: readonly JobState[]): Job[];
  /** @throws Failure `job/not-found` */
  show(id: JobId): Job;
  /** Cancels, or does nothing when it is being cancelled already. @throws Failure `job/not-found`, `job/not-cancellable` */
  cancel(id: JobId, reason: string): Job;
  /** The inputs of the jobs of a kind that have not ended. */
  inputsOf(kind: JobKind): unknown[];
  /** How many jobs have not ended. */
  activeCount(): number;
  /** The engine stops: running steps are told and given `graceMs`; the next engine goes on from there. */
  interrupt(graceMs: number): Promise<void>;
};

export type JobRunnerDeps = {
  database: Database;
  changes: Pick<Changes, 'job'>;
  feed: Feed;
  clock: Clock;
  log: Log;
};

/** These keep a disk busy; two at once are as fast as ten. */
const heavyKinds: ReadonlySet<JobKind> = new Set([
  'image.import',
  'image.importDisks',
  'guest.reclaim',
  'image.reclaim',
  'image.move',
  'guest.move',
  'storage.findDuplicates',
  'guest.create',
  'guest.copy',
  'snapshot.export',
  'snapshot.tidy',
  'trash.purge',
  'machine.import',
  'guest.export',
  'image.verify',
  'guest.flatten',
]);
const heavyAtOnce = 2;
const keptEnded = 500;
const listedAtMost = 500;
const tellEveryMs = 200;
const notEnded = jobState.options.filter((state) => !jobEnded.has(state));

/** A definition whose input type is known to nobody but itself. */
type AnyDefinition = JobDefinition<unknown>;

type LiveJob = {
  job: Job;
  input: unknown;
  definition: AnyDefinition;
  abort: AbortController;
  meter: ProgressMeter;
  tellTimer: NodeJS.Timeout | undefined;
  settled: Promise<Job>;
  settle(job: Job): void;
};

class Interrupted extends Error {}

export function createJobRunner({ database, changes, feed, clock, log }: JobRunnerDeps): Jobs {
  const store = createJobStore(database);
  const live = new Map<JobId, LiveJob>();
  const waiting: LiveJob[] = [];
  const running = new Map<LiveJob, Promise<void>>();
  let interrupting = false;

  /** The one way in which a job changes: stored first, then told. */
  const save = (one: LiveJob, change: Partial<Job>) => {
    one.job = { ...one.job, ...change };
    store.update(one.job);
    tell(one);
  };

  /**
   * As `save`, for what is so whether or not it can be stored: a full disk must keep neither undo nor cancelling from going on.
   * The row then says less than was done, and the next engine settles it once more.
   */
  const note = (one: LiveJob, change: Partial<Job>) => {
    try {
      save(one, change);
    } catch (thrown) {
      log.error({ error: thrown, job: one.job.id, change }, 'What became of a job could not be stored.');
      tell(one);
    }
  };

  const tell = (one: LiveJob) => {
    clearTimeout(one.tellTimer);
    one.tellTimer = undefined;
    changes.job(one.job.id, one.job);
  };

  const withStep = (job: Job, index: number, state: JobStep['state']): Pick<Job, 'steps'> => ({
    steps: job.steps.map((step, at) => (at === index ? { ...step, state } : step)),
  });

  const noteProgress = (one: LiveJob, index: number, bytesDone: number, bytesTotal: number | null) => {
    if (one.job.steps[index]?.state !== 'running') return;
    const steps = one.job.steps.map((step, at) => (at === index ? { ...step, bytesDone, bytesTotal } : step));
    one.job = { ...one.job, steps, ...one.meter.measure(clock.nowMs(), upTo(index, steps)) };
    one.tellTimer ??= setTimeout(() => tell(one), tellEveryMs);
  };

  const end = (one: LiveJob, state: JobState, error: GuesthouseError | null) => {
    clearTimeout(one.tellTimer);
    live.delete(one.job.id);
    note(one, {
      state,
      error,
      endedAt: instantNow(clock),
      secondsLeft: null,
      bytesPerSecond: null,
      ...(state === 'succeeded' ? { progress: 1 } : {}),
    });
    recordEnd(one.job);
    forgetOld();
    one.settle(one.job);
  };

  const forgetOld = () => {
    try {
      for (const pruned of store.prune(keptEnded)) changes.job(pruned, null);
    } catch (thrown) {
      log.warn({ error: thrown }, 'Old jobs could not be forgotten.');
    }
  };

  const recordEnd = (job: Job) => {
    const about = {
      jobId: job.id,
      ...(job.target.kind === 'guest' && job.target.id ? { guestId: job.target.id } : {}),
      ...(job.target.kind === 'image' && job.target.id ? { imageId: job.target.id } : {}),
    };
    if (job.state === 'failed')
      feed.record({ severity: 'problem', kind: 'job.failed', text: `${job.title}: ${job.error?.message ?? 'failed'}`, ...about });
    if (job.state === 'cancelled') feed.record({ severity: 'info', kind: 'job.cancelled', text: `${job.title}: cancelled.`, ...about });
  };

  /** Undoes what was begun, last first, whatever fails on the way. Answers what could not be undone. */
  const undoAll = async (one: LiveJob): Promise<string[]> => {
    const problems: string[] = [];
    for (const [index, step] of [...one.job.steps.entries()].reverse()) {
      if (step.state === 'waiting' || step.state === 'undone') continue;
      const definition = one.definition.steps.find((candidate) => candidate.name === step.name);
      try {
        await definition?.undo?.(one.input);
        note(one, withStep(one.job, index, 'undone'));
      } catch (thrown) {
        log.error({ error: thrown, job: one.job.id, step: step.name }, 'A step could not be undone.');
        problems.push(`“${step.name}” could not be undone: ${toGuesthouseError(thrown).message}`);
        note(one, withStep(one.job, index, 'failed'));
      }
    }
    return problems;
  };

  const settleUndone = async (one: LiveJob, state: 'failed' | 'cancelled', error: GuesthouseError) => {
    const problems = await undoAll(one);
    if (problems.length === 0) return end(one, state, error);
    log.warn({ job: one.job.id, problems }, 'A job left something behind; the next start of the engine tries again.');
    end(one, state, { ...error, detail: [error.detail, ...problems].filter(Boolean).join('\n') });
  };

  const runSteps = async (one: LiveJob) => {
    const { signal } = one.abort;
    for (const [index, step] of one.definition.steps.entries()) {
      signal.throwIfAborted();
      save(one, withStep(one.job, index, 'running'));
      await step.run({
        jobId: one.job.id,
        input: one.input,
        signal,
        progress: (bytesDone, bytesTotal) => noteProgress(one, index, bytesDone, bytesTotal),
      });
      signal.throwIfAborted();
      save(one, withStep(one.job, index, 'done'));
      one.job = { ...one.job, ...one.meter.measure(clock.nowMs(), upTo(index, one.job.steps)) };
    }
  };

  const run = async (one: LiveJob) => {
    try {
      save(one, { state: 'running', startedAt: one.job.startedAt ?? instantNow(clock) });
      await runSteps(one);
      end(one, 'succeeded', null);
    } catch (thrown) {
      if (one.abort.signal.reason instanceof Interrupted) {
        note(one, { state: 'interrupted' });
        return;
      }
      if (one.abort.signal.aborted) {
        const reason = toGuesthouseError(one.abort.signal.reason);
        await settleUndone(one, 'cancelled', reason);
        return;
      }
      log.warn({ error: thrown, job: one.job.id, kind: one.job.kind }, 'A job failed.');
      await settleUndone(one, 'failed', toGuesthouseError(thrown));
    }
  };

  const isHeavy = ({ job, definition, input }: LiveJob) => heavyKinds.has(job.kind) && definition.isLight?.(input) !== true;

  /** Begins what may begin, in the order in which it was asked for. */
  const pump = () => {
    for (const one of [...waiting]) {
      if (interrupting) return;
      const busy = [...running.keys()].filter(isHeavy).length;
      if (isHeavy(one) && busy >= heavyAtOnce) continue;
      waiting.splice(waiting.indexOf(one), 1);
      const ran = run(one)
        .catch((thrown: unknown) => {
          // Only the database can fail here. The row is as it was last stored, and the next engine settles it.
          log.error({ error: thrown, job: one.job.id }, 'A job could not be stored.');
          live.delete(one.job.id);
          one.job = { ...one.job, state: 'failed', error: toGuesthouseError(thrown), endedAt: instantNow(clock) };
          changes.job(one.job.id, one.job);
          one.settle(one.job);
        })
        .finally(() => {
          running.delete(one);
          pump();
        });
      running.set(one, ran);
    }
  };

  const enliven = (job: Job, input: unknown, definition: AnyDefinition): LiveJob => {
    const { promise, resolve } = Promise.withResolvers<Job>();
    const one: LiveJob = {
      job,
      input,
      definition,
      abort: new AbortController(),
      meter: createProgressMeter(),
      tellTimer: undefined,
      settled: promise,
      settle: resolve,
    };
    live.set(job.id, one);
    return one;
  };

  const show = (id: JobId): Job => {
    const found = live.get(id)?.job ?? store.find(id);
    if (!found) throw new Failure('job/not-found', `There is no job ${id}.`, { hint: 'It may be so old that it was forgotten.' });
    return found;
  };

  return {
    start<Input>(definition: JobDefinition<Input>, { title, target, input, startedBy }: NewJob<Input>): Job {
      if (interrupting) throw new Failure('engine/stopping', 'The engine is stopping and takes no new work.');
      const job: Job = {
        id: newJobId(),
        kind: definition.kind,
        title,
        target,
        state: 'queued',
        steps: freshSteps(definition),
        progress: 0,
        bytesDone: null,
        bytesTotal: null,
        bytesPerSecond: null,
        secondsLeft: null,
        cancellable: definition.cancellable,
        error: null,
        createdAt: instantNow(clock),
        startedAt: null,
        endedAt: null,
        startedBy,
      };
      store.insert(job, input);
      const one = enliven(job, input, definition);
      tell(one);
      waiting.push(one);
      pump();
      return one.job;
    },

    ended(id) {
      const one = live.get(id);
      if (one) return one.settled;
      try {
        return Promise.resolve(show(id));
      } catch (thrown) {
        return Promise.reject(thrown);
      }
    },

    async recover(definitions, beforeResuming) {
      const byKind = new Map(definitions.map((definition) => [definition.kind, definition]));
      const resumed: LiveJob[] = [];
      for (const { job, input } of store.listStored(notEnded)) {
        // Begun by this very engine.
        if (live.has(job.id)) continue;
        const definition = byKind.get(job.kind);
        const known = definition && parseStoredInput(definition, input);
        if (!definition || !known) {
          end(enliven(job, input, noDefinition(job.kind)), 'failed', {
            code: 'engine/internal',
            message: `The engine ended during this job, and this version does not know how to go on with it (${job.kind}).`,
          });
          continue;
        }
        const one = enliven(job, known.input, definition);
        if (job.state === 'queued') resumed.push(one);
        else if (job.state !== 'cancelling' && job.steps.every((step) => step.state === 'done')) end(one, 'succeeded', null);
        else if (job.state !== 'cancelling' && definition.afterCrash === 'resume') {
          // The steps keep their states: what the engine before had begun is undone as well if this run fails earlier.
          save(one, { state: 'interrupted', steps: sameSteps(definition, job.steps), progress: 0 });
          resumed.push(one);
        } else if (job.state === 'cancelling') {
          await settleUndone(one, 'cancelled', { code: 'job/cancelled', message: 'The job was cancelled.' });
        } else {
          save(one, { state: 'interrupted' });
          await settleUndone(one, 'failed', {
            code: 'engine/internal',
            message: 'The engine ended during this job, so what it had begun was undone.',
            hint: 'Start it again.',
          });
        }
      }
      await retryUndo(byKind);
      await beforeResuming?.();
      waiting.push(...resumed);
      pump();
    },

    list(states) {
      const wanted = states ?? jobState.options;
      return store.list(wanted, listedAtMost).map((job) => live.get(job.id)?.job ?? job);
    },

    show,

    cancel(id, reason) {
      const job = show(id);
      const one = live.get(id);
      if (!one || jobEnded.has(job.state)) throw new Failure('job/not-cancellable', `“${job.title}” has ended already (${job.state}).`);
      if (job.state === 'cancelling') return job;
      if (!job.cancellable)
        throw new Failure('job/not-cancellable', `“${job.title}” cannot be cancelled.`, { hint: 'Wait until it has ended.' });
      const failure = new Failure('job/cancelled', reason);
      const place = waiting.indexOf(one);
      if (place >= 0) {
        waiting.splice(place, 1);
        // A resumed job that waits for its turn was begun by the engine before.
        if (job.state !== 'queued') {
          note(one, { state: 'cancelling' });
          one.abort.abort(failure);
          waiting.unshift(one);
          pump();
        } else end(one, 'cancelled', failure.error);
        return one.job;
      }
      note(one, { state: 'cancelling' });
      one.abort.abort(failure);
      return one.job;
    },

    inputsOf: (kind) => [...live.values()].filter(({ job }) => job.kind === kind).map(({ input }) => input),

    activeCount: () => live.size,

    async interrupt(graceMs) {
      interrupting = true;
      for (const one of running.keys()) if (!one.abort.signal.aborted) one.abort.abort(new Interrupted('The engine is stopping.'));
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, graceMs);
      await Promise.race([Promise.all(running.values()), late]);
      clearTimeout(timer);
      for (const one of live.values()) clearTimeout(one.tellTimer);
    },
  };

  /** Jobs that ended while one of their steps could not be undone: undo is idempotent, so it is tried again. */
  async function retryUndo(byKind: ReadonlyMap<JobKind, AnyDefinition>): Promise<void> {
    for (const { job, input } of store.listStored(['failed', 'cancelled'])) {
      const definition = byKind.get(job.kind);
      if (!definition || !job.steps.some((step) => step.state === 'failed')) continue;
      const known = parseStoredInput(definition, input);
      if (!known) continue;
      const one = enliven(job, known.input, definition);
      await undoAll(one);
      live.delete(job.id);
      one.settle(one.job);
    }
  }
}

function freshSteps(definition: AnyDefinition): JobStep[] {
  return definition.steps.map(({ name, weight }) => ({ name, weight, state: 'waiting', bytesDone: null, bytesTotal: null }));
}

/** The stored steps, or fresh ones where this version has others: then the undo of each must cope with what it finds. */
function sameSteps(definition: AnyDefinition, stored: readonly JobStep[]): JobStep[] {
  const same = definition.steps.length === stored.length && definition.steps.every((step, at) => step.name === stored[at]?.name);
  return same ? [...stored] : freshSteps(definition).map((step) => ({ ...step, state: 'running' }));
}

/** The steps as far as this run has come: later ones may be done from a run before, and are done again. */
function upTo(index: number, steps: readonly JobStep[]): JobStep[] {
  return steps.map((step, at) => (at > index ? { ...step, state: 'waiting' } : step));
}

function parseStoredInput(definition: AnyDefinition, input: unknown): { input: unknown } | null {
  try {
    return { input: definition.parseInput(input) };
  } catch {
    return null;
  }
}

function noDefinition(kind: JobKind): AnyDefinition {
  return { kind, parseInput: (value) => value, steps: [], afterCrash: 'undo', cancellable: false };
}
