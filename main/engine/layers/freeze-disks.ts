/**
 * Freezes a guest's disks: each file gets a second name among the layers, and the guest gets an empty overlay upon it. Snapshots and
 * clones begin with this.
 *
 * ```
 *   guests/g1/disk0.qcow2 ──link──► layers/l1/disk.qcow2 ◄─builds upon── guests/g1/disk0-4f7k2a.qcow2
 *        └─ unlinked once the spec names the overlay, in one transaction for all disks
 * ```
 * A guest that lies in another location gets its layers there, since a second name works within one file system.
 *
 * Until that transaction a kill leaves names too many and nothing else; after it, all is done.
 *
 * INVARIANT: no step removes the last name of a file that holds data (`freeze-disks.test.ts` stops after each).
 */
import { randomInt } from 'node:crypto';
import { chmod, link, lstat, open, readdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Failure } from '../../../contract/errors.ts';
import { type Disk, deviceId, type GuestSpec } from '../../../contract/guest-spec.ts';
import { type LayerId, layerId } from '../../../contract/ids.ts';
import { removeFile, syncFolder, toWriteFailure } from '../files/durable.ts';
import type { GuestFiles, Layout } from '../files/layout.ts';
import { locationOfFolder, makeFolderIn, removeEmptyFolder } from '../files/moved-folder.ts';
import { createOverlay, removeOverlay } from '../images/empty-overlay.ts';
import { newLayerId } from '../store/new-id.ts';
import { layerIdOf, readBases, readHeader } from './disk-chain.ts';

/** What becomes of one disk. `overlay` is null when nothing was written since it was last frozen: it stays, upon the layer that it has. */
const frozenDisk = z.object({ diskId: deviceId, file: z.string(), layer: layerId, overlay: z.string().nullable() });
export type FrozenDisk = z.infer<typeof frozenDisk>;
/** Chosen and written down before anything is done, so that it can be taken back. */
export const freezePlan = z.array(frozenDisk);
export type FreezePlan = z.infer<typeof freezePlan>;

export type FreezeParts = {
  layout: Pick<Layout, 'layer' | 'layers'>;
  files: GuestFiles;
  /** QEMU has the disks open: they can get a second name, but not another one. */
  running: boolean;
};

/** Names that {@link overlayFile} gives; a file with such a name that no spec has is what a freeze left. */
const overlayName = /^[a-z][a-z0-9-]{0,23}-[0-9a-z]{6}\.qcow2$/;
/** One that was not whole when the engine was killed, or a copy that a job makes anew. */
const unfinishedName = /^[a-z][a-z0-9-]{0,23}-[0-9a-z]{6}\.qcow2\.arriving$/;
const digits = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A new name for a file of the disk, in the guest's folder. */
export function overlayFile(disk: string): string {
  return `${disk}-${Array.from({ length: 6 }, () => digits[randomInt(digits.length)]).join('')}.qcow2`;
}

/** Why a disk cannot be frozen, or null when it can. */
export function cannotFreeze(spec: Pick<GuestSpec, 'name' | 'disks'>): Failure | null {
  for (const { id, format, location } of spec.disks) {
    const why =
      location.kind === 'in-place' ? `is used in place, at ${location.path}` : format === 'raw' ? 'is raw, and only qcow2 disks can' : null;
    if (why) {
      return new Failure('layer/not-freezable', `The disk ${id} of ${spec.name} cannot be frozen: it ${why}.`, {
        hint: 'Copy the disk into the library: create a guest from it without “use in place”.',
      });
    }
  }
  return null;
}

/**
 * Says how the disks of a guest are to be frozen, without doing it.
 * @throws Failure `layer/not-freezable`, or as {@link readBases}
 */
export async function planFreeze(spec: GuestSpec, { files, running }: Pick<FreezeParts, 'files' | 'running'>): Promise<FreezePlan> {
  const refusal = cannotFreeze(spec);
  if (refusal) throw refusal;
  const plan: FrozenDisk[] = [];
  for (const disk of spec.disks) {
    const file = storeFile(disk);
    const what = `The disk ${disk.id} of ${spec.name}`;
    // What QEMU holds back in its caches, the file does not show.
    const layer = running ? null : await layerUnchanged(files.disk(file), files, what);
    plan.push(
      layer
        ? { diskId: disk.id, file, layer, overlay: null }
        : { diskId: disk.id, file, layer: newLayerId(), overlay: overlayFile(disk.id) },
    );
  }
  return plan;
}

/** The spec with the overlays in place of the frozen files. */
export function frozenSpec(spec: GuestSpec, plan: FreezePlan): GuestSpec {
  const overlays = new Map(plan.map(({ diskId: id, overlay }) => [id, overlay]));
  const disks = spec.disks.map((disk): Disk => {
    const overlay = overlays.get(disk.id);
    return overlay ? { ...disk, location: { kind: 'store', file: overlay } } : disk;
  });
  return { ...spec, disks };
}

/**
 * Gives the files their second names and makes the overlays, all durable. The guest's spec is not touched.
 * @throws Failure `layer/no-links`, `store/full`, `store/not-writable`; then {@link undoFreeze} takes back what was done
 */
export async function stageFreeze(plan: FreezePlan, parts: FreezeParts, signal: AbortSignal): Promise<void> {
  const { layout, files } = parts;
  for (const { file, layer, overlay, diskId: id } of plan) {
    if (overlay === null) continue;
    signal.throwIfAborted();
    const { virtualSizeBytes } = await readHeader(files.disk(file), `The disk ${id}`);
    await giveLayerName(files.disk(file), layout.layer(layer), parts.running);
    await syncFolder(dirname(layout.layer(layer)));
    await createOverlay(files.disk(overlay), { path: layout.layer(layer), format: 'qcow2' }, virtualSizeBytes);
  }
  await syncFolder(layout.layers);
}

