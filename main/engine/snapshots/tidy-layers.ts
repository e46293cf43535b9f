/**
 * Keeps the layers few: removes those that nothing needs, and has a disk take in a base that nothing else needs.
 *
 * INVARIANT: what a disk or a snapshot reads as never changes by tidying, wherever it ends (`tests/integration/snapshots-property.test.ts`).
 */
import { statSync } from 'node:fs';
import { chmod, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { GuestId } from '../../../contract/ids.ts';
import { syncFile, syncFolder } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { commitToBase, nameBase, takeInBase } from '../images/qemu-img.ts';
import { type DiskLink, layerIdOf, readBases, readHeader } from '../layers/disk-chain.ts';
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
  /** Whether a guest is being made, which is about to build upon layers that nothing else may need, or layers are being read. */
  mustStay(): boolean;
};

/**
 * A layer that only one disk builds upon and that no snapshot names, with that disk. `up`: the disk takes in what the layer holds for it.
 * `down`: the layer takes in what the disk holds, and then the disk's name. Either leaves one file where there were two.
 */
export type Merge = { layer: string; into: string; direction: 'up' | 'down' };

export async function removeUnneeded({ layout, lineageLock, heldLayers }: TidyParts): Promise<void> {
  await lineageLock(async () => {
    const held = heldLayers();
    if (held) await removeUnusedLayers(layout, held);
  });
}

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
    return { layer, into, direction: await cheaperDirection(layer, into) };
  }
  return null;
}

/** The smaller of the two is copied, so that a large layer costs no more than what lies upon it. Into the layer only where both are as large. */
async function cheaperDirection(layer: string, into: string): Promise<Merge['direction']> {
  if (bytesOnDisk(layer) <= bytesOnDisk(into)) return 'up';
  const [above, below] = [await readHeader(into, into), await readHeader(layer, layer)];
  return above.virtualSizeBytes === below.virtualSizeBytes ? 'down' : 'up';
}

/** @throws Failure `image/in-use` when something has the disk open after all; the disk reads the same in any case */
export async function merge(parts: TidyParts, found: Merge, signal: AbortSignal, onProgress: (share: number) => void): Promise<void> {
  const bases = await readBases(found.into, { layers: parts.layout.layers, images: parts.layout.images }, found.into);
  // What was found may have been merged by another meanwhile.
  if (bases[0]?.path !== found.layer) return;
  await (found.direction === 'up' ? mergeUp : mergeDown)(parts, found, { bases, signal, onProgress });
  await removeUnneeded(parts);
}

type Watched = { bases: readonly DiskLink[]; signal: AbortSignal; onProgress: (share: number) => void };

async function mergeUp({ layout, qemuImgPath }: TidyParts, { into }: Merge, watched: Watched): Promise<void> {
  await whileWritable(layout, [into], async () => {
    await takeInBase(await qemuImgPath(), { path: into, ...watched });
    await syncFile(into);
  });
}

/**
 * ```
 *   disk ─► layer ─► below      qemu-img commit      disk ─► layer′ ─► below      rename      disk ─► below
 * ```
 * The disk reads the same throughout, since what it holds lies over what is written to the layer. Nothing else may read the layer, so whether
 * that is so is looked at again, alone, before the layer takes the disk's name; until then nothing is lost but work.
 */
async function mergeDown(parts: TidyParts, { layer, into }: Merge, watched: Watched): Promise<void> {
  const { layout, lineageLock, qemuImgPath, heldLayers, mustStay } = parts;
  await whileWritable(layout, [layer, into], async () => {
    await commitToBase(await qemuImgPath(), { path: into, ...watched });
    await syncFile(layer);
  });
  await lineageLock(async () => {
    watched.signal.throwIfAborted();
    const held = heldLayers();
    const disks = await readStoreDisks(layout);
    if (!held || held.has(layer) || disks.some(({ bases }) => bases === null)) return;
    const upon = disks.filter(({ bases }) => bases?.[0] === layer);
    if (upon.length !== 1 || upon[0]?.path !== into || mustStay() || watched.signal.aborted) return;
    await chmod(layer, layerIdOf(into, layout.layers) ? 0o400 : 0o600);
    // Both lie as deep, so that the name of the base in the header stays right.
    await rename(layer, into);
    await syncFolder(dirname(into));
    await syncFolder(dirname(layer));
  });
}

/** Does `work` while the layers among the files can be written to. */
async function whileWritable(layout: Layout, files: readonly string[], work: () => Promise<void>): Promise<void> {
  const layers = files.filter((path) => layerIdOf(path, layout.layers) !== null);
  try {
    for (const path of layers) await chmod(path, 0o600);
    await work();
  } finally {
    for (const path of layers) await chmod(path, 0o400);
  }
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
