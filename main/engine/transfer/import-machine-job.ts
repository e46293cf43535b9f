/**
 * The job that makes a guest of a machine of another product. It can be run again from the start as long as the guest is still being created;
 * what it made lies in the guest's folder and goes with it.
 */
import { chmod, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { diskFormat, guestSpec } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId, type SnapshotId } from '../../../contract/ids.ts';
import type { CreationGuests } from '../creation/create-job.ts';
import type { Driver } from '../drivers/driver.ts';
import type { Feed } from '../feed/feed.ts';
import { moveIntoPlace, removeFile, syncFolder } from '../files/durable.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import { locationOfFolder, makeFolderIn } from '../files/moved-folder.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import { makeGuestFolder } from '../guests/guest-folders.ts';
import { isCreating } from '../guests/guests.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { fileSource } from '../images/byte-source.ts';
import { copyMedium, demandSpace } from '../images/copy-medium.ts';
import { checkFinishedDisk } from '../images/finished-disk.ts';
import { convertForeign } from '../images/foreign/convert-foreign.ts';
import { acceptedHeader, isPlainQcow2, recheckHeader } from '../images/inspect.ts';
import { openMedium } from '../images/open-medium.ts';
import { isQcow2, qcow2HeaderBytes } from '../images/qcow2-header.ts';
import { exportDisk } from '../images/qemu-img.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import { readBases } from '../layers/disk-chain.ts';
import type { Snapshots } from '../snapshots/snapshots.ts';
import { carriedTree } from '../snapshots/store.ts';
import { forgetBootTest, testBoot } from './boot-test.ts';
import { type CarriedFile, carriedDisk, carriedFile, carriedLayer } from './capsule-plan.ts';
import { copyCarriedDisk, copyMember } from './copy-member.ts';
import { type ConversionOutcome, convertDrivers } from './driver-conversion.ts';
import { type MachineDiskRef, machineDiskRef, openMachineDisk } from './machine-disk.ts';
import { checkHashes, manifestHash } from './manifest-check.ts';

const importInput = z.object({
  guestId,
  spec: guestSpec,
  disks: z.array(
    z.object({
      ref: machineDiskRef,
      file: z.string(),
      virtualSizeBytes: z.number(),
      fileSizeBytes: z.number(),
      /** Of a capsule: it is taken as it is. */
      carried: carriedDisk.nullable().default(null),
    }),
  ),
  /** Hashes that the manifest names for these disks. */
  hashes: z.array(manifestHash),
  /** Of a capsule: what its disks and snapshots build upon, each after what it builds upon itself. */
  layers: z.array(carriedLayer).default([]),
  /** Besides disks: state of the firmware and the TPM, and what snapshots keep. */
  extras: z.array(carriedFile),
  tree: carriedTree.nullable().default(null),
  /** The disk whose system is given drivers, and the hardware that the guest gets once it has them. */
  conversion: z.object({ file: z.string(), spec: guestSpec, windowsDrivers: z.string().nullable() }).nullable().default(null),
  bootTest: z.boolean(),
});
export type MachineImportInput = z.infer<typeof importInput>;

type Deps = {
  layout: Layout;
  guests: CreationGuests;
  snapshots: Pick<Snapshots, 'adopt' | 'forsake'>;
  driver: Driver;
  feed: Feed;
  host: Pick<HostCapabilities, 'qemuImgPath' | 'guestfs'>;
  keepFreeBytes: () => number;
};

