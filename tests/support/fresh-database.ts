/** A new database of the newest shape in a folder of its own, closed and removed when the test is over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { silentLog } from '../../main/engine/log/log.ts';
import type { Database } from '../../main/engine/store/database.ts';
import { openDatabase } from '../../main/engine/store/open-database.ts';

export async function freshDatabase(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'gh-database-'));
  const database = await openDatabase({
    path: join(folder, 'guesthouse.db'),
    backupsFolder: join(folder, 'database-backups'),
    clock: { nowMs: () => Date.now() },
    log: silentLog,
  });
  onTestFinished(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return database;
}
