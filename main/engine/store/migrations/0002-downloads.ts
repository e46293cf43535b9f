/** Where images came from that were downloaded, and what was checked of them. A row may outlive its image; then it says nothing. */
export const sql = `
  CREATE TABLE downloads (
    image_id TEXT PRIMARY KEY,
    -- of the list of downloads; null for an address that somebody gave
    entry TEXT,
    version TEXT,
    url TEXT NOT NULL,
    -- signature, checksum or none
    proof TEXT NOT NULL,
    proof_text TEXT NOT NULL,
    at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX downloads_by_entry ON downloads (entry, at);
`;
