/** What the library shows, as an address: every view can be linked to, and back and forward work. */

import type { OsIdentity } from '../../../contract/guest-spec.ts';
import { osIdentity } from '../../../contract/guest-spec.ts';
import type { GuestStatus } from '../../../contract/guest-state.ts';
import { guestStatus } from '../../../contract/guest-state.ts';
import { recall, remember } from '../../state/remembered.ts';

export type LibraryPlace = 'all' | 'running' | 'computer' | 'favourites' | 'templates' | 'outdated';

export type LibraryFilter = {
  place: LibraryPlace;
  text: string;
  tag: string | null;
  states: readonly GuestStatus[];
  families: readonly OsIdentity['family'][];
};

export const noFilter: LibraryFilter = { place: 'all', text: '', tag: null, states: [], families: [] };

const places: readonly LibraryPlace[] = ['all', 'running', 'computer', 'favourites', 'templates', 'outdated'];

/** Reads the part of an address behind `?`. What makes no sense is left out. */
export function parseLibrarySearch(search: string): LibraryFilter {
  const parameters = new URLSearchParams(search);
  const place = parameters.get('place');
  const listed = (name: string) => (parameters.get(name) ?? '').split(',');
  const tag = parameters.get('tag');
  return {
    place: places.find((each) => each === place) ?? 'all',
    text: parameters.get('q') ?? '',
    tag: tag === '' ? null : tag,
    states: guestStatus.options.filter((state) => listed('state').includes(state)),
    families: osIdentity.shape.family.options.filter((family) => listed('system').includes(family)),
  };
}

/** The address of a filter. The reverse of {@link parseLibrarySearch}. */
export function libraryPath(filter: LibraryFilter): string {
  const parameters = new URLSearchParams();
  if (filter.place !== 'all') parameters.set('place', filter.place);
  if (filter.tag !== null) parameters.set('tag', filter.tag);
  if (filter.states.length > 0) parameters.set('state', filter.states.join(','));
  if (filter.families.length > 0) parameters.set('system', filter.families.join(','));
  if (filter.text !== '') parameters.set('q', filter.text);
  const search = parameters.toString();
  return search === '' ? '/library' : `/library?${search}`;
}

/** Whether more than the place narrows what is shown. */
export function isNarrowed(filter: LibraryFilter): boolean {
  return filter.text !== '' || filter.states.length > 0 || filter.families.length > 0;
}

/** The library as it was left, for the next start of the window. */
export function rememberedLibrary(): string {
  return recall('library.address', '/library', (stored) => (typeof stored === 'string' && stored.startsWith('/library') ? stored : null));
}

export function rememberLibrary(filter: LibraryFilter): void {
  remember('library.address', libraryPath(filter));
}
