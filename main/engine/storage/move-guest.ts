/**
 * A guest's way to another storage location.
 *
 * ```
 *   row with the folders ─► copies beside their places, read back ─► one transaction: the row says "switched"
 *     ─► names in the store lead there ─► what was left is removed ─► the row goes
 * ```
 * Before that transaction the guest is where it was and copies are only to be removed; after it the guest is where it was going, and the rest can
 * be done any number of times, by whichever engine.
 *
 * Which folders: the guest's own, and every layer that only it and its snapshots need. Layers that others build upon stay where they are, as images
 * do: who builds upon what are names in the store, and those do not change.
 *
 * INVARIANT: killed at any moment, the guest is whole on one side and no data is on neither (`tests/integration/guest-move.test.ts`).
 */
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { syncFolder } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { comingOf, folderInLocation, isNamed, leavingOf, makeComingLink, movedFolder, takeName } from '../files/moved-folder.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import { demandSpace } from '../images/copy-medium.ts';
import { layerIdOf } from '../layers/disk-chain.ts';
import { readStoreDisks, type StoreDisk } from '../layers/layer-graph.ts';
import type { LineageLock } from '../layers/lineage-lock.ts';
import { contentOf, copyFolder } from './copy-folder.ts';
import type { FolderMove, MoveStore, StoredMove } from './store.ts';

export type MoveParts = {
  layout: Layout;
  moves: MoveStore;
  lineageLock: LineageLock;
  /** Paths of the layers that each guest's snapshots name; null when that is not known. */
  layersByGuest(): ReadonlyMap<GuestId, ReadonlySet<string>> | null;
  /** Settles when nothing rearranges layers any more; as long as a move is stored, nothing new begins to. */
  giveWay(id: GuestId): Promise<void>;
  keepFreeBytes(): number;
};

/**
 * The layers that only this guest needs: its disks, its snapshots, and nobody else, those in the trash included. None while it is not known who
 * needs what.
 * @param disks all of the store, as `readStoreDisks` gives them
 */
export function layersOfItsOwn(
  folder: string,
  id: GuestId,
  disks: readonly StoreDisk[],
  layout: Pick<Layout, 'layers'>,
  layersByGuest: ReadonlyMap<GuestId, ReadonlySet<string>> | null,
): string[] {
  if (layersByGuest === null || disks.some(({ bases }) => bases === null)) return [];
  const own = new Set<string>();
  const others = new Set<string>();
  const need = (set: Set<string>, layer: string) => {
    set.add(layer);
    for (const base of disks.find(({ path }) => path === layer)?.bases ?? []) set.add(base);
  };
  for (const { path, bases } of disks) {
    if (layerIdOf(path, layout.layers) !== null) continue;
    for (const base of bases ?? []) (dirname(path) === folder ? own : others).add(base);
  }
  for (const [guest, layers] of layersByGuest) for (const layer of layers) need(guest === id ? own : others, layer);
  return [...own].filter((path) => !others.has(path) && layerIdOf(path, layout.layers) !== null && existsSync(path));
}

/** What is to be moved, to the folder `to` of a location or to the data folder; nothing that is there already. */
async function planMove({ layout, layersByGuest }: MoveParts, id: GuestId, to: string | null): Promise<FolderMove[]> {
  const { folder } = layout.guest(id);
  const layers = layersOfItsOwn(folder, id, await readStoreDisks(layout), layout, layersByGuest());
  return [...layers.map(dirname), folder]
    .map((name) => ({ folder: name, from: movedFolder(name) ?? name, to: to === null ? name : folderInLocation(to, name) }))
    .filter(({ from, to: target }) => from !== target);
}

/** Where a copy is made until it is whole. */
const arrivingOf = ({ folder, to }: FolderMove): string => (to === folder ? comingOf(folder) : `${to}.arriving`);

/** Every name that a folder has on its way. A copy is as old as what it was made of, so its age does not say that it is work under way. */
export const placesOf = (move: FolderMove): string[] => [
  move.from,
  move.to,
  arrivingOf(move),
  comingOf(move.folder),
  leavingOf(move.folder),
];

