import { ArrowDownWideNarrow, ArrowUpNarrowWide, Columns3, LayoutGrid, ListFilter, Table2, X } from 'lucide-react';
import { guestStatus } from '../../../contract/guest-state.ts';
import type { Settings } from '../../../contract/settings.ts';
import { call } from '../../state/bridge.ts';
import { useGuests, useSettings } from '../../state/store.ts';
import { showErrorToast } from '../../state/toasts.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Chip } from '../../ui/Chip.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { SearchField } from '../../ui/SearchField.tsx';
import { Segmented } from '../../ui/toggles.tsx';
import { cloneWords } from '../../words/clone.ts';
import { words } from '../../words/en.ts';
import { compareNames } from '../../words/format.ts';
import { isNarrowed, type LibraryFilter } from './library-address.ts';
import { type ColumnId, columnIds, type LibrarySort, type SortKey, sortKeys } from './library-order.ts';

type Props = {
  filter: LibraryFilter;
  onFilter: (filter: LibraryFilter) => void;
  sort: LibrarySort;
  onSort: (sort: LibrarySort) => void;
  columns: readonly ColumnId[];
  onColumns: (columns: readonly ColumnId[]) => void;
  shown: number;
  all: number;
};

/** The title of the library, and what is shown of it: filters, order, cards or table. */
export function LibraryToolbar({ filter, onFilter, sort, onSort, columns, onColumns, shown, all }: Props) {
  const { libraryView } = useSettings();
  const setView = async (view: Settings['libraryView']) => {
    const answer = await call('settings.set', { libraryView: view });
    if (!answer.ok) showErrorToast(answer.error);
  };
  return (
    <div className="library-head">
      <div className="library-bar">
        <h1 className="ellipsis">
          <bdi>{title(filter)}</bdi>
        </h1>
        <span className="muted library-count" role="status">
          {shown === all ? words.library.count(all) : words.library.shownOf(shown, all)}
        </span>
        <div className="library-search" data-find="">
          <SearchField
            label={words.library.searchLabel}
            placeholder={words.library.searchPlaceholder}
            value={filter.text}
            onChange={(text) => onFilter({ ...filter, text })}
          />
        </div>
        <FilterMenu filter={filter} onFilter={onFilter} />
        <SortMenu sort={sort} onSort={onSort} />
        {libraryView === 'table' && (
          <MenuTrigger
            label={words.library.columns}
            placement="bottom end"
            button={<IconButton icon={Columns3} label={words.library.columns} />}
          >
            <MenuSection
              title={words.library.columns}
              choose="multiple"
              selected={columns}
              onSelect={(chosen) => onColumns(columnIds.filter((id) => chosen.has(id)))}
            >
              {columnIds.map((id) => (
                <MenuItem key={id} id={id}>
                  {words.library.columnNames[id]}
                </MenuItem>
              ))}
            </MenuSection>
          </MenuTrigger>
        )}
        <Segmented
          label={words.library.view}
          value={libraryView}
          onChange={(view) => void setView(view)}
          options={[
            { id: 'cards', label: words.library.cards, icon: LayoutGrid },
            { id: 'table', label: words.library.table, icon: Table2 },
          ]}
        />
      </div>
      <FilterChips filter={filter} onFilter={onFilter} />
    </div>
  );
}

function title(filter: LibraryFilter): string {
  if (filter.tag !== null) return filter.tag;
  const titles = {
    all: words.library.title,
    running: words.nav.running,
    computer: words.nav.thisComputer,
    favourites: words.nav.favourites,
    templates: cloneWords.templates,
    outdated: words.library.outdated,
  };
  return titles[filter.place];
}

