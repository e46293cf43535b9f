/** Making, reverting and tidying as jobs. What a dead engine left of them is settled when guests are taken over, before a job goes on. */
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { guestId, snapshotId } from '../../../contract/ids.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import type { SnapshotStore } from './store.ts';

const createInput = z.object({ guestId, snapshotId });
export type CreateInput = z.infer<typeof createInput>;
/** `keepAs`: the snapshot that is made of the present first. */
const revertInput = z.object({ guestId, snapshotId, keepAs: snapshotId.nullable(), forceOff: z.boolean() });
export type RevertInput = z.infer<typeof revertInput>;
const tidyInput = z.object({});
export type TidyInput = z.infer<typeof tidyInput>;

export type SnapshotJobParts = {
  store: SnapshotStore;
  /** True once for a job that this engine was asked for; an earlier engine's job that goes on is not. */
  isOurs(id: CreateInput['snapshotId']): boolean;
  make(context: StepContext<CreateInput>): Promise<void>;
  revert(context: StepContext<RevertInput>): Promise<void>;
  mergeAll(context: StepContext<TidyInput>): Promise<void>;
};

export type SnapshotJobs = {
  create: JobDefinition<CreateInput>;
  revert: JobDefinition<RevertInput>;
  tidy: JobDefinition<TidyInput>;
};

export function snapshotJobs({ store, isOurs, make, revert, mergeAll }: SnapshotJobParts): SnapshotJobs {
  return {
    create: {
      kind: 'snapshot.create',
      parseInput: (value) => createInput.parse(value),
      afterCrash: 'resume',
      cancellable: true,
      steps: [
        {
          name: 'Keep disks and state',
          weight: 1,
          async run(context) {
            const { input } = context;
            if (isOurs(input.snapshotId)) return make(context);
            if (store.find(input.snapshotId)?.making === null) return;
            throw new Failure(
              'snapshot/not-made',
              'The snapshot was not made, because the engine ended meanwhile. The guest is as it was.',
              {
                hint: 'Make it again.',
              },
            );
          },
        },
      ],
    },
    revert: {
      kind: 'snapshot.revert',
      parseInput: (value) => revertInput.parse(value),
      afterCrash: 'resume',
      cancellable: true,
      steps: [
        {
          name: 'Give the guest what the snapshot kept',
          weight: 1,
          async run(context) {
            const { input, jobId } = context;
            if (isOurs(input.snapshotId)) return revert(context);
            if (store.revertedBy(input.guestId) === jobId) return;
            throw new Failure('job/cancelled', 'The guest was not taken back, because the engine ended meanwhile. It is as it was.', {
              hint: 'Take it back again.',
            });
          },
        },
      ],
    },
    tidy: {
      kind: 'snapshot.tidy',
      parseInput: (value) => tidyInput.parse(value),
      afterCrash: 'resume',
      cancellable: true,
      steps: [{ name: 'Take in layers that nothing else needs', weight: 1, run: mergeAll }],
    },
  };
}
