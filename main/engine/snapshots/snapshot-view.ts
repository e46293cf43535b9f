/** Snapshots as clients see them. */
import { existsSync, statSync } from 'node:fs';
import type { GuestSnapshot, SnapshotSchedule } from '../../../contract/guest-snapshot.ts';
import type { SnapshotId } from '../../../contract/ids.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import { cannotGoOnAside } from './go-on-aside.ts';
import type { CarriedTree, StoredSnapshot } from './store.ts';

/** Those that were not deleted, each after the nearest before it that was not either. @param all of one guest, the oldest first */
export function viewTree(all: readonly StoredSnapshot[], files: GuestFiles, layout: Pick<Layout, 'layer'>): GuestSnapshot[] {
  const byId = new Map(all.map((one) => [one.id, one]));
  return all
    .filter((one) => one.deletedAt === null)
    .map((one) => view(one, livingParent(one, byId), byId.get(one.parentId ?? ('' as SnapshotId)) ?? null, files, layout));
}

/** The nearest snapshot before `one` that was not deleted. */
export function livingAncestor(id: SnapshotId | null, all: readonly StoredSnapshot[]): SnapshotId | null {
  const byId = new Map(all.map((one) => [one.id, one]));
  const one = id === null ? undefined : byId.get(id);
  if (!one) return null;
  return one.deletedAt === null ? one.id : livingParent(one, byId);
}

/** Those that were not deleted, whole and each after its parent, as another Guesthouse can take them. @param all of one guest, the oldest first */
export function carriedTreeOf(all: readonly StoredSnapshot[], current: SnapshotId | null, schedule: SnapshotSchedule): CarriedTree {
  const byId = new Map(all.map((one) => [one.id, one]));
  const waiting = all
    .filter(({ deletedAt, making }) => deletedAt === null && making === null)
    .map((one) => ({ ...one, parentId: livingParent(one, byId) }));
  const snapshots: CarriedTree['snapshots'] = [];
  const there = new Set<SnapshotId | null>([null]);
  // The clock of a computer may have gone back, so what is older need not come before.
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ parentId }) => there.has(parentId));
    const [one] = waiting.splice(Math.max(0, next), 1);
    if (!one) break;
    const { guestId: _, deletedAt: __, making: ___, spec, ...kept } = one;
    snapshots.push({ ...kept, parentId: next < 0 ? null : one.parentId, spec: JSON.stringify(spec) });
    there.add(one.id);
  }
  return { snapshots, currentId: livingAncestor(current, all), schedule };
}

function livingParent({ parentId }: StoredSnapshot, byId: ReadonlyMap<SnapshotId, StoredSnapshot>): SnapshotId | null {
  for (let next = parentId; next !== null; ) {
    const parent = byId.get(next);
    if (!parent) return null;
    if (parent.deletedAt === null) return next;
    next = parent.parentId;
  }
  return null;
}

function view(
  one: StoredSnapshot,
  parentId: SnapshotId | null,
  before: StoredSnapshot | null,
  files: GuestFiles,
  layout: Pick<Layout, 'layer'>,
): GuestSnapshot {
  const kept = files.snapshot(one.id);
  const shared = new Set(before?.disks.map(({ layer }) => layer));
  const own = one.disks.filter(({ layer }) => !shared.has(layer)).map(({ layer }) => layout.layer(layer));
  return {
    id: one.id,
    guestId: one.guestId,
    parentId,
    name: one.name,
    note: one.note,
    createdAt: one.createdAt,
    reason: one.reason,
    state: one.making ? 'making' : 'ready',
    withMemory: one.memory !== null,
    cannotGoOnAside: one.memory === null ? null : cannotGoOnAside(one),
    guestWas: one.guestWas,
    quiesced: one.quiesced,
    disks: one.disks.map(({ id, sizeBytes }) => ({ id, sizeBytes })),
    sizeBytes: one.making ? 0 : [...own, kept.memory].reduce((sum, path) => sum + bytesOnDisk(path), 0),
    hasThumbnail: existsSync(kept.thumbnail),
  };
}

/** What a file really takes, which of a sparse one is less than its length; 0 when there is none. */
function bytesOnDisk(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? found.blocks * 512 : 0;
}
