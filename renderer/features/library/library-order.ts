/** Which guests the library shows and in which order. Pure. */
import { cpuCount } from '../../../contract/guest-spec.ts';
import type { Guest, GuestStatus, Sample } from '../../../contract/guest-state.ts';
import { words } from '../../words/en.ts';
import { compareNames } from '../../words/format.ts';
import type { LibraryFilter } from './library-address.ts';

export const sortKeys = ['name', 'state', 'started', 'created', 'memory', 'cpu'] as const;
export type SortKey = (typeof sortKeys)[number];
export type LibrarySort = { by: SortKey; descending: boolean };

export function acceptSort(stored: unknown): LibrarySort | null {
  if (typeof stored !== 'object' || stored === null || !('by' in stored) || !('descending' in stored)) return null;
  const by = sortKeys.find((key) => key === stored.by);
  return by && typeof stored.descending === 'boolean' ? { by, descending: stored.descending } : null;
}

/** The guests that fit a filter; `outdated` are those whose image has a newer version. Text is looked for in names, notes, tags, systems, host names and addresses; every word must be found. */
export function filterGuests(guests: readonly Guest[], filter: LibraryFilter, outdated: ReadonlySet<string> = new Set()): Guest[] {
  const sought = filter.text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return guests.filter((guest) => {
    const { spec, state } = guest;
    if (filter.place === 'running' && !state.run) return false;
    if (filter.place === 'templates' && state.status !== 'template') return false;
    if (filter.place === 'favourites' && !spec.favourite) return false;
    if (filter.place === 'outdated' && !outdated.has(guest.id)) return false;
    if (filter.tag !== null && !spec.tags.includes(filter.tag)) return false;
    if (filter.states.length > 0 && !filter.states.includes(state.status)) return false;
    if (filter.families.length > 0 && !filter.families.includes(spec.os.family)) return false;
    if (sought.length === 0) return true;
    const text = [
      spec.name,
      spec.notes,
      spec.os.name,
      ...spec.tags,
      words.status[state.status],
      state.run?.hostname ?? '',
      ...(state.run?.addresses ?? []),
    ]
      .join('\n')
      .toLocaleLowerCase();
    return sought.every((word) => text.includes(word));
  });
}

/** What needs attention comes first, what is off last. */
const stateOrder: Record<GuestStatus, number> = {
  crashed: 0,
  running: 1,
  paused: 2,
  starting: 3,
  stopping: 4,
  suspending: 5,
  creating: 6,
  suspended: 7,
  off: 8,
  template: 9,
};

/** A sorted copy. Equal guests are in the order of their names, whichever way the rest goes. */
export function sortGuests(
  guests: readonly Guest[],
  sort: LibrarySort,
  cpuNow: (id: string) => Sample | undefined = () => undefined,
): Guest[] {
  const compare = comparators(cpuNow)[sort.by];
  const direction = sort.descending ? -1 : 1;
  return [...guests].sort(
    (one, other) => direction * compare(one, other) || compareNames(one.spec.name, other.spec.name) || (one.id < other.id ? -1 : 1),
  );
}

function comparators(cpuNow: (id: string) => Sample | undefined): Record<SortKey, (one: Guest, other: Guest) => number> {
  return {
    name: (one, other) => compareNames(one.spec.name, other.spec.name),
    state: (one, other) => stateOrder[one.state.status] - stateOrder[other.state.status],
    started: (one, other) => (one.lastStartedAt ?? '').localeCompare(other.lastStartedAt ?? ''),
    created: (one, other) => one.createdAt.localeCompare(other.createdAt),
    memory: (one, other) => one.spec.memoryMiB - other.spec.memoryMiB || cpuCount(one.spec.cpu) - cpuCount(other.spec.cpu),
    cpu: (one, other) => (cpuNow(one.id)?.cpuCores ?? 0) - (cpuNow(other.id)?.cpuCores ?? 0),
  };
}

export const columnIds = ['state', 'system', 'cpu', 'memory', 'cpus', 'addresses', 'tags', 'started', 'created'] as const;
export type ColumnId = (typeof columnIds)[number];
export const defaultColumns: readonly ColumnId[] = ['state', 'system', 'cpu', 'memory', 'cpus', 'started'];

export function acceptColumns(stored: unknown): readonly ColumnId[] | null {
  return Array.isArray(stored) ? columnIds.filter((id) => stored.includes(id)) : null;
}
