/**
 * An OVA, or an OVF with its files, for the library instead of for a guest: each of its disks becomes an image. The job's last steps are those
 * of an import, done for one disk after the other.
 */
import { rm, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { firmwareKind, osIdentity } from '../../../contract/guest-spec.ts';
import { imageId } from '../../../contract/ids.ts';
import { type ImportReport, noFacts } from '../../../contract/image.ts';
import type { Job } from '../../../contract/job.ts';
import { removeFile, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { demandSpace } from '../images/copy-medium.ts';
import { checkFinishedDisk } from '../images/finished-disk.ts';
import { convertForeign } from '../images/foreign/convert-foreign.ts';
import type { Images } from '../images/images.ts';
import type { ImportInput } from '../images/import-job.ts';
import type { JobDefinition, JobRunner, StepContext } from '../jobs/job-definition.ts';
import type { OsRecognition, Recognition } from '../os/os-recognition.ts';
import { newImageId } from '../store/new-id.ts';
import { machineDiskRef, openMachineDisk } from './machine-disk.ts';
import { checkHashes, hashesOf, manifestHash } from './manifest-check.ts';
import { type FoundMachine, findMachine } from './open-machine.ts';
import { type ReadDisk, readMachineDisk, recogniseMachine } from './read-machine.ts';

const imagesInput = z.object({
  path: z.string(),
  addedBy: z.string(),
  disks: z.array(
    z.object({
      imageId,
      name: z.string(),
      ref: machineDiskRef,
      virtualSizeBytes: z.number(),
      fileSizeBytes: z.number(),
      /** "sha256:…" of the manifest. */
      checksum: z.string().nullable(),
    }),
  ),
  hashes: z.array(manifestHash),
  /** What the description says, for disks in which nothing was recognised; null when it says nothing that is known. */
  known: z.object({ os: osIdentity, firmware: firmwareKind }).nullable(),
});
type ImagesInput = z.infer<typeof imagesInput>;
type DiskInput = ImagesInput['disks'][number];

export type ArchiveImagesDeps = {
  layout: Layout;
  jobs: Pick<JobRunner, 'start'>;
  images: Pick<Images, 'pick' | 'fillIn'> & { importDefinition: JobDefinition<ImportInput> };
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  recognition: OsRecognition;
  keepFreeBytes: () => number;
};

export type ArchiveImages = {
  definition: JobDefinition<ImagesInput>;
  /** Reads an archive without copying anything. @throws Failure `machine/*`, `image/*` */
  inspect(path: string): Promise<ImportReport>;
  /** @throws Failure as `inspect` */
  import(path: string, name: string | undefined, by: string): Promise<Job>;
};

/** Whether a file is one whose disks become images, by its name: its content is looked at when it is opened. */
export const holdsDisks = (path: string): boolean => /\.(ova|ovf)$/i.test(path);

export function createArchiveImages(deps: ArchiveImagesDeps): ArchiveImages {
  const { recognition, jobs } = deps;
  const definition = defineImagesImport(deps);

  const read = async (path: string): Promise<{ found: FoundMachine; disks: FoundImage[]; recognised: Recognition }> => {
    const found = await findMachine(path);
    const disks: FoundImage[] = [];
    for (const { ref, problem, outside } of found.disks) {
      if (problem) throw problem;
      if (!ref || outside) {
        throw new Failure(
          'image/outside-reference',
          `“${basename(path)}” names a disk outside its own folder: ${ref?.path ?? 'nowhere'}.`,
          {
            hint: 'Copy its files into one folder, or import that disk itself.',
            path: 'path',
          },
        );
      }
      disks.push({ ref, ...(await readMachineDisk(ref, recognition)) });
    }
    if (disks.length === 0)
      throw new Failure('image/not-an-image', `“${basename(path)}” describes a machine without disks.`, { path: 'path' });
    return { found, disks, recognised: await recogniseMachine(found, disks, recognition) };
  };

  return {
    definition,

    async inspect(path) {
      const { found, disks, recognised } = await read(path);
      const report = disks[0]?.content.report ?? null;
      const names = namesOf(found, path, disks.length);
      return {
        path,
        format: found.kind === 'ova' ? 'ova' : 'ovf',
        packing: null,
        fileSizeBytes: found.kind === 'ova' ? (await stat(path)).size : disks.reduce((sum, disk) => sum + disk.fileSizeBytes, 0),
        virtualSizeBytes: disks.reduce((sum, disk) => sum + disk.virtualSizeBytes, 0),
        label: report?.label ?? null,
        os: recognised.os,
        recognisedBy: recognised.by,
        bootable: report?.bootable ?? { bios: true, uefi: false },
        firmware: firmwareOf(found, disks),
        facts: report?.facts ?? noFacts,
        notes: ['It holds a whole machine; in the library only its disks are kept, converted to qcow2.', ...(report?.notes ?? [])],
        disks: disks.map(({ ref, virtualSizeBytes }, index) => ({ file: ref.name, name: names[index] ?? ref.name, virtualSizeBytes })),
      };
    },

    async import(path, name, by) {
      const { found, disks, recognised } = await read(path);
      const names = namesOf(found, path, disks.length, name);
      const input: ImagesInput = {
        path,
        addedBy: by,
        disks: disks.map(({ ref, virtualSizeBytes, fileSizeBytes }, index) => {
          const hash = found.manifest?.find(({ file }) => file === ref.name);
          return {
            imageId: newImageId(),
            name: names[index] ?? ref.name,
            ref,
            virtualSizeBytes,
            fileSizeBytes,
            checksum: hash ? `${hash.algorithm}:${hash.hex}` : null,
          };
        }),
        hashes: hashesOf(found),
        known: recognised.by === null ? null : { os: recognised.os, firmware: firmwareOf(found, disks) },
      };
      const [first] = input.disks;
      return jobs.start(definition, {
        title: `Import ${input.disks.length === 1 ? first?.name : `${input.disks.length} disks of ${basename(path)}`}`,
        target: { kind: 'image', id: first?.imageId ?? null, name: first?.name ?? basename(path) },
        input,
        startedBy: by,
      });
    },
  };
}

type FoundImage = Omit<ReadDisk, 'source'>;

/** What the images are called: as the machine, with a number where there are several. */
function namesOf({ machine }: FoundMachine, path: string, count: number, wanted?: string): string[] {
  const whole = wanted ?? machine.name ?? basename(path, extname(path));
  if (count === 1) return [whole.slice(0, 200)];
  return Array.from({ length: count }, (_, index) => `${whole.slice(0, 180)}, disk ${index + 1}`);
}

function firmwareOf({ machine }: FoundMachine, disks: readonly FoundImage[]) {
  return machine.firmware ?? (disks.some(({ content }) => content.report?.prefersUefi) ? 'uefi' : 'bios');
}

function defineImagesImport({ layout, images, host, keepFreeBytes }: ArchiveImagesDeps): JobDefinition<ImagesInput> {
  const { steps } = images.importDefinition;
  const isThere = ({ imageId: id }: DiskInput) => images.pick([id]).length > 0;
  const convertedOf = ({ imageId: id }: DiskInput) => layout.imageUnpacking(id);
  const importInput = ({ path, addedBy }: ImagesInput, disk: DiskInput): ImportInput => ({
    imageId: disk.imageId,
    path: convertedOf(disk),
    name: disk.name,
    origin: `${path}: ${disk.ref.name}`,
    addedBy,
    own: true,
    ...(disk.checksum ? { checksum: disk.checksum } : {}),
  });

  const convertAll = async ({ input, signal, progress }: StepContext<ImagesInput>) => {
    const total = input.disks.reduce((sum, disk) => sum + disk.virtualSizeBytes, 0);
    try {
      makePrivateFolder(layout.images);
    } catch (thrown) {
      throw toWriteFailure(thrown, layout.images);
    }
    const needed = input.disks.reduce((sum, disk) => sum + Math.min(disk.fileSizeBytes, disk.virtualSizeBytes), 0);
    await demandSpace(`${layout.images}/disk`, needed, keepFreeBytes());
    const qemuImg = await host.qemuImgPath();
    let before = 0;
    for (const disk of input.disks) {
      const { ref, virtualSizeBytes } = disk;
      const target = convertedOf(disk);
      // One that an engine before this brought as far as the library is not converted again.
      if (!isThere(disk)) {
        const opened = await openMachineDisk(ref);
        try {
          const onProgress = (done: number, of: number) =>
            progress(before + Math.round((done / Math.max(of, 1)) * virtualSizeBytes), total);
          await convertForeign({ qemuImg, disk: opened, sourcePath: ref.path, target, keepFreeBytes: keepFreeBytes(), signal, onProgress });
        } finally {
          await opened.close();
        }
        const hint = 'Check the source and the disk that the data folder lies on, then try again.';
        await checkFinishedDisk(qemuImg, target, { sizeBytes: virtualSizeBytes, what: `The copy of “${ref.name}”`, hint });
      }
      before += virtualSizeBytes;
      progress(before, total);
    }
  };

  const addAll = async (context: StepContext<ImagesInput>) => {
    const { input } = context;
    for (const [index, disk] of input.disks.entries()) {
      if (!isThere(disk)) {
        for (const step of steps) await step.run({ ...context, input: importInput(input, disk), progress: () => undefined });
        if (input.known) await images.fillIn(disk.imageId, { ...input.known, facts: null });
      }
      await removeFile(convertedOf(disk));
      context.progress(index + 1, input.disks.length);
    }
  };

  return {
    kind: 'image.importDisks',
    parseInput: (value) => imagesInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Check its files against the manifest',
        weight: 10,
        run: ({ input, signal, progress }) => checkHashes(input.hashes, signal, progress),
      },
      {
        name: 'Convert its disks',
        weight: 80,
        run: convertAll,
        async undo({ disks }) {
          for (const disk of disks) {
            await removeFile(convertedOf(disk));
            await rm(`${convertedOf(disk)}.pieces`, { recursive: true, force: true });
          }
        },
      },
      {
        name: 'Add them to the library',
        weight: 10,
        run: addAll,
        async undo(input) {
          for (const disk of input.disks) for (const step of steps.toReversed()) await step.undo?.(importInput(input, disk));
        },
      },
    ],
  };
}
