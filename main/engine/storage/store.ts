/** The storage locations in the database, and what is on its way to one. */
import { z } from 'zod';
import { type GuestId, guestId } from '../../../contract/ids.ts';
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

/** A folder on its way: its name in the store, where it really was, and where it really will be. */
const movedFolderRow = z.object({ folder: z.string(), from: z.string(), to: z.string() });
export type FolderMove = z.infer<typeof movedFolderRow>;
export type StoredMove = { guestId: GuestId; folders: FolderMove[]; switched: boolean };

export type MoveStore = {
  list(): StoredMove[];
  find(guest: GuestId): StoredMove | null;
  /** In place of what was stored of the guest. */
  save(move: StoredMove): void;
  remove(guest: GuestId): void;
};

export function createMoveStore(database: Database): MoveStore {
  const list = database.prepare<{ guestId: string; folders: string; switched: number }>(
    'guestMoves.list',
    'SELECT guest_id AS guestId, folders, switched FROM guest_moves',
  );
  const save = database.prepare(
    'guestMoves.save',
    `INSERT INTO guest_moves (guest_id, folders, switched) VALUES (@guestId, @folders, @switched)
     ON CONFLICT (guest_id) DO UPDATE SET folders = excluded.folders, switched = excluded.switched`,
  );
  const remove = database.prepare('guestMoves.remove', 'DELETE FROM guest_moves WHERE guest_id = ?');
  const all = () =>
    list.all().map(({ guestId: id, folders, switched }) => ({
      guestId: guestId.parse(id),
      folders: z.array(movedFolderRow).parse(JSON.parse(folders)),
      switched: switched === 1,
    }));
  return {
    list: all,
    find: (guest) => all().find((move) => move.guestId === guest) ?? null,
    save: ({ guestId: id, folders, switched }) =>
      void save.run({ guestId: id, folders: JSON.stringify(folders), switched: switched ? 1 : 0 }),
    remove: (guest) => void remove.run(guest),
  };
}
