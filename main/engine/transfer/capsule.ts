/**
 * A capsule: a tar archive with `capsule.json` first, which says what the guest is and which files with which hashes follow. Without snapshots
 * its disks stand alone, whatever they built upon where they came from (version 1). With snapshots it holds every layer once, and each file of
 * a disk says upon which other file of the capsule it builds (version 2).
 *
 * INVARIANT: what this accepts has no loop, no name that leads anywhere, and nothing that it names and has not
 * (`main/engine/transfer/capsule.test.ts`).
 */
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import {
  defaultSnapshotSchedule,
  guestSnapshot,
  type SnapshotSchedule,
  snapshotName,
  snapshotNote,
  snapshotReason,
  snapshotSchedule,
} from '../../../contract/guest-snapshot.ts';
import { acceleratorName, deviceId, type GuestSpec, guestSpec } from '../../../contract/guest-spec.ts';
import { instant } from '../../../contract/ids.ts';
import { parseStoredSpec } from '../guests/spec-migrations.ts';
import { chainMaxLength } from '../layers/disk-chain.ts';
import { notUnderstood } from './foreign-machine.ts';

export const capsuleManifestName = 'capsule.json';
/** Each snapshot has its whole spec and its notes in it. */
export const capsuleManifestMaxBytes = 32 * 1024 * 1024;
/** More than a guest with a snapshot an hour keeps. */
const snapshotsMax = 2000;
const layersMax = 4000;
/** Files of one snapshot or of the present besides disks: variables, memory, picture, and what a TPM keeps. */
const filesMax = 200;
export const capsuleMembersMax = 20_000;

const fileName = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,90}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const sizeBytes = z.number().int().nonnegative();
const label = z.string().regex(/^[a-z0-9-]{1,40}$/);
const storedSpec = z.record(z.string(), z.unknown());

const capsuleFile = z.object({
  name: fileName,
  role: z.enum(['disk', 'nvram', 'tpm', 'memory', 'thumbnail']),
  /** Of a disk: which of the spec's. */
  diskId: z.string().nullable(),
  /** Of a disk: the layer that it builds upon. */
  base: fileName.nullable().default(null),
  sizeBytes,
  sha256,
});
export type CapsuleFile = z.infer<typeof capsuleFile>;

/** A frozen disk that others build upon. */
const capsuleLayer = z.object({ name: fileName, base: fileName.nullable(), sizeBytes, sha256 });
export type CapsuleLayer = z.infer<typeof capsuleLayer>;

/** With what memory was saved. Only ports of QEMU are places that a device can have been plugged into. */
const capsuleMemory = z.object({
  machine: guestSpec.shape.machine,
  accelerator: acceleratorName,
  spec: storedSpec.nullable(),
  plugged: z.record(deviceId, z.string().regex(/^port\d{1,2}$/)),
});

const capsuleSnapshot = z.object({
  id: label,
  parent: label.nullable(),
  name: snapshotName,
  note: snapshotNote,
  takenAt: instant,
  reason: snapshotReason,
  guestWas: guestSnapshot.shape.guestWas,
  quiesced: z.boolean(),
  spec: storedSpec,
  memory: capsuleMemory.nullable(),
  disks: z.array(z.object({ id: deviceId, layer: fileName })).max(24),
  files: z.array(capsuleFile).max(filesMax),
});

const common = {
  madeBy: z.string().max(200),
  exportedAt: instant,
  /** As it is stored; an older one is brought forward. */
  spec: storedSpec,
  files: z.array(capsuleFile).max(filesMax),
};

