import { Columns3, Disc3, Download, FileInput, ListFilter, SearchX } from 'lucide-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useLocation, useSearch } from 'wouter';
import type { Image } from '../../../contract/image.ts';
import { imageSort } from '../../../contract/image-catalogue.ts';
import { parseImageQuery, settledQuery } from '../../../contract/image-query.ts';
import { jobEnded } from '../../../contract/job.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { JobProgress } from '../../parts/JobProgress.tsx';
import { useRemembered } from '../../state/remembered.ts';
import { useImages, useJobs } from '../../state/store.ts';
import { useCall } from '../../state/use-call.ts';
import { useOutdatedGuests } from '../../state/use-outdated.ts';
import { useSettled } from '../../state/use-settled.ts';
import { Button, IconButton } from '../../ui/Button.tsx';
import { EmptyState, Skeleton } from '../../ui/feedback.tsx';
import { MenuItem, MenuSection, MenuTrigger } from '../../ui/Menu.tsx';
import { VirtualTable } from '../../ui/VirtualTable.tsx';
import { words } from '../../words/en.ts';
import { cataloguePath, parseCatalogueSearch } from './catalogue-address.ts';
import { DifferencesDialog } from './DifferencesDialog.tsx';
import { FacetList } from './FacetList.tsx';
import { ImageBulkBar } from './ImageBulkBar.tsx';
import { ImagePanel } from './ImagePanel.tsx';
import { ImportDialog } from './ImportDialog.tsx';
import { deleteImages } from './image-actions.ts';
import {
  acceptColumns,
  acceptSort,
  acceptWidths,
  buildColumns,
  type ColumnId,
  columnIds,
  defaultColumns,
  startsDescending,
} from './image-columns.tsx';
import { QuerySearch } from './QuerySearch.tsx';
import { SaveSearchDialog } from './SaveSearchDialog.tsx';
import './images.css';

const w = words.images;

const keyOf = (image: Image): string => image.id;
const textOf = (image: Image): string => image.name;
const workOnImages = new Set(['image.import', 'image.importDisks', 'image.readAgain', 'image.lookInside']);

/** Media from which guests are made: searched, narrowed down, described. */
export function ImagesPage() {
  const images = useImages();
  const work = useJobs().filter((job) => workOnImages.has(job.kind) && !jobEnded.has(job.state));
  const [, navigate] = useLocation();
  const search = useSearch();
  const address = useMemo(() => parseCatalogueSearch(search), [search]);
  const goTo = useCallback(
    (change: Partial<typeof address>) => navigate(cataloguePath({ ...address, ...change }), { replace: true }),
    [navigate, address],
  );
  const openImport = () => goTo({ importing: '' });
  const all = Object.keys(images).length;
  return (
    <div className="catalogue">
      {all === 0 ? (
        <div className="page">
          <header className="page-header">
            <h1>{w.title}</h1>
          </header>
          <Work jobs={work} />
          {work.length === 0 && (
            <EmptyState
              icon={Disc3}
              title={w.emptyTitle}
              actions={
                <Button kind="primary" onPress={openImport}>
                  {w.import}
                </Button>
              }
            >
              {w.emptyText}
            </EmptyState>
          )}
        </div>
      ) : (
        <Catalogue images={images} all={all} work={work} address={address} goTo={goTo} onImport={openImport} />
      )}
      {address.importing !== null && (
        <ImportDialog key={address.importing} path={address.importing} onClose={() => goTo({ importing: null })} />
      )}
    </div>
  );
}

function Work({ jobs }: { jobs: ReturnType<typeof useJobs> }) {
  return jobs.map((job) => (
    <div key={job.id} className="image-job">
      <JobProgress job={job} />
    </div>
  ));
}

type CatalogueProps = {
  images: Readonly<Record<string, Image>>;
  all: number;
  work: ReturnType<typeof useJobs>;
  address: ReturnType<typeof parseCatalogueSearch>;
  goTo: (change: Partial<ReturnType<typeof parseCatalogueSearch>>) => void;
  onImport: () => void;
};

