import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { projectRoot } from '../places.ts';
import { type Outcome, readOutcome } from './outcome-reporter.ts';

/** Inside the project, since the fixture's imports are looked up from there; `out/` is nobody's source. */
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(projectRoot, 'node_modules/.outcome-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs vitest itself on one file with this text, with these words after it. */
function outcomeOf(text: string, ...words: string[]): Outcome {
  const report = join(directory, 'outcome.json');
  rmSync(report, { force: true });
  writeFileSync(join(directory, 'one.spec.ts'), `import { expect, test, beforeAll, describe } from 'vitest';\n${text}`);
  const reporter = JSON.stringify(join(import.meta.dirname, 'outcome-reporter.ts'));
  writeFileSync(
    join(directory, 'vitest.config.ts'),
    `import { OutcomeReporter } from ${reporter};\nexport default { test: { include: ['*.spec.ts'], reporters: [new OutcomeReporter(${JSON.stringify(report)})] } };`,
  );
  const { status } = spawnSync(
    process.execPath,
    [join(projectRoot, 'node_modules/vitest/vitest.mjs'), 'run', '--root', directory, ...words],
    {
      encoding: 'utf8',
    },
  );
  return readOutcome(report, status);
}

test('passed, failed and skipped tests are told apart, skipped ones with their reason', () => {
  const outcome = outcomeOf(`
    test('adds', () => { expect(1 + 1).toBe(2); });
    test('subtracts', () => { expect(2 - 1).toBe(2); });
    test('needs a display', (context) => { context.skip('there is no display'); });
  `);
  expect(outcome.passed).toBe(1);
  expect(outcome.failed).toEqual([expect.stringMatching(/one\.spec\.ts: subtracts: .*expected 1 to be 2/)]);
  expect(outcome.skipped).toEqual([expect.stringContaining('needs a display: there is no display')]);
});

test('a test that is skipped without a reason has failed, unless only others were asked for', () => {
  const text = "test.skip('subtracts', () => {}); test('adds', () => { expect(1 + 1).toBe(2); });";
  expect(outcomeOf(text)).toMatchObject({
    passed: 1,
    failed: [expect.stringContaining('subtracts: skipped without a reason')],
    skipped: [],
  });
  expect(outcomeOf(text, '-t', 'adds')).toMatchObject({ passed: 1, failed: [], skipped: [] });
});

test('a file that cannot be loaded, a hook that fails and an error outside tests count as failures', () => {
  expect(outcomeOf("throw new Error('broken file');").failed).toEqual([expect.stringContaining('broken file')]);
  expect(
    outcomeOf("describe('x', () => { beforeAll(() => { throw new Error('broken hook'); }); test('y', () => {}); });").failed,
  ).toContainEqual(expect.stringContaining('broken hook'));
  const late = outcomeOf(
    "test('y', async () => { setTimeout(() => { throw new Error('too late'); }); await new Promise((done) => setTimeout(done, 50)); });",
  );
  expect(late.failed).toContainEqual(expect.stringContaining('too late'));
});

test('a suite that crashed or holds no test has failed', () => {
  expect(readOutcome(join(directory, 'missing.json'), 139).failed).toEqual(['the suite did not get to its end (exit status 139)']);
  const empty = join(directory, 'empty.json');
  writeFileSync(empty, JSON.stringify({ passed: 0, failed: [], skipped: [] }));
  expect(readOutcome(empty, 0).failed).toEqual(['the suite holds no test']);
});
