/** Where the project is and where set-up keeps what it downloads or makes. */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The folder of package.json. */
export const projectRoot = dirname(import.meta.dirname);

/**
 * The folder outside the repository for what is expensive to fetch or make: the Electron runtime, the starter guest, npm's tarballs.
 * Every clone of the project on this machine shares it; deleting it only costs time.
 */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.GUESTHOUSE_CACHE) return environment.GUESTHOUSE_CACHE;
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'guesthouse');
}
