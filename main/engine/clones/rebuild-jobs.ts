/**
 * Moving a guest's disks to another image. A disk is made anew beside the old one and takes its name when it is whole, so that a guest has one
 * or the other at every moment.
 */
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { type Disk, diskFormat, type GuestSpec } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId, imageId } from '../../../contract/ids.ts';
import { removeFile } from '../files/durable.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import type { Guests } from '../guests/guests.ts';
import { arrivingOf, createOverlay } from '../images/empty-overlay.ts';
import type { ImageRegistry } from '../images/image-registry.ts';
import type { JobDefinition } from '../jobs/job-definition.ts';
import { protectBase } from '../layers/base-protection.ts';
import { type DiskLink, readBases } from '../layers/disk-chain.ts';
import { isEmptyOverlay } from '../layers/freeze-disks.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';

const rebaseInput = z.object({ guestId, imageId, path: z.string(), format: diskFormat });
export type RebaseInput = z.infer<typeof rebaseInput>;

export type RebuildParts = {
  layout: Layout;
  guests: Pick<Guests, 'hold'>;
  images: Pick<ImageRegistry, 'show' | 'lineageChanged'>;
  lineageLock: LineageLock;
  /** Notes from which image a guest is now. */
  recordOrigin(guest: RebaseInput['guestId'], image: RebaseInput['imageId']): void;
};

/** A disk of a guest that builds upon others, the nearest first. */
export type LinkedDisk = { disk: Disk; path: string; bases: DiskLink[] };

/** The disks of a guest that do not stand alone. @throws Failure as {@link readBases} */
export async function linkedDisks(spec: GuestSpec, files: GuestFiles): Promise<LinkedDisk[]> {
  const linked: LinkedDisk[] = [];
  for (const disk of spec.disks) {
    if (disk.location.kind !== 'store' || disk.format !== 'qcow2') continue;
    const path = files.disk(disk.location.file);
    const bases = await readBases(path, files.bases, `The disk ${disk.id} of ${spec.name}`);
    if (bases.length > 0) linked.push({ disk, path, bases });
  }
  return linked;
}

/** The image on which a disk's chain ends, or null. */
export function groundImage({ bases }: Pick<LinkedDisk, 'bases'>, layout: Pick<Layout, 'images'>): DiskLink | null {
  const ground = bases.at(-1);
  return ground?.path.startsWith(layout.images) ? ground : null;
}

/** Whether all that a disk holds is its image's: neither it nor any layer between holds anything of its own. */
export async function holdsNothingOfItsOwn({ path, bases }: Pick<LinkedDisk, 'path' | 'bases'>): Promise<boolean> {
  for (const file of [path, ...bases.slice(0, -1).map((base) => base.path)]) if (!(await isEmptyOverlay(file))) return false;
  return true;
}

export async function removeHalfMade(layout: Layout, spec: GuestSpec, id: GuestId): Promise<void> {
  const files = layout.guest(id);
  for (const { location } of spec.disks) if (location.kind === 'store') await removeFile(arrivingOf(files.disk(location.file)));
}

/** Only for disks that hold nothing of their own (`guest-clones.ts` looks, and so does this again): what they were is what the image was. */
export function defineRebase(parts: RebuildParts, specOf: (id: RebaseInput['guestId']) => GuestSpec | null): JobDefinition<RebaseInput> {
  const { layout, guests, images, lineageLock, recordOrigin } = parts;
  return {
    kind: 'guest.rebase',
    parseInput: (value) => rebaseInput.parse(value),
    afterCrash: 'resume',
    cancellable: false,
    steps: [
      {
        name: 'Build upon the other image',
        weight: 1,
        async run({ input }) {
          await guests.hold(input.guestId, 'rebuild', async ({ stored: { spec }, files }) => {
            await lineageLock(async () => {
              images.show(input.imageId);
              for (const linked of await linkedDisks(spec, files)) {
                const ground = groundImage(linked, layout);
                if (!ground || ground.path === input.path) continue;
                if (!(await holdsNothingOfItsOwn(linked))) throw hasDataOfItsOwn(spec.name, linked.disk.id);
                await protectBase(input.path);
                await createOverlay(linked.path, { path: input.path, format: input.format }, linked.disk.sizeBytes);
              }
            });
          });
          recordOrigin(input.guestId, input.imageId);
          images.lineageChanged();
        },
        async undo(input) {
          const spec = specOf(input.guestId);
          if (spec) await removeHalfMade(layout, spec, input.guestId);
        },
      },
    ],
  };
}

export function hasDataOfItsOwn(name: string, diskId: string): Failure {
  return new Failure(
    'guest/has-own-data',
    `The disk ${diskId} of ${name} holds data of its own, which belong to the image that it builds upon: upon another image they would make no sense.`,
    { hint: 'Make a new guest from the other image, and move your data there.' },
  );
}
