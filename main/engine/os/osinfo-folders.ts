/** Where libosinfo's database is. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export type OsinfoDatabase = {
  folder: string;
  /** "20221203": the database names its releases by date. */
  version: string;
};

/** The installed database, or null. `OSINFO_SYSTEM_DIR` names another folder, as it does for libosinfo itself. */
export async function osinfoDatabase(environment: NodeJS.ProcessEnv = process.env): Promise<OsinfoDatabase | null> {
  const folders = environment.OSINFO_SYSTEM_DIR
    ? [environment.OSINFO_SYSTEM_DIR]
    : ['/usr/share/osinfo', '/usr/local/share/osinfo', '/opt/homebrew/share/osinfo', '/usr/share/libosinfo/db'];
  for (const folder of folders) {
    const found = await stat(join(folder, 'os')).catch(() => null);
    if (!found?.isDirectory()) continue;
    const version = await readFile(join(folder, 'VERSION'), 'utf8').catch(() => found.mtime.toISOString().slice(0, 10));
    return { folder, version: version.trim() };
  }
  return null;
}
