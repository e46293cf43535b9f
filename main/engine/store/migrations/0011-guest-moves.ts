/**
 * Guests on their way to another storage location, with the folders that go along. With `switched` they are where they were going, whatever their
 * names in the store say until those are put right; before, they are where they were.
 */
export const sql = `
  CREATE TABLE guest_moves (
    guest_id TEXT PRIMARY KEY,
    folders TEXT NOT NULL,
    switched INTEGER NOT NULL DEFAULT 0
  ) STRICT;
`;
