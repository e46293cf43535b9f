/** When layers are tidied: after something went that may have been the last to need one, and never in the way of a guest. */

import { basename, dirname } from 'node:path';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import type { GuestStatus } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Guests } from '../guests/guests.ts';
import type { JobDefinition, JobRunner, StepContext } from '../jobs/job-definition.ts';
import type { DiskWork } from '../layers/disk-work.ts';
import type { Log } from '../log/log.ts';
import type { TidyInput } from './snapshot-jobs.ts';
import { type Merge, mendLayers, merge, nextMerge, removeUnneeded, type TidyParts, touchesOnly } from './tidy-layers.ts';

export type TidyingDeps = Pick<TidyParts, 'layout' | 'lineageLock' | 'qemuImgPath' | 'heldLayers' | 'keepFreeBytes'> & {
  guests: () => Pick<Guests, 'list' | 'listTrash' | 'isIdle' | 'liveDisks'>;
  diskWork: DiskWork;
  jobs: Pick<JobRunner, 'start' | 'ended'>;
  definition: () => JobDefinition<TidyInput>;
  /** Something reads layers as they lie in their files. */
  isRead: () => boolean;
  log: Log;
};

export type Tidying = {
  /** Removes what nothing needs, and begins a job when a layer can become one with the disk above it. Never throws. */
  tidy(): Promise<void>;
  /** As `tidy`, if something was left for another time and may be possible now; called about once a minute. */
  goOn(): Promise<void>;
  mend(): Promise<void>;
  /** The work of that job. */
  mergeAll(context: StepContext<TidyInput>): Promise<void>;
};

const atRest: ReadonlySet<GuestStatus> = new Set(['off', 'suspended', 'crashed', 'template']);

export function createTidying(deps: TidyingDeps): Tidying {
  const { guests, jobs, definition, diskWork, layout, log } = deps;
  const mustStay = () =>
    deps.isRead() ||
    guests()
      .list()
      .some(({ state }) => state.status === 'creating');
  const guestsInUse = (): ReadonlySet<GuestId> =>
    new Set(
      guests()
        .list()
        .flatMap(({ id, state }) => (atRest.has(state.status) && guests().isIdle(id) ? [] : [id])),
    );
  /** Merges that the QEMU of a running guest would not do, by the guest. */
  const refused = new Map<GuestId, Set<string>>();
  const keyOf = ({ layer, into }: Merge) => `${layer} ${into}`;
  const parts: TidyParts = {
    ...deps,
    guestsInUse,
    mustStay,
    liveDisks: (id) => guests().liveDisks(id),
    isRefused: (one) => one.live !== null && refused.get(one.live)?.has(keyOf(one)) === true,
  };
  let hasJob = false;
  /** Which guests were in use when something was left for another time; null when nothing was. */
  let left: string | null = null;
  /** As no list of guests reads: it may be possible at once. */
  const gaveWay = 'gave way';
  const inUseNow = () => [...guestsInUse()].sort().join();

  /** The disk reads the same either way and has time, unless what went wrong is nothing to wait for: that is thrown. */
  const leave = (one: Merge, thrown: unknown): 'go on' | 'end' => {
    const { code } = toGuesthouseError(thrown);
    if (one.live === null) {
      // Copied or looked at by somebody.
      if (code !== 'image/in-use') throw thrown;
      left = inUseNow();
      return 'end';
    }
    if (code === 'guest/not-responding') {
      // It has just ended, so that the next look finds it at rest.
      left = gaveWay;
      return 'end';
    }
    log.warn({ guest: one.live, error: toGuesthouseError(thrown) }, 'A layer could not be taken in while its guest runs.');
    refused.set(one.live, (refused.get(one.live) ?? new Set()).add(keyOf(one)));
    return 'go on';
  };
  const look = async (): Promise<Merge | null> => {
    if (mustStay()) {
      left = gaveWay;
      return null;
    }
    const { merge: found, waits } = await nextMerge(parts);
    left = waits ? inUseNow() : null;
    return found;
  };

  /** Merges one after the other until there is none, or until something more important wants to have the disks. */
  const mergeUntilNone = async ({ signal, progress }: StepContext<TidyInput>): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      for (const id of refused.keys()) if (!guestsInUse().has(id)) refused.delete(id);
      const one = await look();
      if (!one) return;
      try {
        const how = await diskWork.during(touchesOnly(one, layout), signal, (own) => merge(parts, one, own, progress));
        if (how === 'done') continue;
        left = gaveWay;
        return;
      } catch (thrown) {
        signal.throwIfAborted();
        if (leave(one, thrown) === 'end') return;
      }
    }
  };

  const nameOf = (path: string): string => {
    const id = basename(dirname(path));
    return [...guests().list(), ...guests().listTrash()].find((guest) => guest.id === id)?.spec.name ?? 'frozen disks';
  };

  const tidy = async (): Promise<void> => {
    try {
      await removeUnneeded(parts);
      if (hasJob) return;
      const next = await look();
      if (!next || hasJob) return;
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
  };

  return {
    tidy,
    async goOn() {
      // While the same guests run, what had to wait for them still has to.
      if (left !== null && left !== inUseNow()) await tidy();
    },
    async mend() {
      await mendLayers(parts).catch((thrown: unknown) =>
        log.warn({ error: toGuesthouseError(thrown) }, 'The names of bases could not be mended.'),
      );
    },
    mergeAll: mergeUntilNone,
  };
}
