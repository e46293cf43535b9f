/** The first shape of the database. Instants are ISO 8601 text in UTC; what has a schema in the contract is JSON text. */
export const sql = `
  CREATE TABLE guests (
    id TEXT PRIMARY KEY,
    spec TEXT NOT NULL,
    created_at TEXT NOT NULL,
    last_started_at TEXT,
    trashed_at TEXT,
    -- 1 until the job that makes its disks has finished
    creating INTEGER NOT NULL DEFAULT 0,
    -- what was asked of QEMU and not yet seen to end: JSON RunRecord, written before QEMU is started
    run TEXT,
    -- JSON Crash of the last run
    crash TEXT,
    suspended INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE images (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    format TEXT NOT NULL,
    kind TEXT NOT NULL,
    built_in INTEGER NOT NULL DEFAULT 0,
    os TEXT NOT NULL,
    firmware TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    virtual_size_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    label TEXT,
    source TEXT NOT NULL,
    added_at TEXT NOT NULL,
    added_by TEXT NOT NULL
  ) STRICT;

  CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    -- JSON Job as clients see it, without what is only known while it runs
    job TEXT NOT NULL,
    -- JSON input of the job's definition
    input TEXT NOT NULL,
    created_at TEXT NOT NULL,
    ended_at TEXT
  ) STRICT;
  CREATE INDEX jobs_by_state ON jobs (state, created_at);

  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    severity TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    guest_id TEXT,
    image_id TEXT,
    job_id TEXT
  ) STRICT;
  CREATE INDEX events_by_guest ON events (guest_id, id);

  CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    call TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error_code TEXT
  ) STRICT;

  -- One row an interval; interval_seconds 1 is kept for minutes, 60 for a day, 900 for a month.
  CREATE TABLE samples (
    guest_id TEXT NOT NULL,
    interval_seconds INTEGER NOT NULL,
    at INTEGER NOT NULL,
    cpu_cores REAL NOT NULL,
    memory_bytes INTEGER NOT NULL,
    disk_read REAL NOT NULL,
    disk_write REAL NOT NULL,
    net_receive REAL,
    net_send REAL,
    PRIMARY KEY (guest_id, interval_seconds, at)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`;
