/** Folders that the user named for images, beside the data folder. Which image lies where, the store's own files say. */
export const sql = `
  CREATE TABLE storage_locations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    added_at TEXT NOT NULL
  ) STRICT;
`;
