/**
 * The job that makes a guest independent of what its disks build upon. Of a guest that is off each disk is copied beside the old one and takes
 * its name when it is whole; under one that runs its QEMU copies into the disk itself, and gives way to whatever is asked of the guest. Which of
 * the two is looked at anew for each disk, so that it goes on when the guest is started or shut down meanwhile.
 */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { Failure, toGuesthouseError } from '../../../contract/errors.ts';
import { guestCannot } from '../../../contract/guest-can.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestState } from '../../../contract/guest-state.ts';
import { guestId } from '../../../contract/ids.ts';
import type { LiveDisks } from '../drivers/driver.ts';
import { moveIntoPlace, removeFile, syncFile } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import type { HeldGuest } from '../guests/held-guest.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { demandSpace } from '../images/copy-medium.ts';
import { arrivingOf } from '../images/empty-overlay.ts';
import type { ImageRegistry } from '../images/image-registry.ts';
import { checkDisk, convertDisk, readsTheSame } from '../images/qemu-img.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import type { DiskLink } from '../layers/disk-chain.ts';
import type { DiskWork } from '../layers/disk-work.ts';
import { type LinkedDisk, linkedDisks, removeHalfMade } from './rebuild-jobs.ts';

/** `bytesPerSecond`: the most while the guest runs, which wants its disks as well. */
const flattenInput = z.object({ guestId, bytesPerSecond: z.number().nullable().default(null) });
export type FlattenInput = z.infer<typeof flattenInput>;

export type FlattenParts = {
  layout: Layout;
  guests: Pick<Guests, 'show' | 'hold' | 'isIdle' | 'liveDisks' | 'runsWith'>;
  images: Pick<ImageRegistry, 'lineageChanged'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  diskWork: DiskWork;
  /** Removes what nothing builds upon any more. */
  tidyLayers(): Promise<void>;
  keepFreeBytes: () => number;
};

const defaultBytesPerSecond = 256 * 1024 ** 2;
const lookAgainMs = 250;
const moment = () => new Promise((done) => setTimeout(done, lookAgainMs));
/** On their way to a state in which it is known how to go on. */
const passing: ReadonlySet<GuestState['status']> = new Set(['starting', 'stopping', 'suspending']);

export function defineFlatten(parts: FlattenParts, specOf: (id: FlattenInput['guestId']) => GuestSpec | null): JobDefinition<FlattenInput> {
  const { layout, guests, images } = parts;
  return {
    kind: 'guest.flatten',
    parseInput: (value) => flattenInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Copy what the disks build upon',
        weight: 1,
        async run(context) {
          const { guestId: id } = context.input;
          for (;;) {
            context.signal.throwIfAborted();
            const { spec, state } = guests.show(id);
            const live = guests.liveDisks(id);
            if (live) {
              const [next] = await linkedDisks(guests.runsWith(id) ?? spec, layout.guest(id));
              if (!next) break;
              try {
                await parts.diskWork.during(id, context.signal, (signal) => flattenLive(parts, context, next, signal));
              } catch (thrown) {
                // It was shut down meanwhile, or is about to be: then it goes on without it.
                if (toGuesthouseError(thrown).code !== 'guest/not-responding') throw thrown;
                await moment();
              }
            } else if (guestCannot(state, 'rebuild') === null && guests.isIdle(id)) {
              await guests.hold(id, 'rebuild', (held) => flattenAtRest(parts, context, held));
              break;
            } else {
              const reason = passing.has(state.status) ? null : guestCannot(state, 'flatten');
              if (reason !== null) throw new Failure('guest/denied', reason);
              await moment();
            }
          }
          images.lineageChanged();
          await parts.tidyLayers();
        },
        async undo(input) {
          const spec = specOf(input.guestId);
          if (spec) await removeHalfMade(layout, spec, input.guestId);
        },
      },
    ],
  };
}

async function flattenLive(
  { guests, keepFreeBytes }: FlattenParts,
  { input, progress }: StepContext<FlattenInput>,
  { path, bases }: LinkedDisk,
  signal: AbortSignal,
): Promise<void> {
  // Asked for again in the moment in which it is begun: something may have been asked of the guest since.
  const disks: LiveDisks | null = guests.liveDisks(input.guestId);
  if (!disks) return;
  let below = 0;
  for (const base of bases) below += ((await stat(base.path).catch(() => null))?.blocks ?? 0) * 512;
  await demandSpace(path, below, keepFreeBytes());
  const bytesPerSecond = input.bytesPerSecond ?? defaultBytesPerSecond;
  await disks.takeInBases({ top: path, depth: 0, length: bases.length + 1, upon: null, bytesPerSecond, signal, progress });
  await syncFile(path);
}

async function flattenAtRest(
  { host, keepFreeBytes }: FlattenParts,
  { signal, progress }: StepContext<FlattenInput>,
  held: HeldGuest,
): Promise<void> {
  held.sayBusy('The guest is being made independent. It can be used when that has ended.');
  const qemuImg = await host.qemuImgPath();
  const linked = await linkedDisks(held.stored.spec, held.files);
  const totalBytes = linked.reduce((sum, { disk }) => sum + disk.sizeBytes, 0);
  let doneBytes = 0;
  for (const { disk, path, bases } of linked) {
    const arriving = arrivingOf(path);
    await demandSpace(arriving, 0, keepFreeBytes());
    await removeFile(arriving);
    const source = { source: path, sourceFormat: disk.format, sourceBases: bases, target: arriving, signal };
    const onProgress = (share: number) => progress(Math.round(doneBytes + share * disk.sizeBytes), totalBytes);
    await convertDisk(qemuImg, { ...source, onProgress });
    await mustBeWhole(qemuImg, { path, bases }, arriving, `The disk ${disk.id} of ${held.stored.spec.name}`, signal);
    signal.throwIfAborted();
    await moveIntoPlace(arriving, path);
    doneBytes += disk.sizeBytes;
  }
}

async function mustBeWhole(
  qemuImg: string,
  was: { path: string; bases: DiskLink[] },
  made: string,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const check = await checkDisk(qemuImg, made);
  const same = await readsTheSame(
    qemuImg,
    [
      { ...was, format: 'qcow2' },
      { path: made, format: 'qcow2' },
    ],
    signal,
  );
  if (check.state !== 'corrupt' && same) return;
  throw new Failure('image/corrupt', `${what} did not come out right, and is left as it was.`, {
    hint: 'Check the disk that the data folder lies on, then try again.',
    ...(check.detail ? { detail: check.detail } : {}),
  });
}
