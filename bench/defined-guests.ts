/** Many defined guests, without the minutes that making their disks would take. */
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import type { GuestSpec } from '../contract/guest-spec.ts';

/** Copies the row of a real guest `count` times, under other names and ids, into the database at `path`. */
export function defineGuests(path: string, spec: GuestSpec, count: number): void {
  const database = new Database(path);
  try {
    const insert = database.prepare('INSERT INTO guests (id, spec, created_at) VALUES (?, ?, ?)');
    database.transaction(() => {
      for (let index = 0; index < count; index += 1) {
        const copy: GuestSpec = { ...spec, name: `Guest ${String(index + 1).padStart(4, '0')}`, uuid: randomUUID() };
        insert.run(`g${index.toString(36).padStart(9, '0')}`, JSON.stringify(copy), new Date().toISOString());
      }
    })();
  } finally {
    database.close();
  }
}
