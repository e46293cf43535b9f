/** When layers are tidied: after something went that may have been the last to need one, and never in the way of a guest. */

import { basename, dirname } from 'node:path';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import type { GuestStatus } from '../../../contract/guest-state.ts';
import type { Guests } from '../guests/guests.ts';
import type { JobDefinition, JobRunner, StepContext } from '../jobs/job-definition.ts';
import type { Log } from '../log/log.ts';
import type { TidyInput } from './snapshot-jobs.ts';
import { mendBaseNames, merge, nextMerge, removeUnneeded, type TidyParts } from './tidy-layers.ts';

export type TidyingDeps = Omit<TidyParts, 'guestsInUse' | 'mustStay'> & {
  guests: () => Pick<Guests, 'list' | 'listTrash'>;
  jobs: Pick<JobRunner, 'start' | 'ended'>;
  definition: () => JobDefinition<TidyInput>;
  /** Something reads layers as they lie in their files. */
  isRead: () => boolean;
  log: Log;
};

export type Tidying = {
  /** Removes what nothing needs, and begins a job when a layer can be taken in by the disk above it. Never throws. */
  tidy(): Promise<void>;
  mend(): Promise<void>;
  /** The work of that job. */
  mergeAll(context: StepContext<TidyInput>): Promise<void>;
  /** Gives way: settles when no disk is being changed any more. What is left is done another time. */
  pause(): Promise<void>;
};

const atRest: ReadonlySet<GuestStatus> = new Set(['off', 'suspended', 'crashed']);

export function createTidying(deps: TidyingDeps): Tidying {
  const { guests, jobs, definition, log } = deps;
  const mustStay = () =>
    deps.isRead() ||
    guests()
      .list()
      .some(({ state }) => state.status === 'creating');
  const parts: TidyParts = {
    ...deps,
    mustStay,
    guestsInUse: () =>
      new Set(
        guests()
          .list()
          .flatMap(({ id, state }) => (atRest.has(state.status) ? [] : [id])),
      ),
  };
  let merging: { abort: AbortController; done: Promise<void> } | null = null;
  let hasJob = false;

  /** Merges one after the other until there is none, or until something more important wants to have the disks. */
  const mergeUntilNone = async ({ signal, progress }: StepContext<TidyInput>): Promise<void> => {
    for (;;) {
      const next = mustStay() ? null : await nextMerge(parts);
      if (!next) return;
      const abort = new AbortController();
      const done = merge(parts, next, AbortSignal.any([signal, abort.signal]), (share) => progress(Math.round(share * 1000), 1000));
      merging = { abort, done: done.catch(() => undefined) };
      try {
        await done;
      } catch (thrown) {
        signal.throwIfAborted();
        if (abort.signal.aborted) return;
        // Copied or looked at by somebody: it reads the same either way and has time.
        if (toGuesthouseError(thrown).code === 'image/in-use') return;
        throw thrown;
      } finally {
        merging = null;
      }
    }
  };

  const nameOf = (path: string): string => {
    const id = basename(dirname(path));
    return [...guests().list(), ...guests().listTrash()].find((guest) => guest.id === id)?.spec.name ?? 'frozen disks';
  };

  return {
    async tidy() {
      try {
        await removeUnneeded(parts);
        if (hasJob || mustStay()) return;
        const next = await nextMerge(parts);
        if (!next) return;
        hasJob = true;
        const job = jobs.start(definition(), {
          title: `Tidy up the snapshots of ${nameOf(next.into)}`,
          target: { kind: 'guest', id: null, name: nameOf(next.into) },
          input: {},
          startedBy: 'engine',
        });
        const end = () => {
          hasJob = false;
        };
        void jobs.ended(job.id).then(end, end);
      } catch (thrown) {
        if (thrown instanceof Failure && thrown.error.code === 'engine/stopping') return;
        hasJob = false;
        log.warn({ error: toGuesthouseError(thrown) }, 'Layers could not be tidied; it is tried again later.');
      }
    },
    async mend() {
      await mendBaseNames(parts).catch((thrown: unknown) =>
        log.warn({ error: toGuesthouseError(thrown) }, 'The names of bases could not be mended.'),
      );
    },
    mergeAll: mergeUntilNone,
    async pause() {
      merging?.abort.abort(new Failure('job/cancelled', 'A guest wants its disks.'));
      await merging?.done;
    },
  };
}
