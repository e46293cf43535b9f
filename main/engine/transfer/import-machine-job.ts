/**
 * The job that makes a guest of a machine of another product. It can be run again from the start as long as the guest is still being created;
 * what it made lies in the guest's folder and goes with it.
 */
import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { guestSpec } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId } from '../../../contract/ids.ts';
import type { CreationGuests } from '../creation/create-job.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Feed } from '../feed/feed.ts';
import { moveIntoPlace, removeFile, syncFolder, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import { removeFolder } from '../guests/guest-folders.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { type ByteSource, fileSource, slice } from '../images/byte-source.ts';
import { copyMedium, demandSpace } from '../images/copy-medium.ts';
import { convertForeign } from '../images/foreign/convert-foreign.ts';
import { finishDisk } from '../images/finished-disk.ts';
import { acceptedHeader, isPlainQcow2, recheckHeader } from '../images/inspect.ts';
import { openMedium } from '../images/open-medium.ts';
import { isQcow2, qcow2HeaderBytes } from '../images/qcow2-header.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import { forgetBootTest, testBoot } from './boot-test.ts';
import { type MachineDiskRef, machineDiskRef, openMachineDisk } from './machine-disk.ts';
import { checkHash, manifestEntry } from './manifest.ts';

const importInput = z.object({
  guestId,
  spec: guestSpec,
  disks: z.array(z.object({ ref: machineDiskRef, file: z.string(), virtualSizeBytes: z.number(), fileSizeBytes: z.number() })),
  /** Hashes that the manifest names for these disks. */
  hashes: z.array(z.object({ entry: manifestEntry, ref: machineDiskRef })),
  /** Of a capsule: state of its firmware and its TPM, by the name of the file that it becomes. */
  extras: z.array(
    z.object({ ref: machineDiskRef, role: z.enum(['nvram', 'tpm']), file: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,90}$/) }),
  ),
  bootTest: z.boolean(),
});
export type MachineImportInput = z.infer<typeof importInput>;

type Deps = {
  layout: Layout;
  guests: CreationGuests;
  driver: Driver;
  feed: Feed;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  keepFreeBytes: () => number;
};

