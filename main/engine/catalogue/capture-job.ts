/**
 * The job that makes an image of a guest: its first disk, whole and standing alone, with what is known of the system inside. The last
 * steps are those of an import, which takes over the copy. It can be run again from the start at any time.
 */
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import type { Disk, GuestSpec } from '../../../contract/guest-spec.ts';
import { guestId, imageId } from '../../../contract/ids.ts';
import { imageChanges } from '../../../contract/image.ts';
import { removeFile, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { Guests } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { demandSpace } from '../images/copy-medium.ts';
import type { Images } from '../images/images.ts';
import type { ImportInput } from '../images/import-job.ts';
import { convertDisk } from '../images/qemu-img.ts';
import type { JobDefinition, JobStepDefinition } from '../jobs/job-definition.ts';
import { readBases } from '../layers/disk-chain.ts';
import type { Catalogue } from './catalogue.ts';

const captureInput = imageChanges
  .pick({ series: true, lifecycle: true })
  .extend({ imageId, guestId, guestName: z.string(), name: z.string(), addedBy: z.string() });
export type CaptureInput = z.infer<typeof captureInput>;

type Deps = {
  layout: Layout;
  guests: () => Pick<Guests, 'hold' | 'show'>;
  images: () => Pick<Images, 'list' | 'edit' | 'fillIn'>;
  importDefinition: () => JobDefinition<ImportInput>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  keepFreeBytes: () => number;
  factsOf: Catalogue['factsOf'];
};

/** The disk that a guest boots from, or its first. @throws Failure `guest/denied` for a guest without one */
export function capturedDisk(spec: GuestSpec): Disk {
  const order = (disk: Disk) => disk.bootOrder ?? Number.POSITIVE_INFINITY;
  const [first] = [...spec.disks].sort((one, other) => order(one) - order(other));
  if (first) return first;
  throw new Failure('guest/denied', `${spec.name} has no disk of which an image could be made.`);
}

export function defineCapture(deps: Deps): JobDefinition<CaptureInput> {
  const { layout } = deps;
  const isThere = (id: CaptureInput['imageId']) =>
    deps
      .images()
      .list()
      .some((image) => image.id === id);

  const copy: JobStepDefinition<CaptureInput> = {
    name: 'Copy its disk',
    weight: 70,
    async run({ input, signal, progress }) {
      if (isThere(input.imageId)) return;
      const target = layout.imageCapturing(input.imageId);
      try {
        makePrivateFolder(layout.images);
      } catch (thrown) {
        throw toWriteFailure(thrown, layout.images);
      }
      await deps.guests().hold(input.guestId, 'clone', async (held) => {
        held.sayBusy('An image is being made of the guest. It can be used when that has ended.');
        const { spec } = held.stored;
        const disk = capturedDisk(spec);
        const path = disk.location.kind === 'store' ? held.files.disk(disk.location.file) : disk.location.path;
        const sourceBases = disk.format === 'qcow2' ? await readBases(path, held.files.bases, `The disk ${disk.id} of ${spec.name}`) : [];
        await demandSpace(target, 0, deps.keepFreeBytes());
        await removeFile(target);
        await convertDisk(await deps.host.qemuImgPath(), {
          source: path,
          sourceFormat: disk.format,
          sourceBases,
          target,
          signal,
          onProgress: (share) => progress(Math.round(share * disk.sizeBytes), disk.sizeBytes),
        });
      });
    },
    async undo(input) {
      await removeFile(layout.imageCapturing(input.imageId));
    },
  };

  const importInput = (input: CaptureInput): ImportInput => ({
    imageId: input.imageId,
    path: layout.imageCapturing(input.imageId),
    name: input.name,
    addedBy: input.addedBy,
    origin: `The guest ${input.guestName}`,
    own: true,
  });

  const describe: JobStepDefinition<CaptureInput> = {
    name: 'Note what is known of it',
    weight: 1,
    async run({ input: { imageId: id, guestId: guest, series, lifecycle } }) {
      await removeFile(layout.imageCapturing(id));
      // The same content was in the library already: then it is not ours to describe.
      if (!isThere(id)) return;
      const { os, firmware } = deps.guests().show(guest).spec;
      await deps.images().fillIn(id, { os, firmware, facts: deps.factsOf(guest) });
      const wanted = { ...(series ? { series } : {}), ...(lifecycle ? { lifecycle } : {}) };
      await deps.images().edit(id, wanted, []);
    },
  };

  return {
    kind: 'image.capture',
    parseInput: (value) => captureInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    get steps() {
      const { steps } = deps.importDefinition();
      const taking = steps.map(
        ({ name, weight, run, undo }): JobStepDefinition<CaptureInput> => ({
          name,
          weight: weight / 4,
          async run(context) {
            if (!isThere(context.input.imageId)) await run({ ...context, input: importInput(context.input) });
          },
          ...(undo ? { undo: (input) => undo(importInput(input)) } : {}),
        }),
      );
      return [copy, ...taking, describe];
    },
  };
}