function Catalogue({ images, all, work, address, goTo, onImport }: CatalogueProps) {
  const [, navigate] = useLocation();
  const [sort, setSort] = useRemembered('images.sort', { by: 'name', descending: false } as const, acceptSort);
  const [columns, setColumns] = useRemembered<readonly ColumnId[]>('images.columns', defaultColumns, acceptColumns);
  const [widths, setWidths] = useRemembered<Record<string, number>>('images.widths', {}, acceptWidths);
  const [selected, setSelected] = useState<ReadonlySet<string>>(() => new Set(address.image === null ? [] : [address.image]));
  const [facetsOpen, setFacetsOpen] = useState(false);
  const [saving, setSaving] = useState(false);
  const [comparing, setComparing] = useState<readonly [Image, Image] | null>(null);

  // Typed letter by letter, a query is now and then none: until it is one again, what was found last stays.
  const [query, setQuery] = useState(address.query);
  const wanted = settledQuery(address.query);
  const isValid = parseImageQuery(wanted).problem === null;
  useEffect(() => {
    if (isValid) setQuery(wanted);
  }, [isValid, wanted]);
  const version = useSettled(images, 150);
  const found = useCall('image.search', { query, sort: sort.by, descending: sort.descending, limit: 0 }, version);
  const saved = useCall('search.list', {});
  const outdated = useOutdatedGuests();

  const rows = useMemo(() => found.value?.ids.flatMap((id) => images[id] ?? []) ?? [], [found.value, images]);
  const shownSelected = useMemo(() => rows.filter((image) => selected.has(image.id)), [rows, selected]);
  const tableColumns = useMemo(() => buildColumns(columns), [columns]);
  const [only] = shownSelected;
  const shown = shownSelected.length === 1 ? only : shownSelected.length === 0 && address.image ? images[address.image] : undefined;

  const select = (next: ReadonlySet<string>) => {
    setSelected(next);
    const [key] = next;
    goTo({ image: next.size === 1 && key !== undefined ? key : null });
  };
  const facets = (
    <FacetList
      query={address.query}
      onQuery={(next) => goTo({ query: next })}
      facets={found.value?.facets ?? null}
      saved={saved.value ?? []}
      onSave={() => setSaving(true)}
      onSavedChanged={saved.reload}
      outdatedGuests={outdated.length}
    />
  );
  return (
    <>
      <div className="catalogue-head">
        <div className="catalogue-bar">
          <h1>{w.title}</h1>
          <span className="muted catalogue-count" role="status">
            {found.value && (rows.length === all ? w.count(all) : w.countOf(rows.length, all))}
          </span>
          <IconButton
            icon={ListFilter}
            label={w.showFacets}
            pressed={facetsOpen}
            className="catalogue-narrow"
            onPress={() => setFacetsOpen(!facetsOpen)}
          />
          <MenuTrigger label={w.columns} placement="bottom end" button={<IconButton icon={Columns3} label={w.columns} />}>
            <MenuSection
              title={w.columns}
              choose="multiple"
              selected={columns}
              onSelect={(chosen) => setColumns(columnIds.filter((id) => chosen.has(id)))}
            >
              {columnIds.map((id) => (
                <MenuItem key={id} id={id}>
                  {w.columnNames[id]}
                </MenuItem>
              ))}
            </MenuSection>
          </MenuTrigger>
          <Button icon={Download} onPress={() => navigate('/downloads')}>
            {words.downloads.open}
          </Button>
          <Button kind="primary" icon={FileInput} onPress={onImport}>
            {w.import}
          </Button>
        </div>
        <QuerySearch value={address.query} onChange={(next) => goTo({ query: next })} facets={found.value?.facets ?? null} />
        <Work jobs={work} />
        {found.error && <ErrorPanel error={found.error} />}
      </div>
      <div className="catalogue-body">
        <nav className={facetsOpen ? 'catalogue-facets catalogue-facets-open' : 'catalogue-facets'} aria-label={w.narrow}>
          {facets}
        </nav>
        <div className="catalogue-list">
          {!found.value && !found.error ? (
            <div className="catalogue-skeleton">
              {Array.from({ length: 12 }, (_, line) => `line ${line}`).map((line) => (
                <Skeleton key={line} height={20} />
              ))}
            </div>
          ) : rows.length === 0 && found.value ? (
            <EmptyState
              icon={SearchX}
              title={w.nothingTitle}
              actions={<Button onPress={() => goTo({ query: '' })}>{w.clearSearch}</Button>}
            >
              {w.nothingText}
            </EmptyState>
          ) : (
            <VirtualTable
              label={w.listLabel}
              columns={tableColumns}
              rows={rows}
              keyOf={keyOf}
              textOf={textOf}
              selected={selected}
              onSelect={select}
              onOpen={(id) => select(new Set([id]))}
              onDelete={() => void deleteImages(shownSelected)}
              sort={sort}
              onSort={(column) => {
                const by = imageSort.options.find((each) => each === column);
                if (by) setSort({ by, descending: by === sort.by ? !sort.descending : startsDescending(by) });
              }}
              widths={widths}
              onWidths={setWidths}
              selectTitle={w.selectColumn}
            />
          )}
          {shownSelected.length > 1 && (
            <ImageBulkBar images={shownSelected} onClear={() => select(new Set())} onCompare={(one, other) => setComparing([one, other])} />
          )}
        </div>
        {shown && (
          <ImagePanel
            image={shown}
            onClose={() => select(new Set())}
            onOpen={(id) => select(new Set([id]))}
            onCompare={(one, other) => setComparing([one, other])}
          />
        )}
      </div>
      {saving && (
        <SaveSearchDialog
          query={address.query.trim()}
          onClose={() => setSaving(false)}
          onSaved={() => {
            setSaving(false);
            saved.reload();
          }}
        />
      )}
      {comparing && <DifferencesDialog one={comparing[0]} other={comparing[1]} onClose={() => setComparing(null)} />}
    </>
  );
}
