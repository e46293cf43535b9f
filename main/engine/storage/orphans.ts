/**
 * Files of the store that nobody refers to. Only what is known to be nobody's is one: a file of a guest that this page does not know may
 * be another room's, and is left alone.
 */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Orphan } from '../../../contract/storage.ts';
import type { Layout } from '../files/layout.ts';
import { locationFolder, movedTo } from '../files/moved-file.ts';
import { locationStore, movedFolder } from '../files/moved-folder.ts';
import { measureTree, sumUse } from './measure.ts';

export type Known = {
  images: ReadonlySet<string>;
  /** Ids of guests in the library, and of those in the trash. */
  guests: ReadonlySet<string>;
  trashed: ReadonlySet<string>;
  /** Keys of downloads that can be gone on with. */
  downloads: ReadonlySet<string>;
  /** Storage locations that can be reached. */
  locations: readonly { name: string; path: string }[];
  /** What is on its way from one place to another. */
  moving: ReadonlySet<string>;
  /** Nothing newer than this is an orphan: it is work under way. */
  beforeMs: number;
};

const guestName = /^g[0-9a-z]{9}$/;
const layerName = /^l[0-9a-z]{9}$/;
const imageFile = /^i[0-9a-z]{9}\.((iso|qcow2|raw)(\.(arriving|compacting))?|arriving|unpacking)$/;
/** Names that jobs give to what is not finished; the job that made one removes it, unless its engine was killed for good. */
const unfinished = /\.(arriving|compacting|new|tmp)$/;

export async function findOrphans(layout: Layout, known: Known): Promise<Orphan[]> {
  const candidates: { path: string; what: string }[] = [];
  const add = (path: string, what: string) => candidates.push({ path, what });
  for (const name of await namesIn(layout.images)) {
    const own =
      known.images.has(name) ||
      name === 'starter-deleted' ||
      /^i[0-9a-z]{9}\.(?!(?:iso|qcow2|raw)$)/.test(name) ||
      known.images.has(name.replace(/\.compacting$/, ''));
    if (!own) add(join(layout.images, name), 'A file among the images that the library does not know');
  }
  for (const name of await namesIn(layout.guests)) {
    if (!known.guests.has(name))
      add(
        join(layout.guests, name),
        guestName.test(name) ? 'The folder of a guest that is not in the library' : 'A folder among the guests that is no guest’s',
      );
    else
      for (const file of await namesIn(join(layout.guests, name)))
        if (unfinished.test(file)) add(join(layout.guests, name, file), 'What unfinished work left in the folder of a guest');
  }
  for (const name of await namesIn(layout.trash))
    if (!known.trashed.has(name)) add(join(layout.trash, name), 'The folder of a guest that is not in the trash');
  for (const name of await namesIn(layout.downloads))
    if (!known.downloads.has(name)) add(join(layout.downloads, name), 'What is left of a download that cannot be gone on with');

  for (const name of await namesIn(layout.layers))
    if (!layerName.test(name)) add(join(layout.layers, name), 'A folder among the layers that is no layer’s');
  for (const location of known.locations) candidates.push(...(await leftoversIn(layout, location)));

  const orphans: Orphan[] = [];
  for (const { path, what } of candidates) {
    if (known.moving.has(path)) continue;
    const files = await measureTree(path);
    const modifiedMs = Math.max(0, ...files.map((file) => file.modifiedMs));
    if (modifiedMs >= known.beforeMs) continue;
    const shown = path.startsWith(layout.home + sep) ? relative(layout.home, path) : path;
    orphans.push({ path: shown, what, use: sumUse(files), modifiedAt: new Date(modifiedMs).toISOString() });
  }
  return orphans.sort((one, other) => other.use.realBytes - one.use.realBytes);
}

/**
 * What lies under names of ours in the folders of ours in a location, and to which no name in the store leads. Whatever else is there was put
 * there by somebody else.
 */
async function leftoversIn(
  layout: Layout,
  { name: location, path }: Known['locations'][number],
): Promise<{ path: string; what: string }[]> {
  const found: { path: string; what: string }[] = [];
  for (const name of await namesIn(join(path, locationFolder))) {
    if (!imageFile.test(name)) continue;
    const file = join(path, locationFolder, name);
    const target = await movedTo(join(layout.images, name.replace(unfinished, '')));
    if (target === null || target !== file) found.push({ path: file, what: `A file in “${location}” that the library does not know` });
  }
  const isNamedBy = (folder: string, ...names: string[]) => names.some((name) => movedFolder(name) === folder);
  for (const name of await namesIn(join(path, locationStore, 'guests'))) {
    const folder = join(path, locationStore, 'guests', name);
    const named = isNamedBy(folder, join(layout.guests, name), join(layout.trash, name));
    if (guestName.test(name.replace(unfinished, '')) && !named)
      found.push({ path: folder, what: `What a guest left in “${location}”, or unfinished work` });
  }
  for (const name of await namesIn(join(path, locationStore, 'layers'))) {
    const folder = join(path, locationStore, 'layers', name);
    if (layerName.test(name.replace(unfinished, '')) && !isNamedBy(folder, join(layout.layers, name)))
      found.push({ path: folder, what: `A frozen disk in “${location}” that nothing in the store leads to` });
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
