/** The images in the database. Reads are of memory: an engine has the database to itself, and everything is asked for often. */
import { z } from 'zod';
import { type ImageId, imageId, instant } from '../../../contract/ids.ts';
import { type Image, image, imageDetails, systemFacts } from '../../../contract/image.ts';
import { nameKey, versionKey } from '../../../contract/version-order.ts';
import type { Log } from '../log/log.ts';
import type { Database, SqlValue } from '../store/database.ts';

/** What the medium itself said of the fields that a hand can write. */
const asRead = systemFacts
  .pick({ architecture: true, patchLevel: true, patchLevelFrom: true })
  .extend(imageDetails.pick({ os: true, firmware: true, endOfLife: true }).shape);
export type AsRead = z.infer<typeof asRead>;

/** An image without what is not stored: its path follows from its id, who uses it and what was made from it from the guests. */
export type StoredImage = Omit<Image, 'path' | 'usedBy' | 'builtUponBy' | 'madeGuests'> & { asRead: AsRead };
const storedImage = image.omit({ path: true, usedBy: true, builtUponBy: true, madeGuests: true }).extend({ asRead });

type Content = Pick<
  StoredImage,
  'id' | 'name' | 'format' | 'kind' | 'builtIn' | 'os' | 'firmware' | 'sizeBytes' | 'virtualSizeBytes' | 'sha256' | 'label' | 'source'
> &
  Pick<StoredImage, 'addedAt' | 'addedBy'>;
/** A new image: what its bytes say, and whatever else is known of it. */
export type NewImage = Content & Partial<Omit<StoredImage, keyof Content | 'asRead' | 'byHand'>>;

export type ImageChange = { id: ImageId } & Partial<Omit<StoredImage, 'id'>>;

export type ImageStore = {
  /** The built-in one first, then the newest. */
  list(): StoredImage[];
  find(id: ImageId): StoredImage | null;
  findByHash(sha256: string): StoredImage | null;
  insert(image: NewImage): void;
  /** Writes all of the changes, or none. */
  update(changes: readonly ImageChange[]): void;
  remove(id: ImageId): void;
};

type SomeFields = Partial<Omit<StoredImage, 'id'>>;
/** Of an image that several were edited with: what it was and what it became, only what differs. `name` is what it was called then. */
export type EditedImage = { id: ImageId; name: string; before: SomeFields; after: SomeFields };
/** `seriesRenamed`: the edit gave a whole series another name. */
export type BulkEdit = { at: string; who: string; images: EditedImage[]; seriesRenamed: { from: string; to: string } | null };

const someFields = storedImage.omit({ id: true }).partial();
// What was written as JSON has no field that is undefined.
const bulkEdit = z.object({
  at: instant,
  who: z.string(),
  images: z.array(z.object({ id: imageId, name: z.string(), before: someFields, after: someFields })),
  seriesRenamed: z.object({ from: z.string(), to: z.string() }).nullable(),
}) as z.ZodType<BulkEdit>;

/** Edits of several images at once that can be taken back. */
export type ImageEditStore = {
  /** The edit of this id, without one the last. */
  find(id: number | undefined): (BulkEdit & { id: number }) | null;
  /** @returns its id */
  add(edit: BulkEdit): number;
  remove(id: number): void;
};

type Row = { id: string } & Record<string, SqlValue>;

export function createImageStore(database: Database, log: Log): ImageStore {
  const columns = Object.keys(rowOf(emptyImage));
  const insert = database.prepare(
    'images.insert',
    `INSERT INTO images (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`,
  );
  const update = database.prepare(
    'images.update',
    `UPDATE images SET ${columns
      .filter((column) => column !== 'id')
      .map((column) => `${column} = @${column}`)
      .join(', ')} WHERE id = @id`,
  );
  const remove = database.prepare('images.remove', 'DELETE FROM images WHERE id = ?');
  const known = new Map<ImageId, StoredImage>();

  database.transaction(() => {
    const unsorted = database.prepare('images.setSortKeys', 'UPDATE images SET sort_name = ?, sort_version = ? WHERE id = ?');
    for (const row of database.prepare<Row>('images.all', 'SELECT * FROM images').all()) {
      const parsed = parseRow(row);
      // A row that an odd hand changed is left out and named in the log: it must not take the others with it.
      if (!parsed.success) {
        log.warn({ image: row.id, error: parsed.error.message }, 'An image in the database cannot be understood and is left out.');
        continue;
      }
      known.set(parsed.data.id, parsed.data);
      if (row.sort_name === null) unsorted.run(nameKey(parsed.data.name), versionKey(parsed.data.os.version), row.id);
    }
  });

  let ordered: StoredImage[] | null = null;
  return {
    list() {
      ordered ??= [...known.values()].sort(
        (one, two) => Number(two.builtIn) - Number(one.builtIn) || compareText(two.addedAt, one.addedAt) || compareText(one.id, two.id),
      );
      return [...ordered];
    },
    find: (id) => known.get(id) ?? null,
    findByHash: (sha256) => [...known.values()].find((one) => one.sha256 === sha256) ?? null,
    insert(given) {
      const { os, firmware } = given;
      const merged = { ...emptyImage, ...given };
      const { architecture, patchLevel, patchLevelFrom, endOfLife } = merged;
      const whole = { ...merged, asRead: { os, firmware, architecture, patchLevel, patchLevelFrom, endOfLife } };
      insert.run(rowOf(whole));
      known.set(whole.id, whole);
      ordered = null;
    },
    update(changes) {
      const changed = changes.flatMap(({ id, ...change }) => {
        const before = known.get(id);
        return before ? [{ ...before, ...change }] : [];
      });
      database.transaction(() => {
        for (const one of changed) update.run(rowOf(one));
      });
      for (const one of changed) known.set(one.id, one);
      ordered = null;
    },
    remove(id) {
      remove.run(id);
      known.delete(id);
      ordered = null;
    },
  };
}

