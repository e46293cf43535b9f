/** Before the integration tests: the engine, the command line and the starter guest. Also for a plain `npm run integration`. */
import { bundle } from '../bundle.ts';
import { cacheDirectory } from '../places.ts';
import { ensureStarter } from '../starter/make.ts';

/** Called by vitest before the first test. */
export async function setup(): Promise<void> {
  await Promise.all([bundle(console.log, { names: ['engine', 'cli'] }), ensureStarter(cacheDirectory(), console.log)]);
}
