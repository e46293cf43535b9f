/** Writes what a vitest run came to in the form that `./test` adds up, with the reason of every skipped test. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { projectRoot } from '../places.ts';

export interface Outcome {
  passed: number;
  /** What failed, as `file: name: why`, each in one line. */
  failed: string[];
  /** What was skipped, as `file: name: reason`. A skip without a reason has failed. */
  skipped: string[];
}

/** An error as vitest hands it on: what is no string in `actual` and `expected` it has written out already. */
interface TestError {
  message: string;
  actual?: unknown;
  expected?: unknown;
}

/** So much of an error's lines, and so much of a value on either side of the first difference. */
const longestMessage = 400;
const besideDifference = 40;

/** To be put among the reporters of vitest.config.ts; writes `file` at the end of the run. */
export class OutcomeReporter implements Reporter {
  readonly #file: string;
  /** Whether only tests of a certain name were asked for: the others are skipped, and that is reason enough. */
  #isNarrowed = false;

  constructor(file: string) {
    this.#file = file;
  }

  onInit(vitest: Vitest): void {
    this.#isNarrowed = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly TestError[]): void {
    const outcome: Outcome = { passed: 0, failed: unhandledErrors.map((error) => `outside any test: ${whyOf(error)}`), skipped: [] };
    for (const module of modules) addModule(outcome, module, this.#isNarrowed);
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(outcome));
  }
}

function addModule(outcome: Outcome, module: TestModule, isNarrowed: boolean): void {
  const file = relative(projectRoot, module.moduleId);
  const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
  outcome.failed.push(...errors.map((error) => `${file}: ${whyOf(error)}`));
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === 'passed') outcome.passed += 1;
    else if (result.state === 'skipped') addSkipped(outcome, `${file}: ${test.fullName}`, result.note, isNarrowed);
    else outcome.failed.push(`${file}: ${test.fullName}: ${result.errors?.[0] ? whyOf(result.errors[0]) : 'no reason given'}`);
  }
}

/** The lines of an error's message in one, and where two values first differ that the message does not hold whole. */
function whyOf({ message, actual, expected }: TestError): string {
  const lines = stripVTControlCharacters(message).split('\n');
  const joined = lines
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' | ');
  const why = joined.length > longestMessage ? `${joined.slice(0, longestMessage)}…` : joined;
  if (typeof actual !== 'string' || typeof expected !== 'string' || actual === expected) return why;
  if (why.includes(actual) && why.includes(expected)) return why;
  let at = 0;
  while (actual[at] === expected[at]) at++;
  return `${why}; from character ${at} on: ${around(actual, at)}, expected ${around(expected, at)}`;
}

/** What stands in a value around a place, in quotes, and how long the value is. */
function around(value: string, at: number): string {
  const from = Math.max(0, at - besideDifference);
  const to = at + besideDifference;
  const cut = JSON.stringify(value.slice(from, to));
  return `${from > 0 ? '…' : ''}${cut}${to < value.length ? '…' : ''} of ${value.length} characters`;
}

function addSkipped(outcome: Outcome, name: string, reason: string | undefined, isNarrowed: boolean): void {
  if (reason !== undefined) outcome.skipped.push(`${name}: ${reason}`);
  else if (!isNarrowed) outcome.failed.push(`${name}: skipped without a reason`);
}

/** Reads what a finished run wrote. A run that wrote nothing has failed: it crashed, or found no test. */
export function readOutcome(file: string, exitCode: number | null): Outcome {
  let outcome: Outcome;
  try {
    outcome = JSON.parse(readFileSync(file, 'utf8')) as Outcome;
  } catch {
    return { passed: 0, failed: [`the suite did not get to its end (exit status ${exitCode})`], skipped: [] };
  }
  if (outcome.passed + outcome.failed.length + outcome.skipped.length === 0) outcome.failed.push('the suite holds no test');
  if (exitCode !== 0 && outcome.failed.length === 0) outcome.failed.push(`the suite ended with exit status ${exitCode}`);
  return outcome;
}
