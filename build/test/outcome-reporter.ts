/** Writes what a vitest run came to in the form that `./test` adds up, with the reason of every skipped test. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { Reporter, TestModule, Vitest } from 'vitest/node';
import { projectRoot } from '../places.ts';

export interface Outcome {
  passed: number;
  /** What failed, as `file: name: the first line of why`. */
  failed: string[];
  /** What was skipped, as `file: name: reason`. A skip without a reason has failed. */
  skipped: string[];
}

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

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly { message: string }[]): void {
    const outcome: Outcome = { passed: 0, failed: unhandledErrors.map(({ message }) => `outside any test: ${message}`), skipped: [] };
    for (const module of modules) addModule(outcome, module, this.#isNarrowed);
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(outcome));
  }
}

function addModule(outcome: Outcome, module: TestModule, isNarrowed: boolean): void {
  const file = relative(projectRoot, module.moduleId);
  const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
  outcome.failed.push(...errors.map(({ message }) => `${file}: ${message.split('\n')[0]}`));
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === 'passed') outcome.passed += 1;
    else if (result.state === 'skipped') addSkipped(outcome, `${file}: ${test.fullName}`, result.note, isNarrowed);
    else outcome.failed.push(`${file}: ${test.fullName}: ${result.errors?.[0]?.message.split('\n')[0] ?? 'no reason given'}`);
  }
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