export function defineMachineImport({
  layout,
  guests,
  snapshots,
  driver,
  feed,
  host,
  keepFreeBytes,
}: Deps): JobDefinition<MachineImportInput> {
  const stillCreating = (id: GuestId) => isCreating(guests, id);
  const diskOf = (id: GuestId, file: string) => layout.guest(id).disk(file);
  const arrivingOf = (id: GuestId, file: string) => `${diskOf(id, file)}.arriving`;

  /** What became of giving drivers to a guest's system. A resumed job does it anew. */
  const outcomes = new Map<GuestId, ConversionOutcome>();
  const specOf = ({ guestId: id, spec, conversion }: MachineImportInput) =>
    conversion && outcomes.get(id)?.state === 'done' ? conversion.spec : spec;
  const driversText = ({ guestId: id, conversion }: MachineImportInput): string | null => {
    const outcome = outcomes.get(id);
    if (!conversion || !outcome) return null;
    if (outcome.state === 'done') return 'virt-v2v gave it drivers for virtio.';
    if (outcome.state === 'not-done') return `It was not given drivers: ${outcome.because} The copy stays as it was.`;
    return `virt-v2v gave it drivers for virtio, but the guest keeps the hardware that it starts on: ${outcome.because}`;
  };

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
    const { guestId: id, disks, layers, extras } = input;
    const sizeOf = ({ carried, virtualSizeBytes, fileSizeBytes }: MachineImportInput['disks'][number]) =>
      carried ? fileSizeBytes : virtualSizeBytes;
    const memberBytes = [...layers, ...extras].reduce((sum, { ref }) => sum + (ref.member?.sizeBytes ?? 0), 0);
    const total = disks.reduce((sum, disk) => sum + sizeOf(disk), memberBytes);
    const { folder } = layout.guest(id);
    const needed = disks.reduce((sum, disk) => sum + Math.min(disk.fileSizeBytes, sizeOf(disk)), memberBytes);
    await demandSpace(`${folder}/disk`, needed, keepFreeBytes());
    let before = 0;
    const onBytes = (bytes: number) => {
      before += bytes;
      progress(before, total);
    };
    const options = { keepFreeBytes: keepFreeBytes(), signal, onBytes };
    const qemuImg = await host.qemuImgPath();
    for (const { ref, role, file, snapshot, sha256, asFormat } of extras) {
      const target = placeOf(layout.guest(id), role, file, snapshot);
      makePrivateFolder(dirname(target));
      await copyMember(ref, sha256, `${target}.arriving`, options);
      await mustNameNothing(`${target}.arriving`, ref.name);
      if (asFormat && asFormat !== ref.format) {
        const source = { path: `${target}.arriving`, format: diskFormat.parse(ref.format), bases: [] };
        await exportDisk(qemuImg, source, asFormat, `${target}.converted`, { signal, onProgress: () => undefined });
        await removeFile(source.path);
        await moveIntoPlace(`${target}.converted`, target);
      } else await moveIntoPlace(`${target}.arriving`, target);
    }
    for (const { id: layer, ref, carried } of layers)
      await copyCarriedDisk({ ref, carried, target: arrivingOf(id, layer), layout, qemuImg }, options);
    for (const disk of disks) {
      const { ref, file, carried } = disk;
      const target = arrivingOf(id, file);
      if (carried) {
        await copyCarriedDisk({ ref, carried, target, layout, qemuImg }, options);
        continue;
      }
      await removeFile(target);
      const begun = before;
      await copy(ref, target, signal, (done, of) => progress(begun + Math.round((done / Math.max(of, 1)) * sizeOf(disk)), total));
      onBytes(sizeOf(disk));
    }
  };

  const checkAll = async ({ input, signal }: StepContext<MachineImportInput>) => {
    const { guestId: id, layers, disks, tree } = input;
    const qemuImg = await host.qemuImgPath();
    const hint = 'Check the source and the disk that the data folder lies on, then try again.';
    for (const { id: layer, ref, virtualSizeBytes } of layers)
      await checkFinishedDisk(qemuImg, arrivingOf(id, layer), { sizeBytes: virtualSizeBytes, what: `The copy of “${ref.name}”`, hint });
    for (const { file, ref, virtualSizeBytes } of disks)
      await checkFinishedDisk(qemuImg, arrivingOf(id, file), { sizeBytes: virtualSizeBytes, what: `The copy of “${ref.name}”`, hint });
    signal.throwIfAborted();
    const place = async () => {
      for (const { id: layer } of layers) await placeLayer(arrivingOf(id, layer), layout.layer(layer));
      if (layers.length > 0) await syncFolder(layout.layers);
      for (const { file } of disks) await moveIntoPlace(arrivingOf(id, file), diskOf(id, file));
      await mustBuildUponTheStore(input);
    };
    if (tree) await snapshots.adopt(id, tree, place);
    else await place();
  };

  /** INVARIANT: what came in builds upon layers of the store and nothing else, as the store itself reads it. */
  const mustBuildUponTheStore = async ({ guestId: id, disks, layers }: MachineImportInput) => {
    const { bases } = layout.guest(id);
    for (const { ref, file } of disks) await readBases(diskOf(id, file), bases, `The copy of “${ref.name}”`);
    for (const { ref, id: layer } of layers) await readBases(layout.layer(layer), bases, `The copy of “${ref.name}”`);
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
          if (stillCreating(input.guestId)) await makeGuestFolder(layout.guest(input.guestId).folder);
        },
        // Undone last, so that the guest goes when everything in its folder has gone.
        undo: (input) => guests.abandonCreation(input.guestId),
      },
      {
        name: 'Check its files against the manifest',
        weight: 10,
        async run({ input, signal, progress }) {
          if (!stillCreating(input.guestId)) return;
          await checkHashes(input.hashes, signal, progress);
        },
      },
      {
        name: 'Copy its disks',
        weight: 70,
        async run(context) {
          const { input } = context;
          // What was checked and moved by a run before is not copied again only to be tried.
          if (!stillCreating(input.guestId)) return;
          await copyAll(context);
        },
        async undo(input) {
          for (const { id } of input.layers) await removeFile(arrivingOf(input.guestId, id));
          for (const { file } of input.disks) {
            await removeFile(arrivingOf(input.guestId, file));
            await rm(`${arrivingOf(input.guestId, file)}.pieces`, { recursive: true, force: true });
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
          if (input.layers.length > 0 || input.tree) await snapshots.forsake(input.guestId);
        },
      },
      {
        name: 'Give it drivers',
        weight: 20,
        async run({ input, signal, progress }) {
          const { guestId: id, conversion, disks } = input;
          const disk = disks.find(({ file }) => file === conversion?.file);
          if (!conversion || !disk || !stillCreating(id)) return;
          const tools = await host.guestfs();
          const outcome = await convertDrivers({
            disk: diskOf(id, disk.file),
            sizeBytes: disk.virtualSizeBytes,
            what: `The copy of “${disk.ref.name}”`,
            scratchFolder: convertingOf(layout.guest(id)),
            tools: { ...tools, windowsDrivers: conversion.windowsDrivers },
            qemuImg: await host.qemuImgPath(),
            keepFreeBytes: keepFreeBytes(),
            signal,
            onProgress: (share) => progress(Math.round(share * 1000), 1000),
          });
          outcomes.set(id, outcome);
          feed.record({
            severity: outcome.state === 'done' ? 'info' : 'warning',
            kind: 'machine.drivers',
            text: `${input.spec.name}: ${driversText(input)}`,
            guestId: id,
          });
        },
        undo: ({ guestId: id }) => rm(convertingOf(layout.guest(id)), { recursive: true, force: true }),
      },
      {
        name: 'Try whether it boots',
        weight: 15,
        async run({ input, signal, progress }) {
          if (!input.bootTest || !stillCreating(input.guestId)) return;
          const { guestId: id } = input;
          const spec = specOf(input);
          const drivers = driversText(input);
          const test = await testBoot({ id, spec, layout, driver, drivers, signal, onProgress: progress });
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
          if (stillCreating(input.guestId)) guests.finishCreation(input.guestId, specOf(input));
          outcomes.delete(input.guestId);
        },
      },
    ],
  };
}

