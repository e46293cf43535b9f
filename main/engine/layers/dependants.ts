/** Who builds upon a base, as people know them. */
import { basename, dirname } from 'node:path';
import { Failure } from '../../../contract/errors.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import type { Layout } from '../files/layout.ts';
import { awayFileFailure } from '../files/moved-folder.ts';
import { buildersUpon, readStoreDisks, type StoreDisk } from './layer-graph.ts';

export type NamedGuests = readonly Pick<Guest, 'id' | 'spec'>[];

/** The guest in whose folder, or in whose folder in the trash, a file lies; null for a layer or an image. */
export function guestOfFile<Known extends Pick<Guest, 'id'>>(layout: Layout, path: string, guests: readonly Known[]): Known | null {
  const folder = dirname(path);
  const parent = dirname(folder);
  if (parent !== layout.guests && parent !== layout.trash) return null;
  return guests.find((guest) => guest.id === basename(folder)) ?? null;
}

/** Names of the guests whose disks build upon the file, those in the trash as well, each once. */
export function namesOfBuilders(layout: Layout, disks: readonly StoreDisk[], path: string, guests: NamedGuests): string[] {
  const names = buildersUpon(disks, path).map((builder) => guestOfFile(layout, builder, guests)?.spec.name);
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * To be asked, alone (`lineage-lock.ts`), before a base is removed.
 * @param what names the base in messages: "The image “Debian”".
 * @throws Failure `image/in-use` with the dependants, or when it cannot be known whether there are any.
 */
export async function mustHaveNoDependants(layout: Layout, path: string, what: string, guests: NamedGuests): Promise<void> {
  const disks = await readStoreDisks(layout);
  const builders = buildersUpon(disks, path);
  if (builders.length > 0) {
    const names = namesOfBuilders(layout, disks, path, guests);
    const said = names.length > 0 ? names.map((name) => `“${name}”`).join(', ') : `${builders.length} frozen disks`;
    throw new Failure('image/in-use', `${what} cannot go: ${said} ${names.length === 1 ? 'builds' : 'build'} upon it.`, {
      hint: 'Make these guests independent first, or delete them, those in the trash as well.',
      detail: builders.join('\n'),
    });
  }
  const unknown = disks.find((disk) => disk.bases === null);
  if (unknown) {
    throw new Failure('image/in-use', `${what} cannot go while it is not known what ${unknown.path} builds upon.`, {
      hint: (await awayFileFailure(unknown.path, 'It'))?.error.message ?? 'Repair or delete the guest with that disk first.',
    });
  }
}
