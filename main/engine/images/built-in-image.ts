/** Finds the starter guest that set-up built. */
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readStarterMetadata, type StarterMetadata, starterFile } from './starter-metadata.ts';

export type Starter = { diskPath: string; metadata: StarterMetadata };

/**
 * The newest starter: where `GUESTHOUSE_STARTER` says (its folder or its disk), else the newest in the cache of set-up and in the packaged app's
 * resources. Null when set-up built none.
 */
export async function findStarter(environment: NodeJS.ProcessEnv, resourcesFolder: string | null): Promise<Starter | null> {
  const named = environment.GUESTHOUSE_STARTER;
  if (named) return starterIn((await isFile(named)) ? dirname(named) : named);
  const cache = environment.GUESTHOUSE_CACHE || join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'guesthouse');
  const folders = (await readdir(join(cache, 'starter')).catch(() => [])).map((name) => join(cache, 'starter', name));
  if (resourcesFolder) folders.push(join(resourcesFolder, 'starter'));
  let newest: Starter | null = null;
  for (const folder of folders) {
    const found = await starterIn(folder);
    if (found && (newest === null || found.metadata.builtAt > newest.metadata.builtAt)) newest = found;
  }
  return newest;
}

async function starterIn(folder: string): Promise<Starter | null> {
  const metadata = await readStarterMetadata(join(folder, starterFile.metadata));
  const diskPath = join(folder, starterFile.disk);
  return metadata && (await isFile(diskPath)) ? { diskPath, metadata } : null;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
