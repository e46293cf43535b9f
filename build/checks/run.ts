/** `npm run check`: everything that can be said of the sources without running them. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../places.ts';
import { findFileProblems } from './file-rules.ts';
import { findLayerProblems } from './layers.ts';
import { findBrokenPromises, readPromisingFiles } from './promises.ts';
import { readSourceFiles } from './source-files.ts';

export interface CheckResult {
  name: string;
  ok: boolean;
  /** What is wrong, when something is. */
  output: string;
  durationMs: number;
}

/** Runs all checks beside each other and hands over each result as it comes. Never throws: a check that cannot run has failed. */
export async function runChecks(onResult: (result: CheckResult) => void): Promise<CheckResult[]> {
  const command = (program: string, ...programArguments: string[]) =>
    run(join(projectRoot, 'node_modules/.bin', program), programArguments);
  let sources: ReturnType<typeof readSourceFiles> | null = null;
  const rules = async (find: typeof findLayerProblems) => {
    sources ??= readSourceFiles(projectRoot);
    return find(sources).join('\n');
  };
  const checks: Record<string, () => Promise<string>> = {
    types: () => command('tsc', '-b'),
    'format and lint': () => command('biome', 'ci', '--colors=off', '--diagnostic-level=warn', '--error-on-warnings'),
    'unused code': () => command('knip', '--no-progress', '--no-config-hints'),
    'import rules': () => rules(findLayerProblems),
    'file rules': () => rules(findFileProblems),
    promises: async () => findBrokenPromises(readPromisingFiles(projectRoot)).join('\n'),
  };
  return Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const began = performance.now();
      const output = await check().catch((error: unknown) => String(error));
      const result = { name, ok: output === '', output, durationMs: performance.now() - began };
      onResult(result);
      return result;
    }),
  );
}

/** What the program wrote if it failed, else nothing. */
function run(program: string, programArguments: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, programArguments, {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? '' : output.trim() || `It ended with ${code} and said nothing.`));
  });
}

export function describeCheck({ name, ok, output, durationMs }: CheckResult): string {
  const outcome = `${ok ? 'passed' : 'FAILED'}  ${name} (${(durationMs / 1000).toFixed(1)} s)`;
  return ok ? outcome : `${outcome}\n${output.replace(/^/gm, '        ')}`;
}

if (import.meta.main) {
  const results = await runChecks((result) => console.log(describeCheck(result)));
  process.exitCode = results.every((result) => result.ok) ? 0 : 1;
}
