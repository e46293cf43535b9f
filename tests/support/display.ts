/** A display for the windows of tests: the session's own, or one in memory for as long as the test process lives. */
import { hasDisplay, type PrivateDisplay, startPrivateDisplay } from '../../build/setup/private-display.ts';

let starting: Promise<PrivateDisplay> | null = null;

/** What the environment of a program with windows needs; empty where there is a display. Starts Xvfb once. */
export async function displayEnvironment(): Promise<Record<string, string>> {
  // Windows of tests are nobody's to look at, even where there is a screen.
  if (process.env.GUESTHOUSE_TEST_ON_SCREEN && hasDisplay()) return {};
  if (process.platform !== 'linux') return {};
  starting ??= startPrivateDisplay({ width: 1920, height: 1200 });
  return (await starting).environment;
}
