/** The images in the database. */
import type { ImageId } from '../../../contract/ids.ts';
import { type Image, image } from '../../../contract/image.ts';
import type { Log } from '../log/log.ts';
import type { Database } from '../store/database.ts';

/** An image without what is not stored: its path follows from its id, and who uses it from the guests. */
export type StoredImage = Omit<Image, 'path' | 'usedBy' | 'builtUponBy'>;
const storedImage = image.omit({ path: true, usedBy: true, builtUponBy: true });

export type ImageStore = {
  list(): StoredImage[];
  find(id: ImageId): StoredImage | null;
  findByHash(sha256: string): StoredImage | null;
  insert(image: StoredImage): void;
  /** The built-in image was replaced by a newer one and is kept for those who build upon it. */
  becomeOrdinary(id: ImageId): void;
  remove(id: ImageId): void;
};

type Row = {
  id: string;
  name: string;
  format: string;
  kind: string;
  built_in: number;
  os: string;
  firmware: string;
  size_bytes: number;
  virtual_size_bytes: number;
  sha256: string;
  label: string | null;
  source: string;
  added_at: string;
  added_by: string;
};

export function createImageStore(database: Database, log: Log): ImageStore {
  const list = database.prepare<Row>('images.list', 'SELECT * FROM images ORDER BY built_in DESC, added_at DESC');
  const find = database.prepare<Row>('images.find', 'SELECT * FROM images WHERE id = ?');
  const findByHash = database.prepare<Row>('images.findByHash', 'SELECT * FROM images WHERE sha256 = ?');
  const insert = database.prepare(
    'images.insert',
    `INSERT INTO images (id, name, format, kind, built_in, os, firmware, size_bytes, virtual_size_bytes, sha256, label, source, added_at, added_by)
     VALUES (@id, @name, @format, @kind, @builtIn, @os, @firmware, @sizeBytes, @virtualSizeBytes, @sha256, @label, @source, @addedAt, @addedBy)`,
  );
  const becomeOrdinary = database.prepare('images.becomeOrdinary', 'UPDATE images SET built_in = 0 WHERE id = ?');
  const remove = database.prepare('images.remove', 'DELETE FROM images WHERE id = ?');
  /** A row that an odd hand changed is left out and named in the log: it must not take the others with it. */
  const parseRow = (row: Row | undefined): StoredImage | null => {
    if (!row) return null;
    const { built_in, os, size_bytes, virtual_size_bytes, added_at, added_by, ...same } = row;
    const parsed = storedImage.safeParse({
      ...same,
      builtIn: built_in === 1,
      os: parseJson(os),
      sizeBytes: size_bytes,
      virtualSizeBytes: virtual_size_bytes,
      addedAt: added_at,
      addedBy: added_by,
    });
    if (!parsed.success)
      log.warn({ image: row.id, error: parsed.error.message }, 'An image in the database cannot be understood and is left out.');
    return parsed.success ? parsed.data : null;
  };
  return {
    list: () =>
      list
        .all()
        .map(parseRow)
        .filter((one) => one !== null),
    find: (id) => parseRow(find.get(id)),
    findByHash: (sha256) => parseRow(findByHash.get(sha256)),
    insert: ({ builtIn, os, ...same }) => void insert.run({ ...same, builtIn: builtIn ? 1 : 0, os: JSON.stringify(os) }),
    becomeOrdinary: (id) => void becomeOrdinary.run(id),
    remove: (id) => void remove.run(id),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
