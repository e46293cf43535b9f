/** Whether the Electron under this app is a stand-in for development and tests, which every window and the log then say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What it is, as set-up says in the environment and the packaging in a file; null for the Electron that users get. */
export function developmentRuntime(): string | null {
  const named = process.env.GUESTHOUSE_DEVELOPMENT_RUNTIME;
  if (named) return named;
  try {
    return readFileSync(join(process.resourcesPath, 'development-runtime.txt'), 'utf8').trim();
  } catch {
    return null;
  }
}
