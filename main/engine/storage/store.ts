/** The storage locations in the database. */
import type { Database } from '../store/database.ts';

export type StoredLocation = { id: string; name: string; path: string; addedAt: string };

export type LocationStore = {
  /** In the order in which they were added. */
  list(): StoredLocation[];
  insert(location: StoredLocation): void;
  remove(id: string): void;
};

export function createLocationStore(database: Database): LocationStore {
  const list = database.prepare<StoredLocation>(
    'locations.list',
    'SELECT id, name, path, added_at AS addedAt FROM storage_locations ORDER BY added_at, id',
  );
  const insert = database.prepare(
    'locations.insert',
    'INSERT INTO storage_locations (id, name, path, added_at) VALUES (@id, @name, @path, @addedAt)',
  );
  const remove = database.prepare('locations.remove', 'DELETE FROM storage_locations WHERE id = ?');
  return { list: () => list.all(), insert: (location) => void insert.run(location), remove: (id) => void remove.run(id) };
}
