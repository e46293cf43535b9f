/** Whose word the facts of an image are, as a sentence; null for what Guesthouse read itself. */
export const sql = `
  ALTER TABLE images ADD COLUMN facts_from TEXT;
`;
