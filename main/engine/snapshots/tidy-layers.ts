/**
 * Keeps the layers few: removes those that nothing needs, and has a disk take in a base that nothing else needs.
 *
 * INVARIANT: what a disk or a snapshot reads as never changes by tidying, wherever it ends (`tests/integration/snapshots-property.test.ts`).
 */
import { statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import type { GuestId } from '../../../contract/ids.ts';
import { syncFile } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { nameBase, takeInBase } from '../images/qemu-img.ts';
import { layerIdOf, readBases, readHeader } from '../layers/disk-chain.ts';
import { readStoreDisks, removeUnusedLayers, type StoreDisk } from '../layers/layer-graph.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';

export type TidyParts = {
  layout: Layout;
  lineageLock: LineageLock;
  qemuImgPath(): Promise<string>;
  /** Paths of the layers that snapshots name; null when that is not known, and then nothing is removed. */
  heldLayers(): ReadonlySet<string> | null;
  /** Guests that run, or are about to. */
  guestsInUse(): ReadonlySet<GuestId>;
};

/** A layer that only one disk builds upon and that no snapshot names, with that disk. */
export type Merge = { layer: string; into: string };

export async function removeUnneeded({ layout, lineageLock, heldLayers }: TidyParts): Promise<void> {
  await lineageLock(async () => {
    const held = heldLayers();
    if (held) await removeUnusedLayers(layout, held);
  });
}

/** What is larger than this and than most of what is above it costs more to copy than it gives back, and stays where it is. */
const copiedMaxBytes = 1024 ** 3;

/** The next layer that can be taken in by the disk above it, while nothing has that disk open; null when there is none. */
export async function nextMerge({ layout, heldLayers, guestsInUse }: TidyParts): Promise<Merge | null> {
  const held = heldLayers();
  if (!held) return null;
  const disks = await readStoreDisks(layout);
  if (disks.some(({ bases }) => bases === null)) return null;
  const open = openFiles(layout, disks, guestsInUse());
  const builders = new Map<string, string[]>();
  for (const { path, bases } of disks) {
    const base = bases?.[0];
    if (base) builders.set(base, [...(builders.get(base) ?? []), path]);
  }
  for (const [layer, upon] of builders) {
    const [into] = upon;
    if (!into || upon.length > 1 || !layerIdOf(layer, layout.layers) || held.has(layer) || open.has(into)) continue;
    if (bytesOnDisk(layer) <= Math.max(copiedMaxBytes, 2 * bytesOnDisk(into))) return { layer, into };
  }
  return null;
}

/** @throws Failure `image/in-use` when something has the disk open after all; the disk reads the same in any case */
export async function merge(parts: TidyParts, { into }: Merge, signal: AbortSignal, onProgress: (share: number) => void): Promise<void> {
  const { layout, qemuImgPath } = parts;
  const bases = await readBases(into, { layers: layout.layers, images: layout.images }, into);
  const isLayer = layerIdOf(into, layout.layers) !== null;
  if (isLayer) await chmod(into, 0o600);
  try {
    await takeInBase(await qemuImgPath(), { path: into, bases, signal, onProgress });
    await syncFile(into);
  } finally {
    if (isLayer) await chmod(into, 0o400);
  }
  await removeUnneeded(parts);
}

/** A merge that was killed in its last moment leaves a base by its whole path. */
export async function mendBaseNames({ layout, lineageLock, qemuImgPath }: TidyParts): Promise<void> {
  await lineageLock(async () => {
    for (const { path, bases } of await readStoreDisks(layout)) {
      if (!bases?.[0] || !(await readHeader(path, path)).backingFile?.startsWith('/')) continue;
      const [base] = await readBases(path, { layers: layout.layers, images: layout.images }, path);
      const isLayer = layerIdOf(path, layout.layers) !== null;
      if (isLayer) await chmod(path, 0o600);
      // One that is in use is mended another time: its name leads where it should as long as the folder is not moved.
      if (base) await nameBase(await qemuImgPath(), path, base).catch(() => {});
      if (isLayer) await chmod(path, 0o400);
    }
  });
}

function bytesOnDisk(path: string): number {
  return (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * 512;
}

/** Every file that a guest which runs may have open. */
function openFiles(layout: Layout, disks: readonly StoreDisk[], inUse: ReadonlySet<GuestId>): Set<string> {
  const open = new Set<string>();
  for (const id of inUse) {
    const { folder } = layout.guest(id);
    for (const { path, bases } of disks) {
      if (path.startsWith(`${folder}/`)) for (const file of [path, ...(bases ?? [])]) open.add(file);
    }
  }
  return open;
}
