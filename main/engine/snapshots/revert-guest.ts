/**
 * Takes a guest that is off back to a snapshot.
 *
 * ```
 *   row with the new files' names ─► overlays upon the snapshot's layers, firmware and memory staged ─► one transaction: the spec is the
 *   snapshot's, the row is "decided", the present builds upon the snapshot ─► staged files placed, old disks removed ─► row removed
 * ```
 * Found undecided it is taken back, and nothing of the guest was touched; found decided it is finished. Either can be done any number of times.
 *
 * INVARIANT: a revert gives a guest all that the snapshot kept or leaves it as it was, wherever the engine is killed
 * (`tests/integration/snapshots-property.test.ts`).
 */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import { withHardwareOf } from '../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Driver } from '../drivers/driver.ts';
import { removeFile } from '../files/durable.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import type { HeldGuest } from '../guests/held-guest.ts';
import { createOverlay, removeOverlay } from '../images/empty-overlay.ts';
import { readBases, readHeader } from '../layers/disk-chain.ts';
import { overlayFile } from '../layers/freeze-disks.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import { missingState, placeState, stageState } from './kept-state.ts';
import type { Reverting, SnapshotStore, StoredSnapshot } from './store.ts';

export type RevertParts = {
  layout: Layout;
  store: SnapshotStore;
  driver: Pick<Driver, 'dropSaved'>;
  lineageLock: LineageLock;
  /** Forgets the changes of a guest's hardware that could be undone. */
  forgetEdits(id: GuestId): void;
};

export async function revertGuest(
  parts: RevertParts,
  held: HeldGuest,
  snapshot: StoredSnapshot,
  jobId: string,
  signal: AbortSignal,
): Promise<void> {
  const { store, layout } = parts;
  const { files, stored } = held;
  await mustBeComplete(snapshot, files, layout);
  const revert: Reverting = {
    guestId: held.id,
    jobId,
    snapshotId: snapshot.id,
    overlays: snapshot.disks.map((disk) => ({ ...disk, file: overlayFile(disk.id) })),
    leaves: stored.spec.disks.flatMap(({ location }) => (location.kind === 'store' ? [location.file] : [])),
    memory: snapshot.memory !== null,
    nvram: snapshot.nvram,
    tpm: snapshot.tpm,
    decided: false,
  };
  store.saveRevert(revert);
  try {
    await stageState(files.snapshot(snapshot.id), files.reverting(), revert);
    await parts.lineageLock(() => makeOverlays(parts, files, revert, signal));
    signal.throwIfAborted();
    const { memory } = snapshot;
    const saved = memory?.spec ? { ...memory, spec: upon(revert, memory.spec) } : memory;
    held.save({ spec: revertedSpec(stored.spec, snapshot.spec, revert), saved, crash: null }, (write) =>
      store.together(() => {
        write();
        store.saveRevert({ ...revert, decided: true });
        store.setReverted(held.id, snapshot.id, jobId);
        // They were of other hardware and of disks that are gone.
        parts.forgetEdits(held.id);
      }),
    );
  } catch (thrown) {
    if (!store.revertOf(held.id)?.decided) await settleRevert(parts, held);
    throw thrown;
  }
  await settleRevert(parts, held);
}

/** Finishes a revert that is decided and takes back one that is not. Idempotent; does nothing when there is none. */
export async function settleRevert({ store, driver }: RevertParts, { id, files }: Pick<HeldGuest, 'id' | 'files'>): Promise<void> {
  const revert = store.revertOf(id);
  if (!revert) return;
  const staged = files.reverting();
  if (revert.decided) {
    // The saved state that the guest had is of disks that it has no longer; one that was placed already is what it goes on from.
    if (!revert.memory || existsSync(staged.memory)) await driver.dropSaved(files);
    await placeState(staged, files, revert);
    for (const file of revert.leaves) await removeFile(files.disk(file));
  } else {
    for (const { file } of revert.overlays) await removeOverlay(files.disk(file));
  }
  await rm(staged.folder, { recursive: true, force: true });
  store.endRevert(id);
}

async function makeOverlays({ layout }: RevertParts, files: GuestFiles, revert: Reverting, signal: AbortSignal): Promise<void> {
  for (const { id, layer, file } of revert.overlays) {
    signal.throwIfAborted();
    const base = layout.layer(layer);
    // As large as the disk was then, which its header says for certain.
    const { virtualSizeBytes } = await readHeader(base, `The disk ${id} of the snapshot`);
    await createOverlay(files.disk(file), { path: base, format: 'qcow2' }, virtualSizeBytes);
  }
}

/** Hardware as it was; what the guest is called and how it is kept stays as it is. */
function revertedSpec(now: GuestSpec, then: GuestSpec, revert: Reverting): GuestSpec {
  return upon(revert, withHardwareOf(now, then));
}

/** The spec with the new files of the disks. */
function upon({ overlays }: Reverting, spec: GuestSpec): GuestSpec {
  const files = new Map(overlays.map(({ id, file }) => [id, file]));
  return { ...spec, disks: spec.disks.map((disk) => ({ ...disk, location: { kind: 'store', file: files.get(disk.id) ?? '' } })) };
}

/** @throws Failure `snapshot/incomplete` before anything is touched */
export async function mustBeComplete(snapshot: StoredSnapshot, files: GuestFiles, layout: Layout): Promise<void> {
  const has = { nvram: snapshot.nvram, tpm: snapshot.tpm, memory: snapshot.memory !== null };
  const missing = missingState(files.snapshot(snapshot.id), has);
  for (const { layer } of snapshot.disks) if (!existsSync(layout.layer(layer))) missing.push(layout.layer(layer));
  if (missing.length > 0) {
    throw new Failure('snapshot/incomplete', `The snapshot “${snapshot.name}” is not complete: a file that it needs is gone.`, {
      hint: 'Put the file back from a backup of the data folder, or delete the snapshot.',
      detail: missing.join('\n'),
    });
  }
  for (const { id, layer } of snapshot.disks) {
    const path = layout.layer(layer);
    await readBases(path, files.bases, `The disk ${id} of the snapshot “${snapshot.name}”`);
    await readHeader(path, dirname(path));
  }
}