/** After the spec names the overlays: takes the old names away and protects the layers. Idempotent. */
export async function finishFreeze(plan: FreezePlan, { layout, files }: Pick<FreezeParts, 'layout' | 'files'>): Promise<void> {
  for (const { file, layer, overlay } of plan) {
    if (overlay === null) continue;
    await removeSameFile(files.disk(file), layout.layer(layer));
    await chmod(layout.layer(layer), 0o400);
  }
}

/** Before the spec names the overlays: everything is as it was. Idempotent, from any point of {@link stageFreeze}. */
export async function undoFreeze(plan: FreezePlan, { layout, files }: Pick<FreezeParts, 'layout' | 'files'>): Promise<void> {
  for (const { file, layer, overlay } of plan) {
    if (overlay === null) continue;
    await removeOverlay(files.disk(overlay));
    if (await identityOf(files.disk(file))) await removeSameFile(layout.layer(layer), files.disk(file));
    else if (await identityOf(layout.layer(layer))) await rename(layout.layer(layer), files.disk(file));
    removeEmptyFolder(dirname(layout.layer(layer)));
  }
}

/**
 * Freezes the disks of a guest that is off, and has `commit` store the spec with the overlays, with whatever else must be stored in
 * the same transaction. When that throws, or anything before it, all is as it was.
 */
export async function freezeDisks(
  spec: GuestSpec,
  parts: FreezeParts,
  signal: AbortSignal,
  commit: (frozen: GuestSpec, plan: FreezePlan) => void,
): Promise<FreezePlan> {
  const plan = await planFreeze(spec, parts);
  try {
    await stageFreeze(plan, parts, signal);
    signal.throwIfAborted();
    commit(frozenSpec(spec, plan), plan);
  } catch (thrown) {
    await undoFreeze(plan, parts);
    throw thrown;
  }
  // All is done; a name that cannot be taken away now is by the next engine.
  await finishFreeze(plan, parts).catch(() => {});
  return plan;
}

/**
 * Takes away what a freeze left in a guest's folder when the engine was killed: second names of layers, and overlays that were never
 * used or not even whole. To be called while nothing is being frozen, for a guest whose spec is settled.
 */
export async function settleFreezes(spec: GuestSpec, { layout, files }: Pick<FreezeParts, 'layout' | 'files'>): Promise<void> {
  const used = new Set(spec.disks.flatMap(({ location }) => (location.kind === 'store' ? [location.file] : [])));
  const names = await readdir(files.folder).catch(() => []);
  for (const name of names.filter((one) => unfinishedName.test(one))) await removeFile(files.disk(name));
  const strays = names.filter((name) => isDiskName(name) && !used.has(name));
  if (strays.length === 0) return;
  const layers = new Map<string, string>();
  for (const name of await readdir(layout.layers).catch(() => [])) {
    const path = layout.layer(name as LayerId);
    const identity = await identityOf(path);
    if (identity) layers.set(identity, path);
  }
  for (const name of strays) {
    const path = files.disk(name);
    const layer = layers.get((await identityOf(path)) ?? '');
    if (layer) await removeSameFile(path, layer);
    else if (overlayName.test(name) && (await isEmptyOverlay(path))) await removeFile(path);
  }
}

/** Disks that were taken out of the guest are kept beside its own. */
const isDiskName = (name: string): boolean => name.endsWith('.qcow2') && !name.startsWith('removed-');
const storeFile = (disk: Disk): string => (disk.location.kind === 'store' ? disk.location.file : '');

/** The layer on which a disk lies when nothing was written to it since; null when it holds something of its own. */
async function layerUnchanged(path: string, files: GuestFiles, what: string): Promise<LayerId | null> {
  const [base] = await readBases(path, files.bases, what);
  const layer = base ? layerIdOf(base.path, files.bases.layers) : null;
  if (!base || !layer) return null;
  const [header, below] = [await readHeader(path, what), await readHeader(base.path, what)];
  if (header.virtualSizeBytes !== below.virtualSizeBytes || !(await isEmptyOverlay(path))) return null;
  return layer;
}

/** Whether a qcow2 file builds upon another and holds nothing of its own: its first table is all zeros. */
export async function isEmptyOverlay(path: string): Promise<boolean> {
  const header = await readHeader(path, path);
  if (header.backingFile === null || header.dirty || header.snapshots > 0) return false;
  const table = Buffer.alloc(header.l1Entries * 8);
  const file = await open(path, 'r');
  try {
    const { bytesRead } = await file.read(table, 0, table.length, header.l1Offset);
    return bytesRead === table.length && table.every((byte) => byte === 0);
  } finally {
    await file.close();
  }
}

async function giveLayerName(path: string, layer: string, running: boolean): Promise<void> {
  // A second name works within one file system: the layer lies in the location in which the guest does.
  makeFolderIn(locationOfFolder(dirname(path)), dirname(layer));
  try {
    await link(path, layer);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code ?? '';
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw toWriteFailure(thrown, layer);
    if (running) {
      throw new Failure(
        'layer/no-links',
        `The file system of ${path} cannot give a file a second name, so a guest that runs cannot be frozen.`,
        {
          hint: 'Shut the guest down first.',
        },
      );
    }
    await rename(path, layer);
  }
}

/** Removes one name of a file that has `other` as well; leaves it where they are not the same file. */
async function removeSameFile(path: string, other: string): Promise<void> {
  const [one, two] = [await identityOf(path), await identityOf(other)];
  if (one !== null && one === two) await removeFile(path);
}

async function identityOf(path: string): Promise<string | null> {
  const found = await lstat(path, { bigint: true }).catch(() => null);
  return found ? `${found.dev}:${found.ino}` : null;
}
