/** Before the end-to-end tests: all that a start prepares, and private displays where there is none. Also for a plain `npm run e2e`. */
import { prepare } from '../setup/prepare.ts';
import { startDisplays } from './displays.ts';
import { isPrepared } from './prepared.ts';

/** Workers inherit this process's environment. Vitest calls what is returned at the end of the run. */
export async function setup(): Promise<() => Promise<void>> {
  if (!isPrepared()) await prepare((stage, line) => console.log(`[${stage}] ${line}`));
  return startDisplays();
}
