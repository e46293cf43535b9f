/**
 * Which packages are in which image, see `images/packages/store.ts`. The index of names has neither the names themselves nor their places,
 * only which images each is in; its words are whole names, with all that may stand in one.
 */
export const sql = `
  CREATE TABLE packages (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (name, version)
  ) STRICT;

  CREATE TABLE image_packages (
    -- The image's number in the index of words
    number INTEGER PRIMARY KEY,
    -- Numbers of packages
    list BLOB NOT NULL
  ) STRICT;

  CREATE VIRTUAL TABLE image_package_names USING fts5 (
    names, content = '', contentless_delete = 1, detail = none, prefix = '1 2 3 4 6 8',
    tokenize = "unicode61 remove_diacritics 0 tokenchars '+-._~:@'"
  );

  CREATE TRIGGER image_with_packages_gone AFTER DELETE ON images BEGIN
    DELETE FROM image_packages WHERE number = old.number;
    DELETE FROM image_package_names WHERE rowid = old.number;
  END;
`;
