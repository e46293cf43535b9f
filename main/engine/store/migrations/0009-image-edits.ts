/** What several images were before each of the last edits of them at once, for taking these back. */
export const sql = `
  CREATE TABLE image_edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    -- JSON BulkEdit: of each image what it was and what it became
    edit TEXT NOT NULL
  ) STRICT;
`;
