/** What start, test, the packaging and the pictures all need before they can do their own work. */
import { join } from 'node:path';
import { bundle } from '../bundle.ts';
import { cacheDirectory, projectRoot } from '../places.ts';
import { ensureStarter, type StarterPaths } from '../starter/make.ts';
import { type ElectronRuntime, ensureElectronRuntime } from './electron-runtime.ts';

export interface Prepared {
  runtime: ElectronRuntime;
  starter: StarterPaths;
}

/** Says what happens in a named stage. */
export type StageLog = (stage: string, line: string) => void;

/** Runs one stage, and says how long it took unless that was next to nothing. */
export async function timed<Result>(log: StageLog, stage: string, work: (say: (line: string) => void) => Promise<Result>): Promise<Result> {
  const began = performance.now();
  const result = await work((line) => log(stage, line));
  const elapsedMs = performance.now() - began;
  if (elapsedMs >= 500) log(stage, `done in ${(elapsedMs / 1000).toFixed(1)} s`);
  return result;
}

/** The Electron runtime, the starter guest and the bundles, beside each other. Throws the first failure. */
export async function prepare(log: StageLog): Promise<Prepared> {
  const [app, starter] = await Promise.all([prepareApp(log), timed(log, 'starter', makeStarter)]);
  return { ...app, starter };
}

/** The same for a start, which goes on where the starter guest cannot be made: it comes from Debian packages, and the app is of use without. */
export async function prepareForStart(log: StageLog): Promise<{ runtime: ElectronRuntime; starter: StarterPaths | null }> {
  const starterOrNone = (say: (line: string) => void) =>
    makeStarter(say).catch((error: Error) => {
      say(`${error.message} The library goes without it.`);
      return null;
    });
  const [app, starter] = await Promise.all([prepareApp(log), timed(log, 'starter', starterOrNone)]);
  return { ...app, starter };
}

async function prepareApp(log: StageLog): Promise<{ runtime: ElectronRuntime }> {
  const [runtime] = await Promise.all([timed(log, 'electron', ensureElectronRuntime), timed(log, 'build', bundle)]);
  return { runtime };
}

function makeStarter(say: (line: string) => void): Promise<StarterPaths> {
  return ensureStarter(cacheDirectory(), say);
}

/** The Node that runs the engine when Electron's own is too old for it. */
export const engineNode = join(projectRoot, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
