// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, and most of them do not exist: no table element can be that
// biome-ignore-all lint/a11y/useFocusableInteractive: the grid has the focus and says which row is active
// biome-ignore-all lint/a11y/useKeyWithClickEvents: the grid has the keyboard
import { Check } from 'lucide-react';
import {
  type KeyboardEvent,
  type MouseEvent,
  type PointerEvent,
  type ReactNode,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { VisuallyHidden } from 'react-aria-components';
import { moveCursor, rangeKeys, type SelectionMove, typedTarget } from './table-selection.ts';
import './VirtualTable.css';

export type TableColumn<Row> = {
  id: string;
  title: string;
  /** In pixels; a column that grows has at least this. */
  width: number;
  grow?: boolean;
  sortable?: boolean;
  align?: 'end';
  render: (row: Row) => ReactNode;
};

type Props<Row> = {
  label: string;
  columns: readonly TableColumn<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** What the row is called, for finding it by typing and for screen readers. */
  textOf: (row: Row) => string;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  onOpen: (key: string) => void;
  onDelete?: () => void;
  sort: { by: string; descending: boolean };
  onSort: (by: string) => void;
  widths: Readonly<Record<string, number>>;
  onWidths: (widths: Record<string, number>) => void;
  /** Title of the boxes by which rows are selected, for screen readers. */
  selectTitle: string;
};

const rowHeight = 36;
const headHeight = 32;
/** Rows that are drawn beyond each edge, so that scrolling meets none that is missing. */
const overscan = 10;
const narrowest = 56;
const typingPauseMs = 700;

/**
 * A table of any number of rows, of which only those in sight exist. The keyboard is on the table as a whole, as in a grid of ARIA with an
 * active descendant: arrows, Page keys, Home and End move, with Shift they extend, Space and Ctrl+A select, Escape clears, typing finds.
 */
export function VirtualTable<Row>(props: Props<Row>) {
  const { columns, rows, keyOf, textOf, selected, onSelect, sort, widths } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [first, setFirst] = useState(0);
  const [height, setHeight] = useState(600);
  const [cursorKey, setCursorKey] = useState<string | null>(null);
  const anchor = useRef<string | null>(null);
  const typed = useRef({ text: '', at: 0 });
  const id = useId();

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);

  // What is found or sorted anew is looked at from its beginning.
  const head = rows[0] === undefined ? '' : keyOf(rows[0]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what changes the order brings the list back to its top
  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [sort.by, sort.descending, head]);

  const start = Math.max(0, Math.min(first, rows.length - 1) - overscan);
  const end = Math.min(rows.length, first + Math.ceil(height / rowHeight) + overscan);
  const cursor = cursorKey === null ? -1 : rows.findIndex((row) => keyOf(row) === cursorKey);

  const reveal = (index: number) => {
    const element = scroller.current;
    if (!element) return;
    const top = index * rowHeight;
    const room = element.clientHeight - headHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + room) element.scrollTop = top + rowHeight - room;
  };

  /** Moves to a row and makes the selection follow. */
  const goTo = (index: number, move: SelectionMove) => {
    const row = rows[index];
    if (row === undefined) return;
    const key = keyOf(row);
    setCursorKey(key);
    reveal(index);
    if (move === 'extend') {
      const from = anchor.current === null ? index : rows.findIndex((each) => keyOf(each) === anchor.current);
      return onSelect(rangeKeys(rows.map(keyOf), from < 0 ? index : from, index));
    }
    anchor.current = key;
    if (move === 'replace') return onSelect(new Set([key]));
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect(next);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLElement && event.target !== event.currentTarget && event.target.closest('button, a, input')) return;
    const index = moveCursor(event.key, cursor, rows.length, Math.max(1, Math.floor((height - headHeight) / rowHeight) - 1));
    const isTyping = Date.now() - typed.current.at < typingPauseMs && typed.current.text !== '';
    if (index !== null) goTo(index, event.shiftKey ? 'extend' : 'replace');
    else if (event.key === ' ' && !isTyping) goTo(cursor, 'toggle');
    else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) onSelect(new Set(rows.map(keyOf)));
    else if (event.key === 'Escape' && selected.size > 0) onSelect(new Set());
    else if (event.key === 'Enter' && cursorKey !== null) props.onOpen(cursorKey);
    else if (event.key === 'Delete' && props.onDelete && selected.size > 0) props.onDelete();
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      typed.current = { text: (isTyping ? typed.current.text : '') + event.key, at: Date.now() };
      const found = typedTarget(rows.map(textOf), typed.current.text, Math.max(0, cursor));
      if (found !== null) goTo(found, 'replace');
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const onPress = (event: MouseEvent, index: number) => {
    const onBox = event.target instanceof Element && event.target.closest('.vtable-box') !== null;
    goTo(index, event.shiftKey ? 'extend' : onBox || event.ctrlKey || event.metaKey ? 'toggle' : 'replace');
  };

  const template = [
    '36px',
    ...columns.map(({ id: column, width, grow }) => (grow && !widths[column] ? `minmax(${width}px, 1fr)` : `${widths[column] ?? width}px`)),
  ].join(' ');
  const rowId = (key: string) => `${id}-${key}`;
  return (
    <div
      ref={scroller}
      className="vtable"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-multiselectable="true"
      tabIndex={0}
      {...(cursorKey !== null && cursor >= start && cursor < end ? { 'aria-activedescendant': rowId(cursorKey) } : {})}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        if (event.target === event.currentTarget && cursor < 0 && rows[0] !== undefined) setCursorKey(keyOf(rows[0]));
      }}
      onScroll={(event) => setFirst(Math.floor(event.currentTarget.scrollTop / rowHeight))}
    >
      <div className="vtable-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        <span className="vtable-column" role="columnheader">
          <VisuallyHidden>{props.selectTitle}</VisuallyHidden>
        </span>
        {columns.map((column) => (
          <ColumnHead key={column.id} column={column} {...props} />
        ))}
      </div>
      <div className="vtable-body" role="presentation" style={{ height: rows.length * rowHeight }}>
        {rows.slice(start, end).map((row, offset) => {
          const index = start + offset;
          const key = keyOf(row);
          const isSelected = selected.has(key);
          return (
            <div
              key={key}
              id={rowId(key)}
              className={`vtable-row${index === cursor ? ' vtable-row-at' : ''}`}
              role="row"
              aria-rowindex={index + 2}
              aria-selected={isSelected}
              data-key={key}
              style={{ gridTemplateColumns: template, top: index * rowHeight }}
              onClick={(event) => onPress(event, index)}
              onDoubleClick={() => props.onOpen(key)}
            >
              <span className="vtable-cell" role="gridcell">
                <span className={isSelected ? 'vtable-box vtable-box-on' : 'vtable-box'}>
                  {isSelected && <Check size={12} strokeWidth={3} aria-hidden="true" />}
                </span>
              </span>
              {columns.map((column) => (
                <span key={column.id} className={column.align === 'end' ? 'vtable-cell vtable-end' : 'vtable-cell'} role="gridcell">
                  {column.render(row)}
                </span>
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** A column's title: pressed it sorts, its edge is dragged, Alt with an arrow does the same. */
function ColumnHead<Row>({ column, sort, onSort, widths, onWidths }: { column: TableColumn<Row> } & Props<Row>) {
  const cell = useRef<HTMLSpanElement>(null);
  const drag = useRef<{ x: number; width: number } | null>(null);
  const isSorted = sort.by === column.id;
  const resize = (width: number) => onWidths({ ...widths, [column.id]: Math.max(narrowest, Math.round(width)) });
  const present = () => cell.current?.getBoundingClientRect().width ?? column.width;
  const onDrag = (event: PointerEvent) => {
    if (drag.current) resize(drag.current.width + event.clientX - drag.current.x);
  };
  return (
    <span
      ref={cell}
      className={column.align === 'end' ? 'vtable-column vtable-end' : 'vtable-column'}
      role="columnheader"
      {...(column.sortable ? { 'aria-sort': isSorted ? (sort.descending ? 'descending' : 'ascending') : 'none' } : {})}
    >
      {column.sortable ? (
        <button
          type="button"
          className="vtable-sort ellipsis"
          aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight"
          onClick={() => onSort(column.id)}
          onKeyDown={(event) => {
            if (!event.altKey || (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight')) return;
            event.preventDefault();
            event.stopPropagation();
            resize(present() + (event.key === 'ArrowLeft' ? -16 : 16));
          }}
        >
          {column.title}
          {isSorted && <span aria-hidden="true">{sort.descending ? ' ↓' : ' ↑'}</span>}
        </button>
      ) : (
        <span className="ellipsis">{column.title}</span>
      )}
      <span
        className="vtable-edge"
        aria-hidden="true"
        onPointerDown={(event) => {
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = { x: event.clientX, width: present() };
        }}
        onPointerMove={onDrag}
        onPointerUp={() => {
          drag.current = null;
        }}
      />
    </span>
  );
}