function FilterMenu({ filter, onFilter }: Pick<Props, 'filter' | 'onFilter'>) {
  const guests = Object.values(useGuests());
  const families = [...new Set([...guests.map((guest) => guest.spec.os.family), ...filter.families])];
  const tags = [...new Set(guests.flatMap((guest) => guest.spec.tags))].sort(compareNames);
  const states = guestStatus.options.filter(
    (state) => filter.states.includes(state) || guests.some((guest) => guest.state.status === state),
  );
  return (
    <MenuTrigger
      label={words.library.filterMenu}
      placement="bottom end"
      button={<IconButton icon={ListFilter} label={words.library.filterMenu} pressed={filter.states.length + filter.families.length > 0} />}
    >
      <MenuSection
        title={words.library.state}
        choose="multiple"
        selected={filter.states}
        onSelect={(chosen) => onFilter({ ...filter, states: guestStatus.options.filter((state) => chosen.has(state)) })}
      >
        {states.map((state) => (
          <MenuItem key={state} id={state}>
            {words.status[state]}
          </MenuItem>
        ))}
      </MenuSection>
      <MenuSection
        title={words.library.system}
        choose="multiple"
        selected={filter.families}
        onSelect={(chosen) => onFilter({ ...filter, families: families.filter((family) => chosen.has(family)) })}
      >
        {families.map((family) => (
          <MenuItem key={family} id={family}>
            {words.families[family]}
          </MenuItem>
        ))}
      </MenuSection>
      {tags.length > 0 && (
        <MenuSection
          title={words.library.tag}
          choose="multiple"
          selected={filter.tag === null ? [] : [filter.tag]}
          onSelect={(chosen) => onFilter({ ...filter, tag: [...chosen].find((tag) => tag !== filter.tag) ?? null })}
        >
          {tags.map((tag) => (
            <MenuItem key={tag} id={tag}>
              {tag}
            </MenuItem>
          ))}
        </MenuSection>
      )}
    </MenuTrigger>
  );
}

function SortMenu({ sort, onSort }: Pick<Props, 'sort' | 'onSort'>) {
  return (
    <MenuTrigger
      label={words.library.sort}
      placement="bottom end"
      button={<IconButton icon={sort.descending ? ArrowDownWideNarrow : ArrowUpNarrowWide} label={words.library.sort} />}
    >
      <MenuSection
        title={words.library.sortBy}
        choose="single"
        selected={[sort.by]}
        onSelect={(chosen) => {
          const by = sortKeys.find((key) => chosen.has(key));
          if (by) onSort({ by, descending: startsDescending(by) });
        }}
      >
        {sortKeys.map((key) => (
          <MenuItem key={key} id={key}>
            {words.library.sorts[key]}
          </MenuItem>
        ))}
      </MenuSection>
      <MenuSection
        label={words.library.sort}
        choose="single"
        selected={[sort.descending ? 'descending' : 'ascending']}
        onSelect={(chosen) => onSort({ ...sort, descending: chosen.has('descending') })}
      >
        <MenuItem id="ascending">{words.library.ascending}</MenuItem>
        <MenuItem id="descending">{words.library.descending}</MenuItem>
      </MenuSection>
    </MenuTrigger>
  );
}

/** Times and loads are looked for from the top. */
function startsDescending(by: SortKey): boolean {
  return by === 'started' || by === 'created' || by === 'memory' || by === 'cpu';
}

function FilterChips({ filter, onFilter }: Pick<Props, 'filter' | 'onFilter'>) {
  if (!isNarrowed(filter)) return null;
  const chips = [
    ...filter.states.map((state) => ({
      label: words.status[state],
      remove: { ...filter, states: filter.states.filter((other) => other !== state) },
    })),
    ...filter.families.map((family) => ({
      label: words.families[family],
      remove: { ...filter, families: filter.families.filter((other) => other !== family) },
    })),
    ...(filter.text === '' ? [] : [{ label: `“${filter.text}”`, remove: { ...filter, text: '' } }]),
  ];
  return (
    <div className="row row-wrap library-chips">
      {chips.map((chip) => (
        <Chip key={chip.label} label={chip.label} removeLabel={words.common.remove(chip.label)} onRemove={() => onFilter(chip.remove)} />
      ))}
      <Button kind="quiet" icon={X} onPress={() => onFilter({ ...filter, text: '', states: [], families: [] })}>
        {words.library.clearFilters}
      </Button>
    </div>
  );
}