/** So many of the last edits can be taken back. */
const keptEdits = 20;

export function createImageEditStore(database: Database): ImageEditStore {
  const byId = database.prepare<{ id: number; edit: string }>('imageEdits.find', 'SELECT id, edit FROM image_edits WHERE id = ?');
  const last = database.prepare<{ id: number; edit: string }>(
    'imageEdits.last',
    'SELECT id, edit FROM image_edits ORDER BY id DESC LIMIT 1',
  );
  const insert = database.prepare('imageEdits.add', 'INSERT INTO image_edits (at, who, edit) VALUES (?, ?, ?)');
  const prune = database.prepare(
    'imageEdits.prune',
    'DELETE FROM image_edits WHERE id NOT IN (SELECT id FROM image_edits ORDER BY id DESC LIMIT ?)',
  );
  const remove = database.prepare('imageEdits.remove', 'DELETE FROM image_edits WHERE id = ?');
  return {
    find(id) {
      const row = id === undefined ? last.get() : byId.get(id);
      const parsed = row && bulkEdit.safeParse(parseJson(row.edit));
      return row && parsed?.success ? { id: row.id, ...parsed.data } : null;
    },
    add(edit) {
      const { lastInsertId } = insert.run(edit.at, edit.who, JSON.stringify(edit));
      prune.run(keptEdits);
      return lastInsertId;
    },
    remove: (id) => void remove.run(id),
  };
}

const emptyImage: StoredImage = {
  id: '' as ImageId,
  name: '',
  format: 'raw',
  kind: 'disk',
  builtIn: false,
  os: { id: null, name: '', family: 'other', version: null, distro: null },
  firmware: 'bios',
  sizeBytes: 0,
  virtualSizeBytes: 0,
  sha256: '',
  label: null,
  source: '',
  addedAt: '',
  addedBy: '',
  architecture: null,
  patchLevel: null,
  patchLevelFrom: null,
  kernels: [],
  packages: null,
  endOfLife: null,
  sourceUrl: null,
  sourceChecksum: null,
  notes: '',
  tags: [],
  lifecycle: 'published',
  series: null,
  byHand: [],
  factsFrom: null,
  asRead: {
    os: { id: null, name: '', family: 'other', version: null, distro: null },
    firmware: 'bios',
    architecture: null,
    patchLevel: null,
    patchLevelFrom: null,
    endOfLife: null,
  },
};

function rowOf(one: StoredImage): Row {
  return {
    id: one.id,
    name: one.name,
    format: one.format,
    kind: one.kind,
    built_in: one.builtIn ? 1 : 0,
    os: JSON.stringify(one.os),
    firmware: one.firmware,
    size_bytes: one.sizeBytes,
    virtual_size_bytes: one.virtualSizeBytes,
    sha256: one.sha256,
    label: one.label,
    source: one.source,
    added_at: one.addedAt,
    added_by: one.addedBy,
    sort_name: nameKey(one.name),
    sort_version: versionKey(one.os.version),
    architecture: one.architecture,
    patch_level: one.patchLevel,
    patch_level_from: one.patchLevelFrom,
    kernels: JSON.stringify(one.kernels),
    packages: one.packages ? JSON.stringify(one.packages) : null,
    end_of_life: one.endOfLife,
    source_url: one.sourceUrl,
    source_checksum: one.sourceChecksum,
    notes: one.notes,
    tags: JSON.stringify(one.tags),
    lifecycle: one.lifecycle,
    series: one.series?.name ?? null,
    series_version: one.series?.version ?? null,
    change_note: one.series?.changeNote ?? null,
    by_hand: JSON.stringify(one.byHand),
    facts_from: one.factsFrom,
    as_read: JSON.stringify(one.asRead),
  };
}

function parseRow(row: Row) {
  const os = parseJson(row.os);
  const architecture = row.architecture;
  const patchLevel = row.patch_level;
  const patchLevelFrom = row.patch_level_from;
  const endOfLife = row.end_of_life;
  return storedImage.safeParse({
    id: row.id,
    name: row.name,
    format: row.format,
    kind: row.kind,
    builtIn: row.built_in === 1,
    os,
    firmware: row.firmware,
    sizeBytes: row.size_bytes,
    virtualSizeBytes: row.virtual_size_bytes,
    sha256: row.sha256,
    label: row.label,
    source: row.source,
    addedAt: row.added_at,
    addedBy: row.added_by,
    architecture,
    patchLevel,
    patchLevelFrom,
    kernels: parseJson(row.kernels),
    packages: parseJson(row.packages),
    endOfLife,
    sourceUrl: row.source_url,
    sourceChecksum: row.source_checksum,
    notes: row.notes,
    tags: parseJson(row.tags),
    lifecycle: row.lifecycle,
    series: row.series === null ? null : { name: row.series, version: row.series_version, changeNote: row.change_note ?? '' },
    byHand: parseJson(row.by_hand),
    factsFrom: row.facts_from,
    // Rows from before anything was kept of what was read: then nothing was written by hand either.
    asRead: parseJson(row.as_read) ?? { os, firmware: row.firmware, architecture, patchLevel, patchLevelFrom, endOfLife },
  });
}

function compareText(one: string, two: string): number {
  return one < two ? -1 : one > two ? 1 : 0;
}

function parseJson(text: SqlValue | undefined): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
