/** Writes what a vitest run came to in the form that `./test` adds up, with the reason of every skipped test. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { projectRoot } from '../places.ts';

export interface Outcome {
  passed: number;
  /** What failed, as `file: name: the first line of why`. */
  failed: string[];
  /** What was skipped, as `file: name: reason`. */
  skipped: string[];
}

/** To be put among the reporters of vitest.config.ts; writes `file` at the end of the run. */
export class OutcomeReporter implements Reporter {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly { message: string }[]): void {
    const outcome: Outcome = { passed: 0, failed: unhandledErrors.map(({ message }) => `outside any test: ${message}`), skipped: [] };
    for (const module of modules) addModule(outcome, module);
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(this.#file, JSON.stringify(outcome));
  }
}

function addModule(outcome: Outcome, module: TestModule): void {
  const file = relative(projectRoot, module.moduleId);
  const errors = [...module.errors(), ...[...module.children.allSuites()].flatMap((suite) => suite.errors())];
  outcome.failed.push(...errors.map(({ message }) => `${file}: ${message.split('\n')[0]}`));
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state === 'passed') outcome.passed += 1;
    else if (result.state === 'skipped') outcome.skipped.push(`${file}: ${test.fullName}: ${result.note ?? 'no reason given'}`);
    else outcome.failed.push(`${file}: ${test.fullName}: ${result.errors?.[0]?.message.split('\n')[0] ?? 'no reason given'}`);
  }
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
