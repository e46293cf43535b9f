/**
 * Files of the store that nobody refers to. Only what is known to be nobody's is one: a file of a guest that this page does not know may
 * be another room's, and is left alone.
 */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Orphan } from '../../../contract/storage.ts';
import type { Layout } from '../files/layout.ts';
import { measureTree, sumUse } from './measure.ts';

export type Known = {
  images: ReadonlySet<string>;
  /** Ids of guests in the library, and of those in the trash. */
  guests: ReadonlySet<string>;
  trashed: ReadonlySet<string>;
  /** Keys of downloads that can be gone on with. */
  downloads: ReadonlySet<string>;
  /** Nothing newer than this is an orphan: it is work under way. */
  beforeMs: number;
};

const guestName = /^g[0-9a-z]{9}$/;
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

  const orphans: Orphan[] = [];
  for (const { path, what } of candidates) {
    const files = await measureTree(path);
    const modifiedMs = Math.max(0, ...files.map((file) => file.modifiedMs));
    if (modifiedMs >= known.beforeMs) continue;
    orphans.push({ path: relative(layout.home, path), what, use: sumUse(files), modifiedAt: new Date(modifiedMs).toISOString() });
  }
  return orphans.sort((one, other) => other.use.realBytes - one.use.realBytes);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