/**
 * Moves the folders of a guest whose turn it is.
 * @throws Failure `store/full`, `store/not-writable`, `image/changed`, `image/corrupt`, `storage/copy-in-the-way`; or the signal's reason. Then the
 * guest is where it was.
 */
export async function moveGuest(
  parts: MoveParts,
  id: GuestId,
  to: string | null,
  signal: AbortSignal,
  progress: (bytesDone: number, bytesTotal: number) => void,
): Promise<void> {
  const { moves } = parts;
  await settleMove(parts, id);
  moves.save({ guestId: id, folders: [], switched: false });
  try {
    await parts.giveWay(id);
    const folders = await planMove(parts, id, to);
    if (folders.length > 0) await copyAndSwitch(parts, id, folders, signal, progress);
  } finally {
    await settleMove(parts, id);
  }
}

async function copyAndSwitch(
  { moves, lineageLock, keepFreeBytes }: MoveParts,
  id: GuestId,
  folders: FolderMove[],
  signal: AbortSignal,
  progress: (bytesDone: number, bytesTotal: number) => void,
): Promise<void> {
  for (const { to: target, folder } of folders) {
    if (target === folder || !isNamed(target)) continue;
    throw new Failure('storage/copy-in-the-way', `There is something at ${target} already, to which nothing in the store leads.`, {
      hint: 'Look at the leftovers on the Storage page, and delete it there if you do not need it.',
    });
  }
  moves.save({ guestId: id, folders, switched: false });
  await copyAll(folders, keepFreeBytes(), signal, progress);
  signal.throwIfAborted();
  await lineageLock(async () => {
    for (const { folder, to } of folders) if (to !== folder) await makeComingLink(folder, to);
    // From here on it is there.
    moves.save({ guestId: id, folders, switched: true });
    for (const { folder } of folders) takeName(folder);
  });
}

async function copyAll(
  folders: readonly FolderMove[],
  keepFreeBytes: number,
  signal: AbortSignal,
  progress: (bytesDone: number, bytesTotal: number) => void,
): Promise<void> {
  const contents = await Promise.all(folders.map(({ from }) => contentOf(from)));
  // Each byte is copied and read back.
  const total = 2 * contents.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const [index, move] of folders.entries()) {
    const arriving = arrivingOf(move);
    makePrivateFolder(dirname(arriving));
    if (index === 0) {
      const needed = contents.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
      await demandSpace(arriving, needed, keepFreeBytes);
    }
    await rm(arriving, { recursive: true, force: true });
    await copyFolder({
      from: move.from,
      to: arriving,
      keepFreeBytes,
      signal,
      onBytes(bytes) {
        done += bytes;
        progress(done, total);
      },
    });
    if (move.to !== move.folder) await rename(arriving, move.to);
    await syncFolder(dirname(arriving));
  }
}

/**
 * Finishes what was switched, as far as the locations can be reached, and takes back what was not. Idempotent; to be called while the guest is
 * held, or before guests are taken over.
 */
export async function settleMove({ layout, moves }: Pick<MoveParts, 'layout' | 'moves'>, id: GuestId): Promise<void> {
  const move = moves.find(id);
  if (!move) return;
  if (!move.switched) await takeBack(move);
  else if (!(await finish(layout, move))) return;
  moves.remove(id);
}

async function takeBack({ folders }: StoredMove): Promise<void> {
  for (const move of folders) {
    await rm(comingOf(move.folder), { recursive: true, force: true });
    await rm(arrivingOf(move), { recursive: true, force: true });
    if (move.to !== move.folder) await rm(move.to, { recursive: true, force: true });
  }
}

/** False while what was left cannot be removed: its location is not there, or what took its place is not. */
async function finish(layout: Layout, { folders }: StoredMove): Promise<boolean> {
  for (const { folder } of folders) takeName(folder);
  for (const parent of [layout.guests, layout.layers]) await syncFolder(parent);
  let isDone = true;
  for (const { folder, from, to } of folders) {
    if (!existsSync(to)) isDone = false;
    else if (from === folder) await rm(leavingOf(folder), { recursive: true, force: true });
    else if (existsSync(dirname(from))) await rm(from, { recursive: true, force: true });
    else isDone = false;
  }
  return isDone;
}
