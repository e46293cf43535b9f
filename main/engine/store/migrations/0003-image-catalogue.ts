/**
 * What is known of images beyond their bytes, an index of their words that triggers keep in step, saved searches, and where guests came from.
 *
 * Triggers rather than code, because then no way to write a row can miss the index. `number` is an image's row in the index: SQLite may
 * renumber the hidden row ids of a table whose key is text. `sort_name` and `sort_version` are made by `contract/version-order.ts`; rows
 * from before have none until the store fills them in.
 */
export const sql = `
  ALTER TABLE images ADD COLUMN number INTEGER;
  ALTER TABLE images ADD COLUMN sort_name TEXT;
  ALTER TABLE images ADD COLUMN sort_version TEXT;
  ALTER TABLE images ADD COLUMN os_name TEXT GENERATED ALWAYS AS (os ->> '$.name') VIRTUAL;
  ALTER TABLE images ADD COLUMN os_id TEXT GENERATED ALWAYS AS (os ->> '$.id') VIRTUAL;
  ALTER TABLE images ADD COLUMN os_family TEXT GENERATED ALWAYS AS (os ->> '$.family') VIRTUAL;
  ALTER TABLE images ADD COLUMN os_distro TEXT GENERATED ALWAYS AS (os ->> '$.distro') VIRTUAL;
  ALTER TABLE images ADD COLUMN architecture TEXT;
  ALTER TABLE images ADD COLUMN patch_level TEXT;
  ALTER TABLE images ADD COLUMN patch_level_from TEXT;
  -- JSON array of text
  ALTER TABLE images ADD COLUMN kernels TEXT NOT NULL DEFAULT '[]';
  -- JSON, or null when it is not known
  ALTER TABLE images ADD COLUMN packages TEXT;
  ALTER TABLE images ADD COLUMN end_of_life TEXT;
  ALTER TABLE images ADD COLUMN source_url TEXT;
  ALTER TABLE images ADD COLUMN source_checksum TEXT;
  ALTER TABLE images ADD COLUMN notes TEXT NOT NULL DEFAULT '';
  -- JSON array of text
  ALTER TABLE images ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE images ADD COLUMN lifecycle TEXT NOT NULL DEFAULT 'published';
  ALTER TABLE images ADD COLUMN series TEXT;
  ALTER TABLE images ADD COLUMN series_version INTEGER;
  ALTER TABLE images ADD COLUMN change_note TEXT;
  -- JSON array: which fields a hand wrote, and must not be read over
  ALTER TABLE images ADD COLUMN by_hand TEXT NOT NULL DEFAULT '[]';
  -- JSON: what the medium itself said of those fields, to go back to
  ALTER TABLE images ADD COLUMN as_read TEXT;

  UPDATE images SET number = rowid;
  CREATE UNIQUE INDEX images_by_number ON images (number);
  CREATE UNIQUE INDEX images_by_series ON images (series COLLATE NOCASE, series_version) WHERE series IS NOT NULL;

  CREATE TABLE image_tags (
    number INTEGER NOT NULL,
    tag TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (tag, number)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX image_tags_by_image ON image_tags (number);

  CREATE VIRTUAL TABLE image_text USING fts5 (
    name, os, tags, notes, source, kernel, series, other,
    tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
  );

  CREATE VIEW image_words AS SELECT
    id, number AS rowid, name,
    concat_ws(' ', os ->> '$.name', os ->> '$.id', os ->> '$.distro', os ->> '$.version', architecture) AS os,
    (SELECT group_concat(value, ' ') FROM json_each(images.tags)) AS tags,
    notes,
    concat_ws(' ', source, source_url) AS source,
    (SELECT group_concat(value, ' ') FROM json_each(images.kernels)) AS kernel,
    concat_ws(' ', series, change_note) AS series,
    concat_ws(' ', label, added_by, format, kind) AS other
  FROM images;

  INSERT INTO image_text (rowid, name, os, tags, notes, source, kernel, series, other)
    SELECT rowid, name, os, tags, notes, source, kernel, series, other FROM image_words;

  CREATE TRIGGER image_came AFTER INSERT ON images BEGIN
    UPDATE images SET number = (SELECT coalesce(max(number), 0) + 1 FROM images) WHERE id = new.id;
    INSERT INTO image_text (rowid, name, os, tags, notes, source, kernel, series, other)
      SELECT rowid, name, os, tags, notes, source, kernel, series, other FROM image_words WHERE id = new.id;
    INSERT OR IGNORE INTO image_tags (number, tag)
      SELECT images.number, tag.value FROM images, json_each(images.tags) AS tag WHERE images.id = new.id;
  END;

  CREATE TRIGGER image_changed AFTER UPDATE OF
    name, os, architecture, tags, notes, source, source_url, kernels, series, change_note, label, added_by ON images BEGIN
    UPDATE image_text SET (name, os, tags, notes, source, kernel, series, other) =
      (SELECT name, os, tags, notes, source, kernel, series, other FROM image_words WHERE id = new.id)
      WHERE rowid = new.number;
    DELETE FROM image_tags WHERE number = new.number;
    INSERT OR IGNORE INTO image_tags (number, tag) SELECT new.number, value FROM json_each(new.tags);
  END;

  CREATE TABLE saved_searches (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    query TEXT NOT NULL,
    saved_at TEXT NOT NULL,
    saved_by TEXT NOT NULL
  ) STRICT;

  -- From which image a guest was made. Beside the guest and not in its spec: it is what happened, not what is wanted.
  CREATE TABLE guest_origins (
    guest_id TEXT PRIMARY KEY,
    image_id TEXT NOT NULL,
    image_name TEXT NOT NULL,
    series TEXT,
    series_version INTEGER
  ) STRICT;

  -- What the agent of a guest said of the system inside: JSON GuestFacts
  CREATE TABLE guest_facts (guest_id TEXT PRIMARY KEY, facts TEXT NOT NULL) STRICT;

  -- How the contents of two images differ: JSON ContentDifference. An image's content never changes.
  CREATE TABLE image_comparisons (
    one TEXT NOT NULL,
    other TEXT NOT NULL,
    difference TEXT NOT NULL,
    PRIMARY KEY (one, other)
  ) STRICT;

  CREATE TRIGGER image_gone AFTER DELETE ON images BEGIN
    DELETE FROM image_text WHERE rowid = old.number;
    DELETE FROM image_tags WHERE number = old.number;
    DELETE FROM image_comparisons WHERE one = old.id OR other = old.id;
  END;

  CREATE TRIGGER guest_gone AFTER DELETE ON guests BEGIN
    DELETE FROM guest_origins WHERE guest_id = old.id;
    DELETE FROM guest_facts WHERE guest_id = old.id;
  END;
`;
