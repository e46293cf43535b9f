/** Which guests have a disc with the answers of an unattended installation. */
export const sql = `
  CREATE TABLE guest_seeds (
    guest_id TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    has_disc INTEGER NOT NULL,
    -- of the installer's kernel, until the system is installed
    command_line TEXT,
    made_at TEXT NOT NULL
  ) STRICT;
`;
