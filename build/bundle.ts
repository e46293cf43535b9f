/**
 * `npm run build`: makes every bundle under out/ whose inputs changed.
 *
 * Each is built in a folder of its own and renamed into place, so that an app that starts meanwhile finds the old bundle or the new one
 * and never half of it.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashInputs } from './bundle/inputs.ts';
import { type Target, targets } from './bundle/targets.ts';
import { projectRoot } from './places.ts';

export interface BundleReport {
  built: string[];
  upToDate: string[];
}

/** Builds the named targets (all of them when none is named) that are out of date. Throws the first failure after all were tried. */
export async function bundle(
  log: (line: string) => void,
  { root = projectRoot, names = [], force = false }: { root?: string; names?: string[]; force?: boolean } = {},
): Promise<BundleReport> {
  const unknown = names.filter((name) => !targets.some((target) => target.name === name));
  if (unknown.length > 0)
    throw new Error(`No bundle is called ${unknown.join(', ')}; there are ${targets.map((target) => target.name).join(', ')}.`);
  const wanted = targets.filter((target) => names.length === 0 || names.includes(target.name));
  const report: BundleReport = { built: [], upToDate: [] };
  const outcomes = await Promise.allSettled(
    wanted.map(async (target) => {
      const hash = hashInputs(root, target.inputs);
      if (!force && (await stampOf(root, target)) === hash) return void report.upToDate.push(target.name);
      const began = performance.now();
      await buildTarget(root, target, hash);
      report.built.push(target.name);
      log(`built out/${target.name} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }),
  );
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason as Error);
  for (const failure of failures.slice(1)) log(failure.message);
  if (failures[0]) throw failures[0];
  return report;
}

/** Beside the bundle and not in it: what is in the folder is shipped. */
function stampPath(root: string, target: Target): string {
  return join(root, 'out', `.${target.name}.stamp`);
}

async function stampOf(root: string, target: Target): Promise<string | null> {
  if (!existsSync(join(root, 'out', target.name))) return null;
  return readFile(stampPath(root, target), 'utf8').catch(() => null);
}

async function buildTarget(root: string, target: Target, hash: string): Promise<void> {
  if (!existsSync(join(root, target.entry))) throw new Error(`out/${target.name} cannot be built: ${target.entry} does not exist.`);
  const finished = join(root, 'out', target.name);
  const building = join(root, 'out', `.building-${process.pid}-${target.name}`);
  const replaced = `${building}.old`;
  await mkdir(building, { recursive: true });
  try {
    await target.build(root, building);
    await rm(stampPath(root, target), { force: true });
    if (existsSync(finished)) await rename(finished, replaced);
    await rename(building, finished);
    await writeFile(stampPath(root, target), hash);
  } finally {
    await rm(building, { recursive: true, force: true });
    await rm(replaced, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const began = performance.now();
  try {
    const { built, upToDate } = await bundle(console.log, { names, force: process.argv.includes('--force') });
    console.log(`${built.length} built, ${upToDate.length} up to date, ${((performance.now() - began) / 1000).toFixed(1)} s`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
