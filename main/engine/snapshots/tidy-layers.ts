/**
 * Keeps the layers few: removes those that nothing needs, and has a disk take in a base that nothing else needs.
 *
 * INVARIANT: what a disk or a snapshot reads as never changes by tidying, wherever it ends (`tests/integration/snapshots-property.test.ts`).
 */
import { statSync } from 'node:fs';
import { chmod, rename } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { ByteProgress, LiveDisks, LiveTaking } from '../drivers/driver.ts';
import { syncFile, syncFolder } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { demandSpace } from '../images/copy-medium.ts';
import { commitToBase, nameBase, takeInBase } from '../images/qemu-img.ts';
import { withChainView } from '../layers/chain-view.ts';
import { baseNameFor, type DiskLink, layerIdOf, readBases, readHeader } from '../layers/disk-chain.ts';
import { readStoreDisks, removeUnusedLayers, type StoreDisk } from '../layers/layer-graph.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';

export type TidyParts = {
  layout: Layout;
  lineageLock: LineageLock;
  qemuImgPath(): Promise<string>;
  /** Paths of the layers that snapshots name; null when that is not known, and then nothing is removed. */
  heldLayers(): ReadonlySet<string> | null;
  /** Guests that run, are about to, or have something done with them. */
  guestsInUse(): ReadonlySet<GuestId>;
  liveDisks(id: GuestId): LiveDisks | null;
  /** Whether its QEMU would not do it: not tried again before the guest is off. */
  isRefused(merge: Merge): boolean;
  keepFreeBytes(): number;
  /** Whether a guest is being made, which is about to build upon layers that nothing else may need, or layers are being read. */
  mustStay(): boolean;
};

/**
 * A layer that only one disk builds upon and that no snapshot names, with that disk. `up`: the disk takes in what the layer holds for it.
 * `down`: the layer takes in what the disk holds, and then the disk's name. Either leaves one file where there were two. `live`: the guest
 * that runs from them takes the layer in.
 */
export type Merge = {
  layer: string;
  into: string;
  direction: 'up' | 'down';
  /** Guests that have the disk above among the files of theirs. */
  readers: readonly GuestId[];
  live: GuestId | null;
};
/** `waits`: there are layers that could be merged once guests that use them are off, or have nothing else to do. */
export type Found = { merge: Merge | null; waits: boolean };

export async function removeUnneeded({ layout, lineageLock, heldLayers }: TidyParts): Promise<void> {
  await lineageLock(async () => {
    const held = heldLayers();
    if (held) await removeUnusedLayers(layout, held);
  });
}

/** A layer that is larger than this, and than twice what lies upon it, is not copied while a guest runs: once it is off, the other way is shorter. */
const copiedLiveMaxBytes = 1024 ** 3;
/** What a guest that runs can spare of its disk. */
const liveBytesPerSecond = 64 * 1024 ** 2;

/** The next layer that can become one with the disk above it. */
export async function nextMerge(parts: TidyParts): Promise<Found> {
  const { layout, heldLayers, guestsInUse, liveDisks, isRefused } = parts;
  const none: Found = { merge: null, waits: false };
  const held = heldLayers();
  if (!held) return none;
  const disks = await readStoreDisks(layout);
  if (disks.some(({ bases }) => bases === null)) return none;
  const inUse = guestsInUse();
  const readersOf = readersIn(layout, disks);
  const builders = new Map<string, string[]>();
  for (const { path, bases } of disks) {
    const base = bases?.[0];
    if (base) builders.set(base, [...(builders.get(base) ?? []), path]);
  }
  let waits = false;
  for (const [layer, upon] of builders) {
    const [into] = upon;
    if (!into || upon.length > 1 || !layerIdOf(layer, layout.layers) || held.has(layer)) continue;
    const readers = readersOf.get(into) ?? [];
    const [user, ...others] = readers.filter((id) => inUse.has(id));
    if (!user) return { merge: { layer, into, direction: await cheaperDirection(layer, into), readers, live: null }, waits };
    const found: Merge = { layer, into, direction: 'up', readers, live: user };
    const isSmall = bytesOnDisk(layer) <= Math.max(copiedLiveMaxBytes, 2 * bytesOnDisk(into));
    if (others.length === 0 && isSmall && liveDisks(user) && !isRefused(found)) return { merge: found, waits };
    waits = true;
  }
  return { merge: null, waits };
}

/**
 * The smaller of the two is copied, so that a large layer costs no more than what lies upon it. Into the layer only where a guest sees both as
 * large, and where the layer can take the disk's name.
 */
