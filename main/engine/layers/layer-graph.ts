/** Who builds upon what in the store, read from the files themselves: they are the only truth about it, whatever was killed when. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { removeFile } from '../files/durable.ts';
import type { Layout } from '../files/layout.ts';
import { awayLocation, movedFolder, removeEmptyFolder } from '../files/moved-folder.ts';
import { layerIdOf, readBases } from './disk-chain.ts';

/**
 * A qcow2 file of the store with all that it builds upon, the nearest first; null when that cannot be read. What lies in a location that cannot be
 * reached stands as one such file, under the name of its folder.
 */
export type StoreDisk = { path: string; bases: readonly string[] | null };

/** Every qcow2 disk of every guest, those in the trash as well, and every layer. */
export async function readStoreDisks(layout: Layout): Promise<StoreDisk[]> {
  const folders = [...(await foldersIn(layout.layers)), ...(await foldersIn(layout.guests)), ...(await foldersIn(layout.trash))];
  const disks: StoreDisk[] = [];
  for (const folder of folders) {
    if (awayLocation(folder) !== null) disks.push({ path: join(folder, 'disk.qcow2'), bases: null });
    for (const name of await namesIn(folder)) {
      if (!name.endsWith('.qcow2')) continue;
      const path = join(folder, name);
      const bases = await readBases(path, { layers: layout.layers, images: layout.images }, path).catch(() => null);
      disks.push({ path, bases: bases?.map((base) => base.path) ?? null });
    }
  }
  return disks;
}

/**
 * The layers that nothing builds upon and that `held` does not name. None while a file cannot be read: what it builds upon is not known.
 * @param disks all of the store, as {@link readStoreDisks} gives them.
 */
export function unusedLayers(disks: readonly StoreDisk[], layersFolder: string, held: ReadonlySet<string>): string[] {
  if (disks.some((disk) => disk.bases === null)) return [];
  const isLayer = (path: string) => layerIdOf(path, layersFolder) !== null;
  const needed = new Set<string>();
  // A layer that only unused layers build upon is unused as well, so what is needed is followed from guests and snapshots.
  for (const { path, bases } of disks) {
    if (isLayer(path) && !held.has(path)) continue;
    if (isLayer(path)) needed.add(path);
    for (const base of bases ?? []) needed.add(base);
  }
  return disks.filter(({ path }) => isLayer(path) && !needed.has(path)).map(({ path }) => path);
}

/**
 * Removes the layers that nothing needs any more, and folders of layers that never came to be. To be called while nothing is being
 * frozen. Idempotent; answers what was removed.
 * @param held paths of layers that are needed although no disk builds upon them: snapshots name them
 */
export async function removeUnusedLayers(layout: Layout, held: ReadonlySet<string>): Promise<string[]> {
  const unused = unusedLayers(await readStoreDisks(layout), layout.layers, held);
  for (const path of unused) await removeFile(path);
  // Only empty folders can be removed so.
  for (const folder of await foldersIn(layout.layers)) {
    // What has another name is on its way from or to another location, and may be empty for a moment.
    if (layerIdOf(join(folder, 'disk.qcow2'), layout.layers) !== null) removeEmptyFolder(folder);
  }
  return unused;
}

/** The files that build upon `path`, directly or through others. */
export function buildersUpon(disks: readonly StoreDisk[], path: string): string[] {
  return disks.filter(({ bases }) => bases?.includes(resolve(path))).map((disk) => disk.path);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const paths = entries.map((entry) => ({ path: join(folder, entry.name), isFolder: entry.isDirectory() }));
  return paths.filter(({ path, isFolder }) => isFolder || movedFolder(path) !== null).map(({ path }) => path);
}
