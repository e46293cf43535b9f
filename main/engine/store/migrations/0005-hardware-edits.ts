/** What the hardware of a guest was before each of its last edits, for taking them back. It goes with the guest. */
export const sql = `
  CREATE TABLE hardware_edits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    guest_id TEXT NOT NULL,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    -- JSON of the differences that the edit made
    changes TEXT NOT NULL,
    -- JSON GuestSpec as it was before
    spec TEXT NOT NULL
  ) STRICT;
  CREATE INDEX hardware_edits_by_guest ON hardware_edits (guest_id, id);
  CREATE TRIGGER hardware_edits_go_with_guest AFTER DELETE ON guests
  BEGIN
    DELETE FROM hardware_edits WHERE guest_id = OLD.id;
  END;
`;
