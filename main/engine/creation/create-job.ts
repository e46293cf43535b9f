/**
 * The job that makes a guest's disks. It can be run again from the start as long as the guest is still being created; once the guest is finished
 * every step leaves it alone.
 */
import { rm, stat } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { diskFormat, type GuestSpec, guestSpec } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId, imageId } from '../../../contract/ids.ts';
import { moveIntoPlace, removeFile } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makeGuestFolder } from '../guests/guest-folders.ts';
import { type Guests, isCreating } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { copyMedium, demandSpace, withSpaceWatched } from '../images/copy-medium.ts';
import { createOverlay } from '../images/empty-overlay.ts';
import { checkFinishedDisk } from '../images/finished-disk.ts';
import { convertForeign } from '../images/foreign/convert-foreign.ts';
import { type ForeignFormat, foreignFormats } from '../images/foreign/foreign-disk.ts';
import { openForeign } from '../images/foreign/open-foreign.ts';
import type { Images } from '../images/images.ts';
import { isPlainQcow2, recheckHeader } from '../images/inspect.ts';
import { openMedium } from '../images/open-medium.ts';
import { convertDisk, createDisk, diskInfo, growDisk } from '../images/qemu-img.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import { protectBase } from '../layers/base-protection.ts';
import { readBases } from '../layers/disk-chain.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Seeds } from '../unattended/seeds.ts';
import { firstDiskFile } from './plan-spec.ts';

const diskWork = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('none') }),
  z.object({ kind: z.literal('empty'), sizeBytes: z.number() }),
  z.object({ kind: z.literal('share'), imageId, from: z.string(), format: diskFormat, sizeBytes: z.number() }),
  z.object({
    kind: z.literal('copy'),
    from: z.string(),
    format: z.enum(['qcow2', 'raw', ...foreignFormats]),
    fileSizeBytes: z.number(),
    virtualSizeBytes: z.number(),
    sizeBytes: z.number(),
  }),
]);
/** What is copied out of the installation medium for a first start that installs the system by itself. */
const installerWork = z.object({
  isoPath: z.string(),
  places: z.array(z.object({ kernel: z.string(), initrd: z.string() })),
  hasAnswers: z.boolean(),
});
const createInput = z.object({ guestId, spec: guestSpec, work: diskWork, installer: installerWork.nullable().default(null) });
export type CreateInput = z.infer<typeof createInput>;

export type CreationGuests = Pick<Guests, 'list' | 'listTrash' | 'nameTaken' | 'beginCreation' | 'finishCreation' | 'abandonCreation'>;

type Work<Kind extends CreateInput['work']['kind']> = Extract<CreateInput['work'], { kind: Kind }>;

type Deps = {
  layout: Layout;
  guests: CreationGuests;
  images: Pick<Images, 'inspect' | 'show'>;
  seeds: Pick<Seeds, 'takeInstaller' | 'forget'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  lineageLock: LineageLock;
  keepFreeBytes: () => number;
};

