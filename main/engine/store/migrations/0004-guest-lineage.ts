/** What a guest was made from, and what it is besides a guest. Null: an ordinary guest that was not made from another. */
export const sql = `
  -- JSON Lineage (guests/store.ts)
  ALTER TABLE guests ADD COLUMN lineage TEXT;
`;