/** Where virt-v2v works; gone afterwards. */
const convertingOf = ({ folder }: GuestFiles) => join(folder, 'converting');

function placeOf(files: GuestFiles, role: CarriedFile['role'], file: string, snapshot: SnapshotId | null): string {
  const kept = snapshot === null ? { ...files, memory: files.suspended, thumbnail: files.lastFrame } : files.snapshot(snapshot);
  return role === 'tpm' ? join(kept.tpmState, file) : kept[role];
}

/** Variables of firmware may be kept as qcow2, which could name another file. @throws Failure `image/*` */
async function mustNameNothing(path: string, name: string): Promise<void> {
  const medium = await openMedium(path);
  try {
    const head = await fileSource(medium.file, medium.sizeBytes).read(0, qcow2HeaderBytes);
    if (isQcow2(head)) acceptedHeader(head, medium, name);
  } finally {
    await medium.file.close();
  }
}

async function placeLayer(arriving: string, layer: string): Promise<void> {
  makeFolderIn(locationOfFolder(dirname(arriving)), dirname(layer));
  await chmod(arriving, 0o400);
  await moveIntoPlace(arriving, layer);
}

const verdicts = {
  booted: 'booted',
  reading: 'began to boot, but did not visibly arrive,',
  idle: 'did not boot',
  failed: 'could not be started',
} as const;
