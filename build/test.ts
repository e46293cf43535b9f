/** `./test`, from the point where Node and the packages are there: every check, in an order that suits two cores. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeCheck, runChecks } from './checks/run.ts';
import { projectRoot } from './places.ts';
import { prepare } from './setup/prepare.ts';
import { windowsAtOnce } from './test/displays.ts';
import { findLeftProcesses, runMarker } from './test/left-running.ts';
import { shares } from './test/longest-first.ts';
import { type Outcome, readOutcome } from './test/outcome-reporter.ts';
import { preparedEnvironment } from './test/prepared.ts';

type Suite = 'unit' | 'integration' | 'e2e';
const parts = ['checks', 'unit', 'integration', 'e2e'] as const;
type Part = (typeof parts)[number];

/** What Node compiled, for the hundreds of processes that load the same modules: vitest's workers, engines, commands. */
const compiledCode = join(projectRoot, 'out/test/compiled');

/** A suite that takes longer than this hangs. */
const suiteTimeoutMs: Record<Suite, number> = { unit: 10 * 60_000, integration: 45 * 60_000, e2e: 45 * 60_000 };

const run = randomUUID();
const sum: Outcome = { passed: 0, failed: [], skipped: [] };

function add(part: string, outcome: Outcome): void {
  sum.passed += outcome.passed;
  sum.failed.push(...outcome.failed.map((name) => `${part}: ${name}`));
  sum.skipped.push(...outcome.skipped.map((name) => `${part}: ${name}`));
}

const seconds = (sinceMs: number) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

async function checks(): Promise<void> {
  const results = await runChecks((result) => console.log(`[checks] ${describeCheck(result)}`));
  const failed = results.filter((result) => !result.ok).map((result) => result.name);
  add('checks', { passed: results.length - failed.length, failed, skipped: [] });
}

/**
 * `shows`: vitest's own words go to the terminal as they come, or, beside other parts, at the end and only if something failed. `share` says
 * which files, where it is not all of the suite's.
 */
async function suite(
  name: Suite,
  shows: 'live' | 'failures',
  vitestArguments: string[],
  share: keyof typeof shares | null = null,
): Promise<void> {
  const began = performance.now();
  const report = join(projectRoot, `out/test/${name}${share === null ? '' : `-${share}`}.json`);
  rmSync(report, { force: true });
  const shard = share === null ? [] : ['--shard', shares[share]];
  const environment = share === 'late' ? { GUESTHOUSE_TEST_WORKERS: String(windowsAtOnce) } : {};
  const { exitCode, output } = await runVitest(name, report, shows, [...shard, ...vitestArguments], environment);
  const outcome = readOutcome(report, exitCode);
  add(name, outcome);
  if (outcome.failed.length > 0) process.stdout.write(output);
  console.log(
    `[${name}${share === null ? '' : `, ${share}`}] ${outcome.failed.length === 0 ? 'passed' : 'FAILED'}: ${outcome.passed} passed, ${outcome.failed.length} failed, ${outcome.skipped.length} skipped (${seconds(began)})`,
  );
}

function runVitest(
  name: Suite,
  report: string,
  shows: 'live' | 'failures',
  vitestArguments: string[],
  environment: Record<string, string>,
): Promise<{ exitCode: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [vitest, 'run', '--project', name, ...vitestArguments], {
      cwd: projectRoot,
      env: {
        ...process.env,
        ...environment,
        ...preparedEnvironment,
        [runMarker]: run,
        NODE_COMPILE_CACHE: compiledCode,
        GUESTHOUSE_TEST_REPORT: report,
      },
      stdio: shows === 'live' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    const timer = setTimeout(() => {
      console.log(`[${name}] has run for ${suiteTimeoutMs[name] / 60_000} minutes and is stopped`);
      child.kill('SIGKILL');
    }, suiteTimeoutMs[name]);
    child.on('error', reject);
    child.on('close', (exitCode) => {
      clearTimeout(timer);
      resolve({ exitCode, output });
    });
  });
}

/** Whatever still runs is a test that failed to clean up, and is ended here so that it does no harm to the next run. */
function nothingLeftRunning(): void {
  const left = findLeftProcesses(run);
  for (const { pid, command } of left) {
    console.log(`[clean-up] FAILED: process ${pid} was left running: ${command}`);
    process.kill(pid, 'SIGKILL');
  }
  add(
    'clean-up',
    left.length === 0 ? { passed: 1, failed: [], skipped: [] } : { passed: 0, failed: ['tests left processes running'], skipped: [] },
  );
}

async function test(): Promise<void> {
  const given = process.argv.slice(2);
  if (given.includes('--help') || given.includes('-h')) {
    process.stdout.write(readFileSync(join(import.meta.dirname, 'test/usage.txt'), 'utf8'));
    return;
  }
  const separator = given.indexOf('--');
  const named = separator < 0 ? given : given.slice(0, separator);
  const vitestArguments = separator < 0 ? [] : given.slice(separator + 1);
  const unknown = named.filter((name) => !parts.includes(name as Part));
  if (unknown.length > 0) throw new Error(`There is no part called ${unknown.join(', ')}. See ./test --help.`);
  const has = (part: Part) => named.length === 0 || named.includes(part);

  const began = performance.now();
  const needsApp = has('integration') || has('e2e');
  const preparation = needsApp ? prepare((stage, line) => console.log(`[${stage}] ${line}`)) : Promise.resolve();
  const [obstacle] = await Promise.all([
    preparation.then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    ),
    has('checks') ? checks() : undefined,
    has('unit') ? suite('unit', named.length === 1 ? 'live' : 'failures', vitestArguments) : undefined,
  ]);
  if (obstacle !== null) {
    console.log(`[set-up] FAILED: ${obstacle}`);
    add('set-up', { passed: 0, failed: [obstacle], skipped: [] });
  }
  // Beside each other: most of what either does is to wait, for a guest that boots, a window that draws, or a disk.
  if (obstacle === null) {
    const inShares = has('integration') && has('e2e') && vitestArguments.length === 0;
    await Promise.all([
      has('integration') ? suite('integration', 'live', vitestArguments, inShares ? 'early' : null) : undefined,
      has('e2e')
        ? suite('e2e', 'live', vitestArguments).then(() => (inShares ? suite('integration', 'live', [], 'late') : undefined))
        : undefined,
    ]);
  }
  nothingLeftRunning();

  for (const name of sum.skipped) console.log(`skipped  ${name}`);
  for (const name of sum.failed) console.log(`FAILED   ${name}`);
  console.log(`took ${seconds(began)}`);
  console.log(`${sum.passed} passed, ${sum.failed.length} failed, ${sum.skipped.length} skipped`);
  process.exitCode = sum.failed.length === 0 ? 0 : 1;
}

try {
  await test();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
