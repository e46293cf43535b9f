import type { Image } from '../../../contract/image.ts';
import { type ImageSort, imageSort } from '../../../contract/image-catalogue.ts';
import { OsLogo } from '../../parts/OsLogo.tsx';
import { TimeText } from '../../parts/TimeText.tsx';
import type { TableColumn } from '../../ui/VirtualTable.tsx';
import { words } from '../../words/en.ts';
import { formatBytes, formatInteger } from '../../words/format.ts';
import { Lifecycle } from './ImagePanel.tsx';

const w = words.images;

export const columnIds = ['os', 'patched', 'lifecycle', 'version', 'tags', 'size', 'eol', 'uses', 'added'] as const;
export type ColumnId = (typeof columnIds)[number];
export const defaultColumns: readonly ColumnId[] = ['os', 'patched', 'lifecycle', 'tags', 'size'];

export function acceptColumns(stored: unknown): readonly ColumnId[] | null {
  return Array.isArray(stored) ? columnIds.filter((id) => stored.includes(id)) : null;
}

export type CatalogueSort = { by: ImageSort; descending: boolean };

export function acceptSort(stored: unknown): CatalogueSort | null {
  if (typeof stored !== 'object' || stored === null || !('by' in stored) || !('descending' in stored)) return null;
  const by = imageSort.options.find((each) => each === stored.by);
  return by && typeof stored.descending === 'boolean' ? { by, descending: stored.descending } : null;
}

export function acceptWidths(stored: unknown): Record<string, number> | null {
  if (typeof stored !== 'object' || stored === null) return null;
  return Object.fromEntries(Object.entries(stored).filter(([, width]) => typeof width === 'number' && width >= 40));
}

/** What is looked for from its end: the newest, the largest. */
export function startsDescending(by: ImageSort): boolean {
  return by === 'added' || by === 'size' || by === 'patched' || by === 'version';
}

const unknown = <span className="faint">–</span>;

const renderers: Record<ColumnId, Pick<TableColumn<Image>, 'width' | 'render' | 'align'>> = {
  os: { width: 136, render: ({ os }) => <Text text={os.name} /> },
  patched: { width: 96, render: ({ patchLevel }) => patchLevel ?? unknown },
  lifecycle: { width: 104, render: ({ lifecycle }) => <Lifecycle lifecycle={lifecycle} /> },
  version: { width: 150, render: ({ series }) => (series ? <Text text={w.seriesLine(series.name, series.version)} /> : unknown) },
  tags: { width: 128, render: ({ tags }) => <Text text={tags.join(', ')} /> },
  size: { width: 84, align: 'end', render: ({ sizeBytes }) => formatBytes(sizeBytes) },
  eol: { width: 96, render: ({ endOfLife }) => endOfLife ?? unknown },
  uses: { width: 72, align: 'end', render: ({ madeGuests }) => (madeGuests.length === 0 ? unknown : formatInteger(madeGuests.length)) },
  added: { width: 112, render: ({ addedAt }) => <TimeText at={addedAt} /> },
};

export function buildColumns(chosen: readonly ColumnId[]): TableColumn<Image>[] {
  const name: TableColumn<Image> = {
    id: 'name',
    title: w.columnNames.name,
    width: 200,
    grow: true,
    sortable: true,
    render: (image) => (
      <>
        <OsLogo os={image.os} size={20} />
        <Text text={image.name} />
      </>
    ),
  };
  const isSortable = (id: string) => imageSort.options.some((each) => each === id);
  return [name, ...chosen.map((id) => ({ id, title: w.columnNames[id], sortable: isSortable(id), ...renderers[id] }))];
}

function Text({ text }: { text: string }) {
  return (
    <bdi className="ellipsis" title={text}>
      {text}
    </bdi>
  );
}