export function defineMachineImport({ layout, guests, driver, feed, host, keepFreeBytes }: Deps): JobDefinition<MachineImportInput> {
  const stillCreating = (id: GuestId) => guests.list().some((guest) => guest.id === id && guest.state.status === 'creating');
  const diskOf = (id: GuestId, file: string) => layout.guest(id).disk(file);
  const arrivingOf = (id: GuestId, file: string) => `${diskOf(id, file)}.arriving`;

  const copy = async (ref: MachineDiskRef, target: string, signal: AbortSignal, onProgress: (done: number, total: number) => void) => {
    const options = { sourcePath: ref.path, target, keepFreeBytes: keepFreeBytes(), signal, onProgress };
    if (!ref.member && ref.format === 'qcow2') {
      const medium = await openMedium(ref.path);
      try {
        if (await isPlainQcow2(medium)) {
          await copyMedium({ source: medium.file, ...options });
          return await recheckHeader(target, { path: ref.path, format: 'qcow2', fileSizeBytes: medium.sizeBytes });
        }
      } finally {
        await medium.file.close();
      }
    }
    const disk = await openMachineDisk(ref);
    try {
      await convertForeign({ qemuImg: await host.qemuImgPath(), disk, ...options });
    } finally {
      await disk.close();
    }
  };

  const copyAll = async ({ input, signal, progress }: StepContext<MachineImportInput>) => {
    const total = input.disks.reduce((sum, disk) => sum + disk.virtualSizeBytes, 0);
    const { folder } = layout.guest(input.guestId);
    const needed = input.disks.reduce((sum, disk) => sum + Math.min(disk.fileSizeBytes, disk.virtualSizeBytes), 0);
    await demandSpace(`${folder}/disk`, needed, keepFreeBytes());
    let before = 0;
    for (const { ref, file, virtualSizeBytes } of input.disks) {
      const target = arrivingOf(input.guestId, file);
      await removeFile(target);
      await copy(ref, target, signal, (done, of) => progress(before + Math.round((done / Math.max(of, 1)) * virtualSizeBytes), total));
      before += virtualSizeBytes;
      progress(before, total);
    }
  };

  const copyExtras = async ({ guestId: id, extras }: MachineImportInput) => {
    const files = layout.guest(id);
    for (const { ref, role, file } of extras) {
      const target = role === 'nvram' ? files.nvram : join(files.tpmState, file);
      const medium = await openMedium(ref.path);
      try {
        const whole = fileSource(medium.file, medium.sizeBytes);
        const source = ref.member ? slice(whole, ref.member.offset, ref.member.sizeBytes) : whole;
        const head = await source.read(0, qcow2HeaderBytes);
        // Variables may be kept as qcow2, which could name another file.
        if (isQcow2(head)) acceptedHeader(head, { sizeBytes: source.sizeBytes }, ref.name);
        makePrivateFolder(dirname(target));
        await writeBytes(target, source);
      } finally {
        await medium.file.close();
      }
    }
  };

  const checkAll = async ({ input, signal }: StepContext<MachineImportInput>) => {
    const qemuImg = await host.qemuImgPath();
    for (const { ref, file, virtualSizeBytes } of input.disks) {
      const arriving = arrivingOf(input.guestId, file);
      const hint = 'Check the source and the disk that the data folder lies on, then try again.';
      const what = `The copy of “${ref.name}”`;
      await finishDisk(qemuImg, { arriving, target: diskOf(input.guestId, file), sizeBytes: virtualSizeBytes, what, hint }, signal);
    }
  };

  return {
    kind: 'machine.import',
    parseInput: (value) => importInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [
      {
        name: 'Make its folder',
        weight: 1,
        async run({ input }) {
          if (!stillCreating(input.guestId)) return;
          const { folder } = layout.guest(input.guestId);
          try {
            makePrivateFolder(folder);
            await syncFolder(dirname(folder));
          } catch (thrown) {
            throw toWriteFailure(thrown, folder);
          }
        },
        // Undone last, so that the guest goes when everything in its folder has gone.
        undo: (input) => guests.abandonCreation(input.guestId),
      },
      {
        name: 'Check its files against the manifest',
        weight: 10,
        async run({ input, signal, progress }) {
          if (!stillCreating(input.guestId)) return;
          const sizes = await Promise.all(input.hashes.map(async ({ ref }) => ref.member?.sizeBytes ?? (await stat(ref.path)).size));
          const total = sizes.reduce((sum, size) => sum + size, 0);
          let done = 0;
          for (const { entry, ref } of input.hashes) {
            const medium = await openMedium(ref.path);
            try {
              const whole = fileSource(medium.file, medium.sizeBytes);
              const source = ref.member ? slice(whole, ref.member.offset, ref.member.sizeBytes) : whole;
              await checkHash(source, entry, signal, (bytes) => {
                done += bytes;
                progress(done, total);
              });
            } finally {
              await medium.file.close();
            }
          }
        },
      },
      {
        name: 'Copy its disks',
        weight: 70,
        async run(context) {
          const { input } = context;
          // What was checked and moved by a run before is not copied again only to be tried.
          if (!stillCreating(input.guestId)) return;
          await copyExtras(input);
          await copyAll(context);
        },
        async undo(input) {
          for (const { file } of input.disks) {
            await removeFile(arrivingOf(input.guestId, file));
            await removeFolder(`${arrivingOf(input.guestId, file)}.pieces`);
          }
        },
      },
      {
        name: 'Check the copies',
        weight: 3,
        async run(context) {
          if (stillCreating(context.input.guestId)) await checkAll(context);
        },
        async undo(input) {
          if (!stillCreating(input.guestId)) return;
          for (const { file } of input.disks) await removeFile(diskOf(input.guestId, file));
        },
      },
      {
        name: 'Try whether it boots',
        weight: 15,
        async run({ input, signal, progress }) {
          if (!input.bootTest || !stillCreating(input.guestId)) return;
          const { guestId: id, spec } = input;
          const test = await testBoot({ id, spec, layout, driver, qemuImg: await host.qemuImgPath(), signal, onProgress: progress });
          feed.record({
            severity: test.verdict === 'booted' ? 'info' : 'warning',
            kind: 'machine.bootTest',
            text: `${spec.name} ${verdicts[test.verdict]} when it was tried. ${test.text}`,
            guestId: id,
          });
        },
        undo: ({ guestId: id, spec }) => forgetBootTest({ id, spec, layout, driver }),
      },
      {
        name: 'Finish',
        weight: 1,
        async run({ input }) {
          if (stillCreating(input.guestId)) guests.finishCreation(input.guestId, input.spec);
        },
      },
    ],
  };
}

async function writeBytes(target: string, source: ByteSource): Promise<void> {
  const file = await open(`${target}.arriving`, 'w', 0o600).catch((thrown: unknown) => {
    throw toWriteFailure(thrown, target);
  });
  try {
    for (let at = 0; at < source.sizeBytes; ) {
      const bytes = await source.read(at, 1024 * 1024);
      if (bytes.length === 0) break;
      await file.write(bytes, 0, bytes.length, at);
      at += bytes.length;
    }
  } catch (thrown) {
    throw toWriteFailure(thrown, target);
  } finally {
    await file.close();
  }
  await moveIntoPlace(`${target}.arriving`, target);
}

const verdicts = {
  booted: 'booted',
  reading: 'began to boot, but did not visibly arrive,',
  idle: 'did not boot',
  failed: 'could not be started',
} as const;
