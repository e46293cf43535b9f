import { type ReactNode, useMemo } from 'react';
import {
  Cell,
  Column,
  ColumnResizer,
  ResizableTableContainer,
  Row,
  Table,
  TableBody,
  TableHeader,
  TableLayout,
  Virtualizer,
  VisuallyHidden,
} from 'react-aria-components';
import { cpuCount } from '../../../contract/guest-spec.ts';
import type { Guest } from '../../../contract/guest-state.ts';
import { DisposableMark } from '../../parts/DisposableMark.tsx';
import { GuestSparkline } from '../../parts/GuestSparkline.tsx';
import { GuestStateBadge } from '../../parts/GuestStateBadge.tsx';
import { isLive } from '../../parts/guest-words.ts';
import { TimeText } from '../../parts/TimeText.tsx';
import { useRemembered } from '../../state/remembered.ts';
import { SelectionCheckbox } from '../../ui/toggles.tsx';
import { words } from '../../words/en.ts';
import { formatInteger, formatMiB } from '../../words/format.ts';
import { GuestName } from './GuestName.tsx';
import { type ColumnId, type LibrarySort, type SortKey, sortKeys } from './library-order.ts';
import { type ListProps, selectionIds } from './list-props.ts';
import { QuickVerb } from './QuickVerb.tsx';

type Props = ListProps & { columns: readonly ColumnId[]; sort: LibrarySort; onSort: (sort: LibrarySort) => void };
type AnyColumn = ColumnId | 'name' | 'select' | 'verb';

const startWidths: Record<AnyColumn, number> = {
  select: 36,
  name: 240,
  state: 150,
  system: 150,
  cpu: 150,
  memory: 90,
  cpus: 70,
  addresses: 150,
  tags: 160,
  started: 130,
  created: 130,
  verb: 44,
};

const layoutOptions = { rowHeight: 36, headingHeight: 32 };

function acceptWidths(stored: unknown): Record<string, number> | null {
  if (typeof stored !== 'object' || stored === null) return null;
  return Object.fromEntries(Object.entries(stored).filter(([, width]) => typeof width === 'number' && width >= 40));
}

/** The guests as a table with columns that can be chosen, resized and sorted by. Only the rows in sight are drawn. */
export function GuestTable({ guests, selected, onSelect, renaming, onRenamed, onOpen, columns, sort, onSort }: Props) {
  const [widths, setWidths] = useRemembered<Record<string, number>>('library.widths', {}, acceptWidths);
  const shown = useMemo(() => (['select', 'name', ...columns, 'verb'] as AnyColumn[]).map((id) => ({ id })), [columns]);
  return (
    <ResizableTableContainer
      className="table-container"
      onResizeEnd={(ended) => {
        const next = { ...widths };
        for (const [id, width] of ended) if (typeof width === 'number') next[String(id)] = width;
        setWidths(next);
      }}
    >
      <Virtualizer layout={TableLayout} layoutOptions={layoutOptions}>
        <Table
          className="table"
          aria-label={words.library.listLabel}
          selectionMode="multiple"
          selectionBehavior="replace"
          selectedKeys={selected}
          onSelectionChange={(selection) => onSelect(selectionIds(selection, guests))}
          onRowAction={(key) => onOpen(String(key))}
          sortDescriptor={{ column: sort.by, direction: sort.descending ? 'descending' : 'ascending' }}
          onSortChange={({ column, direction }) => {
            const by = sortKeys.find((key) => key === column);
            if (by) onSort({ by, descending: direction === 'descending' });
          }}
        >
          <TableHeader columns={shown}>
            {({ id }) => (
              <Column
                id={id}
                className={`column column-${id}`}
                isRowHeader={id === 'name'}
                allowsSorting={isSortKey(id)}
                {...(id === 'select' || id === 'verb'
                  ? { width: startWidths[id], minWidth: startWidths[id] }
                  : { defaultWidth: widths[id] ?? (id === 'name' ? '1fr' : startWidths[id]), minWidth: id === 'name' ? 160 : 60 })}
                {...(id === 'verb' ? { 'aria-label': words.verbs.more, textValue: words.verbs.more } : {})}
              >
                {({ sortDirection }) =>
                  id === 'select' ? (
                    <SelectionCheckbox />
                  ) : id === 'verb' ? (
                    <VisuallyHidden>{words.verbs.more}</VisuallyHidden>
                  ) : (
                    <div className="column-words">
                      <span tabIndex={-1} className="ellipsis grow">
                        {words.library.columnNames[id]}
                        {sortDirection && <span aria-hidden="true">{sortDirection === 'ascending' ? ' ↑' : ' ↓'}</span>}
                      </span>
                      <ColumnResizer className="column-resizer" />
                    </div>
                  )
                }
              </Column>
            )}
          </TableHeader>
          <TableBody items={guests} dependencies={[shown, renaming]}>
            {(guest) => (
              <Row id={guest.id} textValue={guest.spec.name} columns={shown} className="table-row">
                {({ id }) => (
                  <Cell className={`cell cell-${id}`}>
                    <GuestCell id={id} guest={guest} renaming={renaming === guest.id} onRenamed={onRenamed} />
                  </Cell>
                )}
              </Row>
            )}
          </TableBody>
        </Table>
      </Virtualizer>
    </ResizableTableContainer>
  );
}

function isSortKey(id: AnyColumn): id is SortKey & AnyColumn {
  return (sortKeys as readonly string[]).includes(id);
}

type CellProps = { id: AnyColumn; guest: Guest; renaming: boolean; onRenamed: () => void };

function GuestCell({ id, ...rest }: CellProps) {
  return <div className="cell-body">{cellContent(id, rest)}</div>;
}

function cellContent(id: AnyColumn, { guest, renaming, onRenamed }: Omit<CellProps, 'id'>): ReactNode {
  const { spec, state } = guest;
  switch (id) {
    case 'select':
      return <SelectionCheckbox />;
    case 'name':
      return <GuestName guest={guest} renaming={renaming} onRenamed={onRenamed} />;
    case 'state':
      return (
        <>
          <GuestStateBadge state={state} />
          <DisposableMark guest={guest} compact />
        </>
      );
    case 'system':
      return (
        <span className="ellipsis" title={spec.os.name}>
          {spec.os.name}
        </span>
      );
    case 'cpu':
      return isLive(state) ? <GuestSparkline guest={guest} /> : null;
    case 'memory':
      return formatMiB(spec.memoryMiB);
    case 'cpus':
      return formatInteger(cpuCount(spec.cpu));
    case 'addresses':
      return <span className="ellipsis selectable">{state.run?.addresses.join(', ')}</span>;
    case 'tags':
      return <span className="ellipsis">{spec.tags.join(', ')}</span>;
    case 'started':
      return guest.lastStartedAt === null ? <span className="faint">{words.guest.never}</span> : <TimeText at={guest.lastStartedAt} />;
    case 'created':
      return <TimeText at={guest.createdAt} />;
    case 'verb':
      return <QuickVerb guest={guest} className="cell-verb-button" />;
  }
}
