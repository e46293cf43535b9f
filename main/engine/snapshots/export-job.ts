/** The job that makes an image of a disk of a snapshot, whole and on its own. Its last steps are those of an import. */
import { mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { deviceId } from '../../../contract/guest-spec.ts';
import { guestId, imageId, snapshotId } from '../../../contract/ids.ts';
import { removeFile } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { demandSpace } from '../images/copy-medium.ts';
import type { ImportInput } from '../images/import-job.ts';
import { checkDisk, convertDisk } from '../images/qemu-img.ts';
import type { JobDefinition, JobStepDefinition } from '../jobs/job-definition.ts';
import { readBases, readHeader } from '../layers/disk-chain.ts';
import type { StoredSnapshot } from './store.ts';

const exportInput = z.object({ guestId, snapshotId, diskId: deviceId, imageId, name: z.string(), origin: z.string(), addedBy: z.string() });
export type ExportInput = z.infer<typeof exportInput>;

export type ExportParts = {
  layout: Layout;
  importDefinition: JobDefinition<ImportInput>;
  qemuImgPath(): Promise<string>;
  keepFreeBytes(): number;
  row(id: ExportInput['snapshotId']): StoredSnapshot;
};

/** Copying is nearly all of it; reading the copy once more is the rest. */
const importShare = 0.2;

export function defineExport({ layout, importDefinition, qemuImgPath, keepFreeBytes, row }: ExportParts): JobDefinition<ExportInput> {
  const copyOf = (input: ExportInput) => layout.guest(input.guestId).snapshot(input.snapshotId).exported;
  const importInput = (input: ExportInput): ImportInput => {
    const { imageId: id, name, origin, addedBy } = input;
    return { imageId: id, path: copyOf(input), name, origin, addedBy, own: true };
  };
  const importSteps = importDefinition.steps.map((step): JobStepDefinition<ExportInput> => {
    const { undo } = step;
    return {
      name: step.name,
      weight: step.weight * importShare,
      run: (context) => step.run({ ...context, input: importInput(context.input) }),
      ...(undo ? { undo: (input) => undo(importInput(input)) } : {}),
    };
  });
  return {
    kind: 'snapshot.export',
    parseInput: (value) => exportInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Copy the disk',
        weight: 100,
        async run({ input, signal, progress }) {
          const { name, disks } = row(input.snapshotId);
          const what = `The disk ${input.diskId} of the snapshot “${name}”`;
          const disk = disks.find(({ id }) => id === input.diskId);
          if (!disk) throw new Failure('snapshot/incomplete', `${what} is not there.`);
          const source = layout.layer(disk.layer);
          const target = copyOf(input);
          const { virtualSizeBytes } = await readHeader(source, what);
          const sourceBases = await readBases(source, { layers: layout.layers, images: layout.images }, what);
          await mkdir(layout.guest(input.guestId).snapshot(input.snapshotId).folder, { recursive: true, mode: 0o700 });
          await demandSpace(target, 0, keepFreeBytes());
          await removeFile(target);
          const qemuImg = await qemuImgPath();
          const onProgress = (share: number) => progress(Math.round(share * virtualSizeBytes), virtualSizeBytes);
          await convertDisk(qemuImg, { source, sourceFormat: 'qcow2', sourceBases, target, signal, onProgress });
          const { state, detail } = await checkDisk(qemuImg, target);
          if (state === 'corrupt') throw new Failure('image/corrupt', `${what} did not come out right.`, { detail: detail ?? '' });
        },
        undo: (input) => removeFile(copyOf(input)),
      },
      ...importSteps,
      { name: 'Tidy up', weight: 1, run: ({ input }) => removeFile(copyOf(input)) },
    ],
  };
}
