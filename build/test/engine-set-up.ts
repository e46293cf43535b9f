/** Before the integration tests: the engine, the command line and the starter guest. Also for a plain `npm run integration`. */
import { bundle } from '../bundle.ts';
import { cacheDirectory } from '../places.ts';
import { ensureStarter } from '../starter/make.ts';
import { isPrepared } from './prepared.ts';

/** Called by vitest before the first test. */
export async function setup(): Promise<void> {
  if (isPrepared()) return;
  await Promise.all([bundle(console.log, { names: ['engine', 'cli'] }), ensureStarter(cacheDirectory(), console.log)]);
}
