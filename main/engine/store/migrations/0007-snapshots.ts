/** Snapshots of guests. What they build upon stands in the disks themselves; here is what they are for. */
export const sql = `
  CREATE TABLE snapshots (
    id TEXT PRIMARY KEY,
    guest_id TEXT NOT NULL,
    parent_id TEXT,
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at TEXT NOT NULL,
    -- set while it can be brought back
    deleted_at TEXT,
    -- JSON KeptFacts: what the guest was, its spec and the layers of its disks
    kept TEXT NOT NULL,
    -- JSON Making until it is there: what was planned, so that any engine can finish it or take it back
    making TEXT
  ) STRICT;
  CREATE INDEX snapshots_by_guest ON snapshots (guest_id, created_at);

  -- The snapshot upon which the present of a guest builds, and how snapshots of it are made by themselves.
  CREATE TABLE snapshot_guests (
    guest_id TEXT PRIMARY KEY,
    current_id TEXT,
    -- the job that took the guest back last
    reverted_by TEXT,
    -- JSON SnapshotSchedule
    schedule TEXT
  ) STRICT;

  -- A guest that is being taken back: JSON Reverting, removed when it is done.
  CREATE TABLE snapshot_reverts (guest_id TEXT PRIMARY KEY, reverting TEXT NOT NULL) STRICT;
`;
