/** What `./start` was asked for. */
import { resolve } from 'node:path';

export interface StartArguments {
  isSetupOnly: boolean;
  /** For the app. */
  appArguments: string[];
}

/** Relative paths are meant from `directory`, where the user is. `--out` may be given in two ways; the app gets one, absolute. */
export function parseStartArguments(given: readonly string[], directory: string): StartArguments {
  const appArguments: string[] = [];
  let isSetupOnly = false;
  const left = [...given];
  for (let argument = left.shift(); argument !== undefined; argument = left.shift()) {
    if (argument === '--setup-only') isSetupOnly = true;
    // Only says that what follows is not meant for this script.
    else if (argument === '--') continue;
    else if (argument === '--out') appArguments.push(`--out=${resolve(directory, left.shift() ?? '')}`);
    else if (argument.startsWith('--out=')) appArguments.push(`--out=${resolve(directory, argument.slice('--out='.length))}`);
    else appArguments.push(argument.endsWith('.vv') ? resolve(directory, argument) : argument);
  }
  const isDemo = appArguments.includes('--demo');
  if (isDemo && !appArguments.some((argument) => argument.startsWith('--out='))) appArguments.push(`--out=${directory}`);
  return { isSetupOnly, appArguments };
}
