/**
 * Where the windows of end-to-end tests are shown: on the screen that there is, one test file at a time, or each worker's on a display in
 * memory of its own, since a window must have keyboard, pointer and clipboard to itself.
 */
import { availableParallelism } from 'node:os';
import { hasDisplay, type PrivateDisplay, startPrivateDisplay } from '../setup/private-display.ts';

/** How many test files with windows run at once. */
export const windowsAtOnce = hasDisplay() ? 1 : Math.min(2, availableParallelism());

/** What the workers inherit: a list of {@link PrivateDisplay.environment}, in JSON. */
const displaysVariable = 'GUESTHOUSE_TEST_DISPLAYS';

/** Starts the displays where they are needed. What is returned ends them. */
export async function startDisplays(): Promise<() => Promise<void>> {
  if (hasDisplay()) return async () => {};
  const displays: PrivateDisplay[] = [];
  const stop = async () => void (await Promise.all(displays.map((display) => display.stop())));
  try {
    // One after the other: two X servers that begin at once may want the same number.
    for (let worker = 0; worker < windowsAtOnce; worker++) displays.push(await startPrivateDisplay());
  } catch (error) {
    await stop();
    throw error;
  }
  process.env[displaysVariable] = JSON.stringify(displays.map(({ environment }) => environment));
  return stop;
}

/** To be called in a worker, before it starts the app. Workers are numbered from 1 to {@link windowsAtOnce}. */
export function takeDisplay(worker: number): void {
  const displays = JSON.parse(process.env[displaysVariable] ?? '[]') as PrivateDisplay['environment'][];
  if (displays.length === 0) return;
  const mine = displays[worker - 1];
  if (!mine) throw new Error(`There is no display for worker ${worker}: there are ${displays.length}.`);
  Object.assign(process.env, mine, { GUESTHOUSE_PRIVATE_DISPLAY: '1' });
}