export function defineCreate({ layout, guests, images, seeds, host, lineageLock, keepFreeBytes }: Deps): JobDefinition<CreateInput> {
  const diskOf = (id: GuestId) => layout.guest(id).disk(firstDiskFile);
  const arrivingOf = (id: GuestId) => `${diskOf(id)}.arriving`;
  const stillCreating = (id: GuestId) => isCreating(guests, id);

  const copy = async (work: Work<'copy'>, { input, signal, progress }: StepContext<CreateInput>) => {
    const target = arrivingOf(input.guestId);
    const before = await identityOf(work.from);
    const report = await images.inspect(work.from);
    if (report.virtualSizeBytes !== work.virtualSizeBytes || report.fileSizeBytes !== work.fileSizeBytes) throw changed(work.from);
    if (work.format === 'qcow2') {
      const medium = await openMedium(work.from);
      try {
        // As it is, a packed disk stays packed, and where the file system can share blocks the copy takes no time and no room.
        if (await isPlainQcow2(medium)) {
          await copyMedium({
            source: medium.file,
            sourcePath: work.from,
            target,
            keepFreeBytes: keepFreeBytes(),
            signal,
            onProgress: progress,
          });
          return await recheckHeader(target, report);
        }
      } finally {
        await medium.file.close();
      }
    }
    await demandSpace(target, Math.min(work.fileSizeBytes, work.virtualSizeBytes), keepFreeBytes());
    const { format } = work;
    if (format !== 'qcow2' && format !== 'raw') return convert(work.from, format, target, signal, progress);
    await removeFile(target);
    await withSpaceWatched(target, keepFreeBytes(), signal, async (watched) =>
      convertDisk(await host.qemuImgPath(), {
        source: work.from,
        sourceFormat: format,
        target,
        signal: watched,
        onProgress: (share) => progress(Math.round(share * work.virtualSizeBytes), work.virtualSizeBytes),
      }),
    );
    if ((await identityOf(work.from)) !== before) throw changed(work.from);
  };

  const share = ({ imageId: wanted, from, format, sizeBytes }: Work<'share'>, { input }: StepContext<CreateInput>) =>
    lineageLock(async () => {
      // It may have been deleted since it was planned, and what is built upon now cannot be any more.
      images.show(wanted);
      const target = diskOf(input.guestId);
      await demandSpace(target, 0, keepFreeBytes());
      await protectBase(from);
      await createOverlay(target, { path: from, format }, sizeBytes);
    });

  /** A disk of another product. */
  const convert = async (
    from: string,
    format: ForeignFormat,
    target: string,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ) => {
    const medium = await openMedium(from);
    try {
      const disk = await openForeign(medium, format);
      try {
        const qemuImg = await host.qemuImgPath();
        await convertForeign({ qemuImg, disk, sourcePath: from, target, keepFreeBytes: keepFreeBytes(), signal, onProgress });
      } finally {
        await disk.close();
      }
    } finally {
      await medium.file.close();
    }
  };

  return {
    kind: 'guest.create',
    parseInput: (value) => createInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    isLight: ({ work }) => work.kind !== 'copy',
    steps: [
      {
        name: 'Make its folder',
        weight: 1,
        async run({ input }) {
          if (stillCreating(input.guestId)) await makeGuestFolder(layout.guest(input.guestId).folder);
        },
        // Undone last, so that the guest goes when everything in its folder has gone.
        async undo(input) {
          await guests.abandonCreation(input.guestId);
          seeds.forget(input.guestId);
        },
      },
      {
        name: 'Take the installer from its disc',
        weight: 2,
        async run({ input, signal }) {
          if (stillCreating(input.guestId) && input.installer) await seeds.takeInstaller(input.guestId, input.installer, signal);
        },
      },
      {
        name: 'Make its disk',
        weight: 93,
        async run(context) {
          const { input, signal } = context;
          if (!stillCreating(input.guestId) || input.work.kind === 'none') return;
          const target = arrivingOf(input.guestId);
          if (input.work.kind === 'copy') await copy(input.work, context);
          else if (input.work.kind === 'share') await share(input.work, context);
          else {
            await demandSpace(target, 0, keepFreeBytes());
            await removeFile(target);
            await createDisk(await host.qemuImgPath(), target, input.work.sizeBytes, signal);
          }
        },
        async undo(input) {
          await removeFile(arrivingOf(input.guestId));
          if (stillCreating(input.guestId)) await removeFile(diskOf(input.guestId));
          await rm(`${arrivingOf(input.guestId)}.pieces`, { recursive: true, force: true });
        },
      },
      {
        name: 'Check it',
        weight: 3,
        async run({ input, signal }) {
          if (!stillCreating(input.guestId) || input.work.kind === 'none') return;
          if (input.work.kind === 'share') {
            await readBases(diskOf(input.guestId), layout.guest(input.guestId).bases, `The disk of “${input.spec.name}”`);
            return;
          }
          const arriving = arrivingOf(input.guestId);
          const qemuImg = await host.qemuImgPath();
          const present = await diskInfo(qemuImg, arriving, 'qcow2');
          if (present.virtualSizeBytes < input.work.sizeBytes) await growDisk(qemuImg, arriving, 'qcow2', input.work.sizeBytes, signal);
          const hint = 'Check the disk that the data folder lies on, then try again.';
          const what = `The disk of “${input.spec.name}”`;
          await checkFinishedDisk(qemuImg, arriving, { sizeBytes: input.work.sizeBytes, what, hint });
          signal.throwIfAborted();
          await moveIntoPlace(arriving, diskOf(input.guestId));
        },
      },
      {
        name: 'Finish',
        weight: 1,
        async run({ input }) {
          if (stillCreating(input.guestId)) guests.finishCreation(input.guestId, input.spec satisfies GuestSpec);
        },
      },
    ],
  };
}

function changed(path: string): Failure {
  return new Failure('image/changed', `${path} changed while it was copied.`, { hint: 'Wait until it is complete, then try again.' });
}

async function identityOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch((error: unknown) => {
    throw new Failure('image/file-missing', `${path} is no longer there.`, { detail: String(error) });
  });
  return [found.dev, found.ino, found.size, found.mtimeNs].join('|');
}
