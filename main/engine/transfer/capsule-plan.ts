/** What becomes of the files of a capsule in the store: names here are new, so that a capsule can be opened where its guest still is. */
import { z } from 'zod';
import { diskFormat, type GuestSpec } from '../../../contract/guest-spec.ts';
import { type LayerId, layerId, type SnapshotId, snapshotId } from '../../../contract/ids.ts';
import type { CarriedTree } from '../snapshots/store.ts';
import { newLayerId, newSnapshotId } from '../store/new-id.ts';
import { machineDiskRef } from './machine-disk.ts';
import type { CapsuleDisk, FoundCapsule } from './open-capsule.ts';

const sha256 = z.string();
/** Of a disk that is taken as it is: its hash, and what it builds upon, by its name in the capsule and in the store. */
export const carriedDisk = z.object({ sha256, base: z.object({ name: z.string(), id: layerId }).nullable() });
export type CarriedDisk = z.infer<typeof carriedDisk>;
export const carriedLayer = z.object({ id: layerId, ref: machineDiskRef, virtualSizeBytes: z.number(), carried: carriedDisk });
export type CarriedLayer = z.infer<typeof carriedLayer>;
/** A file besides disks, with the name that it gets; `snapshot` is null for the present. */
export const carriedFile = z.object({
  ref: machineDiskRef,
  role: z.enum(['nvram', 'tpm', 'memory', 'thumbnail']),
  file: z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,90}$/),
  snapshot: snapshotId.nullable().default(null),
  /** Null where nothing says what it must be. */
  sha256: sha256.nullable().default(null),
  /** In which it has to be, of variables of another product; null is as it is. */
  asFormat: diskFormat.nullable().default(null),
});
export type CarriedFile = z.infer<typeof carriedFile>;

export type CapsulePlan = { layers: CarriedLayer[]; disks: CarriedDisk[]; files: CarriedFile[]; tree: CarriedTree | null };

/** @param cleaned what a spec of the capsule becomes here */
export function planCapsule({ capsule, layers, disks, extras }: FoundCapsule, cleaned: (spec: GuestSpec) => GuestSpec): CapsulePlan {
  const layerIds = new Map<string, LayerId>(layers.map(({ ref }) => [ref.name, newLayerId()]));
  const sizes = new Map(layers.map(({ ref, virtualSizeBytes }) => [ref.name, virtualSizeBytes]));
  const snapshotIds = new Map<string, SnapshotId>(capsule.snapshots.map(({ id }) => [id, newSnapshotId()]));
  const carriedOf = ({ base, sha256: hash }: CapsuleDisk): CarriedDisk => ({
    sha256: hash,
    base: base === null ? null : { name: base, id: layerIds.get(base) as LayerId },
  });
  /** As large as the layers really are, which is what a guest that is taken back gets. */
  const sized = (spec: GuestSpec, upon: readonly { id: string; layer: string }[]): GuestSpec => ({
    ...spec,
    disks: spec.disks.map((disk) => ({
      ...disk,
      sizeBytes: sizes.get(upon.find(({ id }) => id === disk.id)?.layer ?? '') ?? disk.sizeBytes,
    })),
  });
  const tree: CarriedTree = {
    snapshots: capsule.snapshots.map(({ id, parent, takenAt, files, disks: upon, spec, memory, ...kept }) => ({
      id: snapshotIds.get(id) as SnapshotId,
      parentId: parent === null ? null : (snapshotIds.get(parent) as SnapshotId),
      name: kept.name,
      note: kept.note,
      createdAt: takenAt,
      reason: kept.reason,
      guestWas: kept.guestWas,
      quiesced: kept.quiesced,
      memory: memory && { ...memory, spec: memory.spec && sized(cleaned(memory.spec), upon) },
      nvram: files.some(({ role }) => role === 'nvram'),
      tpm: files.some(({ role }) => role === 'tpm'),
      disks: upon.map((disk) => ({ id: disk.id, layer: layerIds.get(disk.layer) as LayerId, sizeBytes: sizes.get(disk.layer) ?? 0 })),
      spec: JSON.stringify(sized(cleaned(spec), upon)),
    })),
    currentId: capsule.present === null ? null : (snapshotIds.get(capsule.present) as SnapshotId),
    schedule: capsule.schedule,
  };
  return {
    layers: layers.map((layer) => ({
      id: layerIds.get(layer.ref.name) as LayerId,
      ref: layer.ref,
      virtualSizeBytes: layer.virtualSizeBytes,
      carried: carriedOf(layer),
    })),
    disks: disks.map(carriedOf),
    files: extras.map(({ ref, role, file, snapshot, sha256: hash }) => ({
      ref,
      role,
      file,
      snapshot: snapshot === null ? null : (snapshotIds.get(snapshot) as SnapshotId),
      sha256: hash,
      asFormat: null,
    })),
    tree: capsule.snapshots.length > 0 ? tree : null,
  };
}
