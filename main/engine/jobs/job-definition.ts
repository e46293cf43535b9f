/**
 * How a kind of job is written. The runner (`job-runner.ts`) stores the row before the first step, runs the steps in
 * order, and undoes the steps that were begun, last first, when one fails, when the job is cancelled, or when the next
 * engine finds a job that died half-way and that cannot be resumed.
 */

import type { JobId } from '../../../contract/ids.ts';
import type { Job, JobKind } from '../../../contract/job.ts';

export type StepContext<Input> = {
  jobId: JobId;
  input: Input;
  /** Aborted with the reason when the job is cancelled or the engine stops. */
  signal: AbortSignal;
  /** Tells how far the step is; throttled by the runner, so it may be called as often as is handy. */
  progress(bytesDone: number, bytesTotal: number | null): void;
};

export type JobStepDefinition<Input> = {
  /** Shown to people: "Copy disk". */
  name: string;
  weight: number;
  run(context: StepContext<Input>): Promise<void>;
  /** Idempotent: it may run after a crash at any point of `run`, or twice. */
  undo?(input: Input): Promise<void>;
};

export type JobDefinition<Input> = {
  kind: JobKind;
  /** Parses the stored input; an input of an older version must still be understood. */
  parseInput(value: unknown): Input;
  steps: readonly JobStepDefinition<Input>[];
  /** `resume` runs all steps again from the first (so they must be idempotent); `undo` undoes what was begun. */
  afterCrash: 'resume' | 'undo';
  cancellable: boolean;
  /** Of a kind that keeps a disk busy: whether this one does not, and so need not wait for others that do. */
  isLight?(input: Input): boolean;
};

export type NewJob<Input> = { title: string; target: Job['target']; input: Input; startedBy: string };

export type JobRunner = {
  /** Stores the job and begins it. */
  start<Input>(definition: JobDefinition<Input>, job: NewJob<Input>): Job;
  /** Settles when the job has ended, with its last state. */
  ended(id: JobId): Promise<Job>;
  /**
   * Undoes what an engine before this one left and that cannot be resumed, then runs `beforeResuming`, then begins anew what
   * can; called once, before any call is answered.
   */
  recover(definitions: readonly JobDefinition<unknown>[], beforeResuming?: () => Promise<void>): Promise<void>;
};
