/** Searches over the images, and what is kept about them and about guests beside their own rows. */
import type { z } from 'zod';
import type { GuestId, ImageId } from '../../../contract/ids.ts';
import {
  type ContentDifference,
  contentDifference,
  type GuestFacts,
  guestFacts,
  type SavedSearch,
} from '../../../contract/image-catalogue.ts';
import type { Database, Statement } from '../store/database.ts';
import type { Condition } from './search-sql.ts';

export type StoredOrigin = {
  guest: GuestId;
  image: ImageId;
  imageName: string;
  series: { name: string; version: number } | null;
};

export type CatalogueStore = {
  /** Ids of the images that fit, in order. */
  search(condition: Condition, order: string): ImageId[];
  searches: {
    list(): SavedSearch[];
    save(search: SavedSearch): void /** False when there is none of the name. */;
    remove(name: string): boolean;
  };
  origins: { list(): StoredOrigin[]; save(origin: StoredOrigin): void };
  facts: { find(guest: GuestId): GuestFacts | null; save(guest: GuestId, facts: GuestFacts): void };
  comparisons: {
    find(one: ImageId, other: ImageId): ContentDifference | null;
    save(one: ImageId, other: ImageId, found: ContentDifference): void;
  };
};

/** People ask the same again and again; what is typed letter by letter is prepared anew. */
const statementsKept = 50;

export function createCatalogueStore(database: Database): CatalogueStore {
  const prepared = new Map<string, Pick<Statement<ImageId>, 'all'>>();
  const statementFor = (sql: string): Pick<Statement<ImageId>, 'all'> => {
    const known = prepared.get(sql) ?? database.prepareColumn<ImageId>('catalogue.search', sql);
    prepared.delete(sql);
    prepared.set(sql, known);
    const [oldest] = prepared.keys();
    if (prepared.size > statementsKept && oldest !== undefined) prepared.delete(oldest);
    return known;
  };

  const searchRow = { list: 'SELECT name, query, saved_at AS savedAt, saved_by AS savedBy FROM saved_searches ORDER BY name' };
  const listSearches = database.prepare<SavedSearch>('searches.list', searchRow.list);
  const saveSearch = database.prepare(
    'searches.save',
    `INSERT INTO saved_searches (name, query, saved_at, saved_by) VALUES (@name, @query, @savedAt, @savedBy)
     ON CONFLICT (name) DO UPDATE SET name = @name, query = @query, saved_at = @savedAt, saved_by = @savedBy`,
  );
  const removeSearch = database.prepare('searches.remove', 'DELETE FROM saved_searches WHERE name = ?');

  type OriginRow = { guest_id: GuestId; image_id: ImageId; image_name: string; series: string | null; series_version: number | null };
  const listOrigins = database.prepare<OriginRow>('origins.list', 'SELECT * FROM guest_origins');
  const saveOrigin = database.prepare(
    'origins.save',
    `INSERT INTO guest_origins (guest_id, image_id, image_name, series, series_version) VALUES (@guest, @image, @imageName, @series, @version)
     ON CONFLICT (guest_id) DO UPDATE SET image_id = @image, image_name = @imageName, series = @series, series_version = @version`,
  );

  const findFacts = database.prepare<{ facts: string }>('guestFacts.find', 'SELECT facts FROM guest_facts WHERE guest_id = ?');
  const saveFacts = database.prepare('guestFacts.save', 'INSERT OR REPLACE INTO guest_facts (guest_id, facts) VALUES (?, ?)');
  const findComparison = database.prepare<{ difference: string }>(
    'comparisons.find',
    'SELECT difference FROM image_comparisons WHERE one = ? AND other = ?',
  );
  const saveComparison = database.prepare(
    'comparisons.save',
    'INSERT OR REPLACE INTO image_comparisons (one, other, difference) VALUES (?, ?, ?)',
  );

  return {
    search: ({ sql, parameters }, order) => statementFor(`SELECT id FROM images WHERE ${sql} ORDER BY ${order}`).all(...parameters),
    searches: {
      list: () => listSearches.all(),
      save: (search) => void saveSearch.run(search),
      remove: (name) => removeSearch.run(name).changes > 0,
    },
    origins: {
      list: () =>
        listOrigins.all().map(({ guest_id, image_id, image_name, series, series_version }) => ({
          guest: guest_id,
          image: image_id,
          imageName: image_name,
          series: series === null ? null : { name: series, version: series_version ?? 1 },
        })),
      save: ({ guest, image, imageName, series }) =>
        void saveOrigin.run({ guest, image, imageName, series: series?.name ?? null, version: series?.version ?? null }),
    },
    facts: {
      find: (guest) => parseStored(guestFacts, findFacts.get(guest)?.facts),
      save: (guest, facts) => void saveFacts.run(guest, JSON.stringify(facts)),
    },
    comparisons: {
      find: (one, other) => parseStored(contentDifference, findComparison.get(one, other)?.difference),
      save: (one, other, found) => void saveComparison.run(one, other, JSON.stringify(found)),
    },
  };
}

/** What cannot be understood any more is found out again. */
function parseStored<Schema extends z.ZodType>(schema: Schema, text: string | undefined): z.output<Schema> | null {
  try {
    return text === undefined ? null : schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
