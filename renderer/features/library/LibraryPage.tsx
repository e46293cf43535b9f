import { Replace, SearchX } from 'lucide-react';
import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useMemo, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import { guestCannot } from '../../../contract/guest-can.ts';
import { deleteGuests } from '../../state/guest-verbs.ts';
import { openRebase } from '../../state/rebasing.ts';
import { useRemembered } from '../../state/remembered.ts';
import { useGuests, useSampleStore, useSettings } from '../../state/store.ts';
import { useOutdatedGuests } from '../../state/use-outdated.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState } from '../../ui/feedback.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';
import { BulkBar } from './BulkBar.tsx';
import { EmptyLibrary } from './EmptyLibrary.tsx';
import { GuestCards } from './GuestCards.tsx';
import { GuestContextMenu, type MenuPlace, menuPlace } from './GuestContextMenu.tsx';
import { GuestTable } from './GuestTable.tsx';
import { HostStrip } from './HostStrip.tsx';
import { LibraryToolbar } from './LibraryToolbar.tsx';
import { isNarrowed, type LibraryFilter, libraryPath, noFilter, parseLibrarySearch, rememberLibrary } from './library-address.ts';
import { acceptColumns, acceptSort, defaultColumns, filterGuests, sortGuests } from './library-order.ts';
import type { ListProps } from './list-props.ts';
import './library.css';

/** All guests, as cards or as a table. */
export function LibraryPage() {
  const all = useGuests();
  const { libraryView } = useSettings();
  const search = useSearch();
  const [, navigate] = useLocation();
  const [sort, setSort] = useRemembered('library.sort', { by: 'name', descending: false } as const, acceptSort);
  const [columns, setColumns] = useRemembered('library.columns', defaultColumns, acceptColumns);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [renaming, setRenaming] = useState<string | null>(null);
  const [menu, setMenu] = useState<MenuPlace | null>(null);

  const filter = useMemo(() => parseLibrarySearch(search), [search]);
  const setFilter = (next: LibraryFilter) => navigate(libraryPath(next), { replace: true });
  useEffect(() => rememberLibrary(filter), [filter]);

  const outdatedGuests = useOutdatedGuests();
  const outdated = useMemo(() => new Set<string>(outdatedGuests.map(({ guest }) => guest)), [outdatedGuests]);
  const cpuTick = useSampleStore((state) => (sort.by === 'cpu' ? state : null));
  const shown = useMemo(
    () => sortGuests(filterGuests(Object.values(all), filter, outdated), sort, (id) => cpuTick?.[id]?.at(-1)),
    [all, filter, sort, cpuTick, outdated],
  );
  // What is filtered away or deleted is no longer selected; what stays keeps its mark through every refresh.
  const shownSelected = useMemo(() => shown.filter((guest) => selected.has(guest.id)), [shown, selected]);
  const selectedIds = useMemo(() => new Set(shownSelected.map((guest) => guest.id as string)), [shownSelected]);

  const open = useCallback((id: string) => navigate(`/guests/${id}`), [navigate]);
  const renamed = useCallback(() => {
    // The field took the focus; its guest has it back.
    if (renaming !== null)
      requestAnimationFrame(() => document.querySelector<HTMLElement>(`.library-list [data-key="${renaming}"]`)?.focus());
    setRenaming(null);
  }, [renaming]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (renaming !== null || (event.target instanceof HTMLInputElement && event.target.type !== 'checkbox')) return;
    const focused = rowOf(event.target)?.dataset.key;
    const target = focused !== undefined && all[focused] ? all[focused] : shownSelected[0];
    if (event.key === 'Delete') {
      // Type-to-find moves the focus and not the selection: the key means what has the focus, with the rest of its selection.
      const doomed = target && !selectedIds.has(target.id) ? [target] : shownSelected;
      if (doomed.some((guest) => guestCannot(guest.state, 'delete') === null)) void deleteGuests(doomed);
    } else if (event.key === 'F2' && target) setRenaming(target.id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onContextMenu = (event: MouseEvent) => {
    const row = rowOf(event.target);
    const id = row?.dataset.key;
    if (!row || id === undefined || !all[id] || renaming !== null) return;
    event.preventDefault();
    setMenu(menuPlace(event, row, id));
  };

  if (Object.keys(all).length === 0) return <EmptyLibrary />;
  const list: ListProps = {
    guests: shown,
    selected: selectedIds,
    onSelect: setSelected,
    renaming,
    onRenamed: renamed,
    onOpen: open,
  };
  return (
    <div className="library">
      <LibraryToolbar
        filter={filter}
        onFilter={setFilter}
        sort={sort}
        onSort={setSort}
        columns={columns}
        onColumns={setColumns}
        shown={shown.length}
        all={Object.keys(all).length}
      />
      {filter.place === 'computer' && <HostStrip />}
      {filter.place === 'outdated' && shown.length > 0 && (
        <div className="library-strip">
          <span className="grow muted">{words.library.outdatedNote}</span>
          <Button icon={Replace} onPress={() => openRebase({})}>
            {cloneWords.rebase}
          </Button>
        </div>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys and menus belong to the list inside, which has the role */}
      <div className="library-list" onKeyDownCapture={onKeyDown} onContextMenu={onContextMenu}>
        {shown.length === 0 ? (
          <NothingShown filter={filter} onClear={() => setFilter({ ...noFilter, place: filter.place, tag: filter.tag })} />
        ) : libraryView === 'cards' ? (
          <GuestCards {...list} />
        ) : (
          <GuestTable {...list} columns={columns} sort={sort} onSort={setSort} />
        )}
      </div>
      {shownSelected.length > 0 && <BulkBar guests={shownSelected} onClear={() => setSelected(new Set())} />}
      <GuestContextMenu place={menu} selected={shownSelected} onClose={() => setMenu(null)} onOpen={open} onRename={setRenaming} />
    </div>
  );
}

/** The card or the row of the table in which something happened. */
function rowOf(target: EventTarget): HTMLElement | null {
  return target instanceof HTMLElement ? target.closest<HTMLElement>('[role="row"][data-key]') : null;
}

function NothingShown({ filter, onClear }: { filter: LibraryFilter; onClear: () => void }) {
  if (!isNarrowed(filter) && filter.place === 'running')
    return (
      <EmptyState icon={SearchX} title={words.library.runningEmpty}>
        {words.library.runningEmptyText}
      </EmptyState>
    );
  if (!isNarrowed(filter) && filter.place === 'outdated')
    return (
      <EmptyState icon={SearchX} title={words.library.outdatedEmpty}>
        {words.library.outdatedEmptyText}
      </EmptyState>
    );
  if (!isNarrowed(filter) && filter.place === 'favourites')
    return (
      <EmptyState icon={SearchX} title={words.library.favouritesEmpty}>
        {words.library.favouritesEmptyText}
      </EmptyState>
    );
  if (!isNarrowed(filter) && filter.place === 'templates')
    return (
      <EmptyState icon={SearchX} title={cloneWords.templatesEmpty}>
        {cloneWords.templatesEmptyText}
      </EmptyState>
    );
  return (
    <EmptyState icon={SearchX} title={words.library.nothingFound} actions={<Button onPress={onClear}>{words.library.clearFilters}</Button>}>
      {words.library.nothingFoundText}
    </EmptyState>
  );
}
