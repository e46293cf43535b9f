/**
 * The job that makes guests of another guest, of an image or of layers. Each clone is made whole before the next: one that is finished stays,
 * whatever becomes of the job, and one that is not is undone alone. It can be run again from the start at any time.
 */
import { cp, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { deviceId, diskFormat, guestSpec } from '../../../contract/guest-spec.ts';
import { type GuestId, guestId, imageId, layerId, snapshotId } from '../../../contract/ids.ts';
import { moveIntoPlace, removeFile, shareFile, syncFile, syncFolder, toWriteFailure } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import { type Guests, isCreating } from '../guests/guests.ts';
import { savedWith } from '../guests/store.ts';
import type { HostCapabilities } from '../host/capabilities.ts';
import { demandSpace } from '../images/copy-medium.ts';
import { createOverlay } from '../images/empty-overlay.ts';
import type { Images } from '../images/images.ts';
import { convertDisk } from '../images/qemu-img.ts';
import type { JobDefinition, StepContext } from '../jobs/job-definition.ts';
import { protectBase } from '../layers/base-protection.ts';
import { type DiskLink, readBases } from '../layers/disk-chain.ts';
import { freezeDisks } from '../layers/freeze-disks.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import type { Moments } from '../snapshots/snapshots.ts';
import type { Seeds } from '../unattended/seeds.ts';
import { cloneFile, isSharedInPlace } from './clone-spec.ts';

/** From what the disks of the clones are made. */
const source = z.discriminatedUnion('kind', [
  /** The guest's disks: frozen and built upon, or copied. */
  z.object({ kind: z.literal('guest'), guestId, share: z.boolean(), keepTpm: z.boolean() }),
  z.object({ kind: z.literal('image'), imageId, path: z.string(), format: diskFormat }),
  /** Frozen disks, by the id that each has in the spec. */
  z.object({
    kind: z.literal('layers'),
    layers: z.record(deviceId, layerId),
    /** From where the firmware's variables and the TPM are copied. */
    nvram: z.string().nullable().default(null),
    tpmState: z.string().nullable().default(null),
    /** What the clones go on from instead of booting. */
    memory: z.object({ path: z.string(), saved: savedWith }).nullable().default(null),
  }),
  /** The present of a guest that runs or is suspended, kept as a snapshot that stays or goes. */
  z.object({ kind: z.literal('present'), guestId, snapshotId, stays: z.boolean(), keepTpm: z.boolean() }),
]);
export type CloneSource = z.infer<typeof source>;

const cloneInput = z.object({ source, clones: z.array(z.object({ guestId, spec: guestSpec })) });
export type CloneInput = z.infer<typeof cloneInput>;

export type CloneGuests = Pick<Guests, 'list' | 'show' | 'hold' | 'finishCreation' | 'abandonCreation' | 'abandonUnlessRun' | 'start'>;

export type CloneJobParts = {
  layout: Layout;
  guests: CloneGuests;
  images: Pick<Images, 'show'>;
  host: Pick<HostCapabilities, 'qemuImgPath'>;
  lineageLock: LineageLock;
  /** Snapshots need clones and clones snapshots, so this is asked only when there is something to keep. */
  moments: () => Moments;
  seeds: Pick<Seeds, 'launch' | 'writeForClone' | 'forget'>;
  keepFreeBytes: () => number;
};

type Clone = CloneInput['clones'][number];

/** `guest.clone` shares disks and takes a moment, `guest.copy` copies them whole. */
export function defineClone(kind: 'guest.clone' | 'guest.copy', parts: CloneJobParts): JobDefinition<CloneInput> {
  const { guests } = parts;
  return {
    kind,
    parseInput: (value) => cloneInput.parse(value),
    afterCrash: 'resume',
    cancellable: true,
    steps: [makeClones(parts, (input) => input.clones.filter(({ guestId: id }) => isCreating(guests, id)))],
  };
}

/** One clone that is started, and goes when it ends. */
export function defineDisposable(parts: CloneJobParts): JobDefinition<CloneInput> {
  const { guests } = parts;
  return {
    kind: 'guest.disposable',
    parseInput: (value) => cloneInput.parse(value),
    afterCrash: 'undo',
    cancellable: true,
    steps: [
      makeClones(parts, (input) => input.clones),
      {
        name: 'Start it',
        weight: 1,
        async run({ input }) {
          for (const { guestId: id } of input.clones) await guests.start(id);
        },
        // What runs, or ran, is disposed of when it has ended.
        async undo(input) {
          for (const { guestId: id } of input.clones) await guests.abandonUnlessRun(id);
        },
      },
    ],
  };
}

function makeClones(parts: CloneJobParts, wanted: (input: CloneInput) => Clone[]): JobDefinition<CloneInput>['steps'][number] {
  const { guests } = parts;
  return {
    name: 'Make the disks',
    weight: 9,
    async run(context) {
      const clones = wanted(context.input);
      const { source: from } = context.input;
      let made = 0;
      const finish = async (clone: Clone) => {
        await giveAnswers(parts, from, clone);
        guests.finishCreation(clone.guestId, clone.spec, from.kind === 'layers' ? (from.memory?.saved ?? null) : null);
        made++;
      };
      try {
        if (clones.length > 0) await makeAll(parts, context, clones, finish);
        if (from.kind === 'present') await parts.moments().end(from.snapshotId, from.stays);
      } catch (thrown) {
        if (made === 0 || !(thrown instanceof Failure)) throw thrown;
        const { code, message, ...more } = thrown.error;
        throw new Failure(code, `${message} ${made} of ${context.input.clones.length} clones were made and stay.`, more);
      }
    },
    async undo(input) {
      for (const { guestId: id } of input.clones) {
        if (!isCreating(guests, id)) continue;
        await guests.abandonCreation(id);
        parts.seeds.forget(id);
      }
      if (input.source.kind === 'present') await parts.moments().end(input.source.snapshotId, input.source.stays);
    },
  };
}

/** Where cloud-init set the original up, it makes the clone a machine of its own as well, also without an agent. */
async function giveAnswers({ guests, seeds }: CloneJobParts, from: CloneSource, { guestId: id }: Clone): Promise<void> {
  const hostname = guests.show(id).identity?.hostname ?? null;
  if ((from.kind !== 'guest' && from.kind !== 'present') || hostname === null || seeds.launch(from.guestId)?.asDisk !== true) return;
  await seeds.writeForClone(id, hostname);
}

async function makeAll(
  parts: CloneJobParts,
  context: StepContext<CloneInput>,
  clones: readonly Clone[],
  finish: (clone: Clone) => Promise<void>,
): Promise<void> {
  const { input, signal } = context;
  if (input.source.kind === 'guest' && !input.source.share) return copyAll(parts, context, input.source, clones, finish);
  const bases = await basesFor(parts, context, clones);
  for (const clone of clones) {
    signal.throwIfAborted();
    await buildUpon(parts, clone, bases);
    await finish(clone);
  }
}

/** What the clones' disks build upon, by disk. The guest that they are made of is only held for as long as it takes to freeze its disks. */
async function basesFor(
  { layout, guests, images, moments }: CloneJobParts,
  { input: { source: from }, signal, progress }: StepContext<CloneInput>,
  clones: readonly Clone[],
): Promise<ReadonlyMap<string, DiskLink>> {
  switch (from.kind) {
    case 'guest': {
      const plan = await guests.hold(from.guestId, 'clone', async (held) => {
        const { spec } = held.stored;
        const freezing = { layout, files: held.files, running: false };
        const own = { ...spec, disks: spec.disks.filter((disk) => !isSharedInPlace(disk)) };
        const frozen = await freezeDisks(own, freezing, signal, (next) => {
          const overlays = new Map(next.disks.map((disk) => [disk.id, disk]));
          held.save({ spec: { ...spec, disks: spec.disks.map((disk) => overlays.get(disk.id) ?? disk) } }, (write) => write());
        });
        for (const { guestId: id } of clones) await copyFirmwareState(layout, from.guestId, id, from.keepTpm);
        return frozen;
      });
      return new Map(plan.map(({ diskId: id, layer }) => [id, { path: layout.layer(layer), format: 'qcow2' as const }]));
    }
    case 'image':
      images.show(from.imageId);
      return new Map(clones[0]?.spec.disks.map((disk) => [disk.id, { path: from.path, format: from.format }]));
    case 'layers':
      return uponKept(layout, from, clones);
    case 'present': {
      const kept = await moments().make(from.snapshotId, signal, progress);
      return uponKept(layout, { ...kept, tpmState: from.keepTpm ? kept.tpmState : null, memory: null }, clones);
    }
  }
}

/** Gives the clones what was kept besides the disks, and answers upon what those are to build. */
async function uponKept(
  layout: Layout,
  kept: Pick<Extract<CloneSource, { kind: 'layers' }>, 'layers' | 'nvram' | 'tpmState' | 'memory'>,
  clones: readonly Clone[],
): Promise<ReadonlyMap<string, DiskLink>> {
  for (const { guestId: id } of clones) {
    const files = layout.guest(id);
    makeFolder(files.folder);
    if (kept.nvram) await copyWhole(kept.nvram, files.nvram);
    if (kept.tpmState) await copyWhole(kept.tpmState, files.tpmState);
    if (kept.memory) await shareFile(kept.memory.path, files.suspended);
    await syncFolder(files.folder);
  }
  return new Map(Object.entries(kept.layers).map(([id, layer]) => [id, { path: layout.layer(layer), format: 'qcow2' as const }]));
}

/** Alone, so that nobody removes the base in the moment in which the disk begins to build upon it. */
async function buildUpon(parts: CloneJobParts, { guestId: id, spec }: Clone, bases: ReadonlyMap<string, DiskLink>): Promise<void> {
  const { layout, lineageLock, keepFreeBytes } = parts;
  const files = layout.guest(id);
  makeFolder(files.folder);
  await demandSpace(files.disk('any'), 0, keepFreeBytes());
  await lineageLock(async () => {
    for (const disk of spec.disks) {
      const base = bases.get(disk.id);
      if (!base || isSharedInPlace(disk)) continue;
      await protectBase(base.path);
      await createOverlay(files.disk(cloneFile(disk)), base, disk.sizeBytes);
      await readBases(files.disk(cloneFile(disk)), files.bases, `The disk ${disk.id} of ${spec.name}`);
    }
  });
}

/** The guest must not run while its disks are read, which takes as long as they are large: so whoever asks for it is told why. */
async function copyAll(
  { layout, guests, host, keepFreeBytes }: CloneJobParts,
  { signal, progress }: StepContext<CloneInput>,
  from: Extract<CloneSource, { kind: 'guest' }>,
  clones: readonly Clone[],
  finish: (clone: Clone) => Promise<void>,
): Promise<void> {
  await guests.hold(from.guestId, 'clone', async (held) => {
    held.sayBusy('The guest is being copied. It can be used when that has ended.');
    const { files } = held;
    const original = held.stored.spec;
    const qemuImg = await host.qemuImgPath();
    const disks = original.disks.filter((disk) => !isSharedInPlace(disk));
    const totalBytes = disks.reduce((sum, disk) => sum + disk.sizeBytes, 0) * clones.length;
    let doneBytes = 0;
    for (const clone of clones) {
      const target = layout.guest(clone.guestId);
      makeFolder(target.folder);
      await copyFirmwareState(layout, from.guestId, clone.guestId, from.keepTpm);
      for (const disk of disks) {
        signal.throwIfAborted();
        const path = disk.location.kind === 'store' ? files.disk(disk.location.file) : disk.location.path;
        const what = `The disk ${disk.id} of ${original.name}`;
        const sourceBases = disk.format === 'qcow2' ? await readBases(path, files.bases, what) : [];
        const arriving = `${target.disk(cloneFile(disk))}.arriving`;
        await demandSpace(arriving, 0, keepFreeBytes());
        await removeFile(arriving);
        await convertDisk(qemuImg, {
          source: path,
          sourceFormat: disk.format,
          sourceBases,
          target: arriving,
          signal,
          onProgress: (share) => progress(Math.round(doneBytes + share * disk.sizeBytes), totalBytes),
        });
        await moveIntoPlace(arriving, target.disk(cloneFile(disk)));
        doneBytes += disk.sizeBytes;
      }
      await finish(clone);
    }
  });
}

/** The firmware's variables go along, since they say what is started; the TPM only where it was asked for. Whole or not at all. */
async function copyFirmwareState(layout: Layout, from: GuestId, to: GuestId, keepTpm: boolean): Promise<void> {
  const [original, copy] = [layout.guest(from), layout.guest(to)];
  makeFolder(copy.folder);
  await copyWhole(original.nvram, copy.nvram);
  if (keepTpm) await copyWhole(original.tpmState, copy.tpmState);
  await syncFolder(copy.folder);
}

async function copyWhole(from: string, to: string): Promise<void> {
  const half = `${to}.new`;
  await rm(half, { recursive: true, force: true });
  try {
    await cp(from, half, { recursive: true, preserveTimestamps: true });
  } catch (thrown) {
    // A guest that never ran has neither.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw toWriteFailure(thrown, to);
  }
  await syncFile(half);
  await rm(to, { recursive: true, force: true });
  await rename(half, to);
}

function makeFolder(path: string): void {
  try {
    makePrivateFolder(path);
  } catch (thrown) {
    throw toWriteFailure(thrown, path);
  }
}