async function cheaperDirection(layer: string, into: string): Promise<Merge['direction']> {
  if (bytesOnDisk(layer) <= bytesOnDisk(into) || statSync(layer).dev !== statSync(dirname(into)).dev) return 'up';
  const [above, below] = [await readHeader(into, into), await readHeader(layer, layer)];
  return above.virtualSizeBytes === below.virtualSizeBytes ? 'down' : 'up';
}

/**
 * Does what was found, unless things have changed meanwhile. The disk reads the same in any case.
 * @throws Failure `image/in-use` when something has the disk open after all
 */
export async function merge(parts: TidyParts, found: Merge, signal: AbortSignal, progress: ByteProgress): Promise<void> {
  const { layout, guestsInUse, mustStay } = parts;
  const inUse = guestsInUse();
  const live = found.live === null ? null : parts.liveDisks(found.live);
  // Looked at in the very moment in which it is begun: from now on whoever wants the disks waits for this.
  if (mustStay() || (found.live !== null && !live) || found.readers.some((id) => id !== found.live && inUse.has(id))) return;
  const bases = await readBases(found.into, { layers: layout.layers, images: layout.images }, found.into);
  // What was found may have been merged by another meanwhile.
  if (bases[0]?.path !== found.layer) return;
  if (live) await mergeLive(parts, live, found, { bases, signal, progress });
  else {
    const watched = { bases, signal, onProgress: (share: number) => progress(Math.round(share * 1000), 1000) };
    await (found.direction === 'up' ? mergeUp : mergeDown)(parts, found, watched);
  }
  await removeUnneeded(parts);
}

/** The guest runs on meanwhile, and its QEMU does the copying. */
async function mergeLive(
  { layout, keepFreeBytes }: TidyParts,
  disks: LiveDisks,
  { layer, into, live }: Merge,
  { bases: [, below], ...watched }: { bases: readonly DiskLink[]; signal: AbortSignal; progress: ByteProgress },
): Promise<void> {
  await demandSpace(into, bytesOnDisk(layer), keepFreeBytes());
  const { folder } = layout.guest(live as GuestId);
  const place = await placeIn(layout, folder, into);
  const upon = below ? { depth: place.depth + 2, name: baseNameFor(into, below.path) } : null;
  await whileWritable(layout, [into], async () => {
    await disks.takeInBases({ ...place, upon, bytesPerSecond: liveBytesPerSecond, ...watched });
    await syncFile(into);
  });
}

/** Where a file lies in the chain of one of a guest's disks. @throws Failure `image/in-use` when several of them build upon it */
async function placeIn(layout: Layout, folder: string, path: string): Promise<Pick<LiveTaking, 'top' | 'depth' | 'length'>> {
  const disks = (await readStoreDisks(layout)).filter((one) => dirname(one.path) === folder);
  const chains = disks.map((one) => [one.path, ...(one.bases ?? [])]).filter((chain) => chain.includes(path));
  const [chain, ...others] = chains;
  if (!chain || others.length > 0) throw new Failure('image/in-use', `More than one disk of the guest builds upon ${path}.`);
  return { top: chain[0] ?? path, depth: chain.indexOf(path), length: chain.length };
}

type Watched = { bases: readonly DiskLink[]; signal: AbortSignal; onProgress: (share: number) => void };

async function mergeUp({ layout, qemuImgPath }: TidyParts, { into }: Merge, watched: Watched): Promise<void> {
  await whileWritable(layout, [into], async () => {
    const qemuImg = await qemuImgPath();
    await withChainView(layout, into, watched.bases, (view) => takeInBase(qemuImg, { path: into, view, ...watched }));
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

/** A merge that was killed in its last moment leaves a base by its whole path, and any a layer that can be written to. */
export async function mendLayers({ layout, lineageLock, qemuImgPath }: TidyParts): Promise<void> {
  await lineageLock(async () => {
    for (const { path, bases } of await readStoreDisks(layout)) {
      if (layerIdOf(path, layout.layers) !== null) await chmod(path, 0o400);
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

/** Every file that a guest has open while it runs, with all those guests. */
function readersIn(layout: Layout, disks: readonly StoreDisk[]): Map<string, GuestId[]> {
  const readers = new Map<string, GuestId[]>();
  for (const { path, bases } of disks) {
    const folder = dirname(path);
    if (dirname(folder) !== layout.guests) continue;
    const id = basename(folder) as GuestId;
    for (const file of [path, ...(bases ?? [])]) {
      const known = readers.get(file) ?? [];
      if (!known.includes(id)) readers.set(file, [...known, id]);
    }
  }
  return readers;
}

/** Whether nothing but the guest's own disk is written to, which nobody else reads. */
export const touchesOnly = ({ into, live }: Merge, layout: Pick<Layout, 'layers'>): GuestId | null =>
  layerIdOf(into, layout.layers) === null ? live : null;
