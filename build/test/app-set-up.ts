/** Before the end-to-end tests: all that a start prepares, and a private display where there is none. Also for a plain `npm run e2e`. */
import { prepare } from '../setup/prepare.ts';
import { hasDisplay, startPrivateDisplay } from '../setup/private-display.ts';

/** Workers inherit this process's environment, so the display is put there. Vitest calls what is returned at the end of the run. */
export async function setup(): Promise<() => Promise<void>> {
  await prepare((stage, line) => console.log(`[${stage}] ${line}`));
  if (hasDisplay()) return async () => {};
  const display = await startPrivateDisplay();
  Object.assign(process.env, display.environment, { GUESTHOUSE_PRIVATE_DISPLAY: '1' });
  return display.stop;
}