/** `capsule` grows when an older Guesthouse could no longer understand one. */
const capsuleManifest = z.discriminatedUnion('capsule', [
  // None was ever written with snapshots. One that has some is taken without them, and that is said.
  z.object({ capsule: z.literal(1), ...common, snapshots: z.array(z.unknown()).default([]) }),
  z.object({
    capsule: z.literal(2),
    ...common,
    /** Each after the one that it builds upon. */
    layers: z.array(capsuleLayer).max(layersMax),
    /** Each after its parent. */
    snapshots: z.array(capsuleSnapshot).max(snapshotsMax),
    /** The snapshot upon which the present builds. */
    present: label.nullable(),
    schedule: snapshotSchedule,
  }),
]);
export type CapsuleManifest = z.infer<typeof capsuleManifest>;

export type CapsuleSnapshot = Omit<z.infer<typeof capsuleSnapshot>, 'spec' | 'memory'> & {
  spec: GuestSpec;
  memory: (Omit<z.infer<typeof capsuleMemory>, 'spec'> & { spec: GuestSpec | null }) | null;
};

export type Capsule = {
  spec: GuestSpec;
  files: CapsuleFile[];
  layers: CapsuleLayer[];
  snapshots: CapsuleSnapshot[];
  present: string | null;
  schedule: SnapshotSchedule;
  /** Snapshots of a kind that is not known. */
  unreadSnapshots: number;
};

/** @throws Failure `machine/not-understood`, `database/newer` for one of a later Guesthouse */
export function parseCapsule(text: string): Capsule {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw notUnderstood('its list of contents is no JSON.', String(thrown));
  }
  const parsed = capsuleManifest.safeParse(value);
  if (!parsed.success)
    throw notUnderstood('its list of contents is not as it should be, or of a newer Guesthouse.', parsed.error.message.slice(0, 1000));
  const manifest = parsed.data;
  const spec = specOf(manifest.spec, 'its guest');
  const none = { layers: [], snapshots: [], present: null, schedule: defaultSnapshotSchedule };
  const capsule: Capsule =
    manifest.capsule === 1
      ? { ...none, spec, files: manifest.files, unreadSnapshots: manifest.snapshots.length }
      : { ...manifest, spec, snapshots: manifest.snapshots.map(withSpecs), unreadSnapshots: 0 };
  checkFiles(capsule);
  checkLayers(capsule);
  checkSnapshots(capsule);
  return capsule;
}

/** Capsules keep specs as the database does; one that is not right is here the capsule's fault. */
function specOf(stored: z.infer<typeof storedSpec>, whose: string): GuestSpec {
  try {
    return parseStoredSpec(JSON.stringify(stored));
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.error.code !== 'database/damaged') throw thrown;
    throw notUnderstood(`the hardware of ${whose} is not as it should be.`, thrown.error.detail?.slice(0, 1000));
  }
}

function withSpecs({ spec, memory, ...snapshot }: z.infer<typeof capsuleSnapshot>): CapsuleSnapshot {
  const whose = `the snapshot “${snapshot.name}”`;
  return { ...snapshot, spec: specOf(spec, whose), memory: memory && { ...memory, spec: memory.spec && specOf(memory.spec, whose) } };
}

/** Every name once, and for the present what a guest that is off has. */
function checkFiles({ spec, files, layers, snapshots }: Capsule): void {
  const names = new Set<string>([capsuleManifestName]);
  for (const { name } of [...files, ...layers, ...snapshots.flatMap((one) => one.files)]) {
    if (names.has(name)) throw notUnderstood(`it names the file ${name} twice.`);
    names.add(name);
  }
  const disks = files.filter(({ role }) => role === 'disk');
  for (const { name, diskId } of disks)
    if (!spec.disks.some(({ id }) => id === diskId)) throw notUnderstood(`it has a disk ${name} that its guest has not.`);
  if (
    !isSame(
      ids(spec.disks),
      disks.map(({ diskId }) => diskId ?? ''),
    )
  )
    throw notUnderstood('a disk of its guest is not in it.');
  mustHaveOnly(files, ['disk', 'nvram', 'tpm'], 'its guest');
}

/** INVARIANT: a layer builds only upon one before it, so there is no loop; and what nothing needs is not taken. */
function checkLayers({ files, layers, snapshots }: Capsule): void {
  const depths = new Map<string, number>();
  const needed = new Set<string>();
  const depthBelow = (name: string, base: string | null): number => {
    if (base === null) return 0;
    const depth = depths.get(base);
    if (depth === undefined) throw notUnderstood(`${name} builds upon ${base}, which is not in it before.`);
    needed.add(base);
    return depth;
  };
  for (const { name, base } of layers) {
    const depth = depthBelow(name, base) + 1;
    if (depth >= chainMaxLength) throw notUnderstood(`${name} builds upon more than ${chainMaxLength} layers.`);
    depths.set(name, depth);
  }
  for (const { name, base, role } of files) {
    if (role !== 'disk' && base !== null) throw notUnderstood(`${name} is no disk and cannot build upon another file.`);
    depthBelow(name, base);
  }
  for (const { id, layer } of snapshots.flatMap(({ disks }) => disks)) {
    if (!depths.has(layer)) throw notUnderstood(`a snapshot of it names ${layer} as its disk ${id}, and that is not in it.`);
    needed.add(layer);
  }
  const lonely = layers.find(({ name }) => !needed.has(name));
  if (lonely) throw notUnderstood(`nothing needs ${lonely.name}, which it holds.`);
}

/** INVARIANT: a snapshot comes after its parent, so the tree has no loop, and has exactly the disks that its own hardware has. */
function checkSnapshots({ snapshots, present }: Capsule): void {
  const seen = new Set<string>();
  for (const { id, parent, name, spec, memory, disks, files } of snapshots) {
    const what = `its snapshot “${name}”`;
    if (seen.has(id)) throw notUnderstood(`${what} is in it twice.`);
    if (parent !== null && !seen.has(parent)) throw notUnderstood(`${what} comes after one that is not in it before.`);
    seen.add(id);
    for (const hardware of [spec, ...(memory?.spec ? [memory.spec] : [])])
      if (!isSame(ids(hardware.disks), ids(disks))) throw notUnderstood(`${what} has not the disks that its hardware has.`);
    mustHaveOnly(files, ['nvram', 'tpm', 'memory', 'thumbnail'], what);
    if (files.some(({ base }) => base !== null)) throw notUnderstood(`a file of ${what} builds upon another.`);
    if (files.some(({ role }) => role === 'memory') !== (memory !== null))
      throw notUnderstood(`${what} is said to have memory and has none, or the other way round.`);
  }
  if (present !== null && !seen.has(present)) throw notUnderstood('the present builds upon a snapshot that is not in it.');
}

function mustHaveOnly(files: readonly CapsuleFile[], roles: readonly CapsuleFile['role'][], what: string): void {
  for (const role of ['nvram', 'memory', 'thumbnail'] as const)
    if (files.filter((file) => file.role === role).length > 1) throw notUnderstood(`${what} has more than one file of the kind ${role}.`);
  const odd = files.find(({ role }) => !roles.includes(role));
  if (odd) throw notUnderstood(`${what} cannot have ${odd.name}, a file of the kind ${odd.role}.`);
  const states = files.filter(({ role }) => role === 'tpm').map(({ name }) => tpmFileOf(name));
  if (new Set(states).size < states.length || states.includes('')) throw notUnderstood(`the TPM of ${what} has files that cannot be.`);
}

const ids = (disks: readonly { id: string }[]): string[] => disks.map(({ id }) => id);

/** The same values, each once, in whatever order. */
function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && new Set(some).size === some.length && some.every((one) => others.includes(one));
}

/** What a TPM's file is called in the guest's folder: "tpm-tpm2-00.permall" and "s3.tpm-tpm2-00.permall" are "tpm2-00.permall". */
export function tpmFileOf(name: string): string {
  const kept = name.replace(/^(s\d+\.)?tpm-/, '');
  return /^[a-zA-Z0-9]/.test(kept) ? kept : '';
}
