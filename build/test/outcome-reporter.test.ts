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

test('values that are too long for the message are shown around their first difference', () => {
  const [string, list, short] = outcomeOf(`
    const line = 'x'.repeat(300);
    test('string', () => { expect(line + 'aab' + line).toBe(line + 'ab' + line); });
    test('list', () => { expect([...line, 'seven']).toEqual([...line, 'eight']); });
    test('short', () => { expect('aab').toBe('ab'); });
  `).failed;
  const before = 'x'.repeat(40);
  expect(string).toContain(
    `; from character 301 on: …"${before.slice(1)}aab${'x'.repeat(38)}"… of 603 characters, expected …"${before.slice(1)}ab${'x'.repeat(39)}"… of 602`,
  );
  expect(list).toMatch(/; from character \d+ on: .*seven.* of \d+ characters, expected .*eight/);
  expect(short).toMatch(/: expected 'aab' to be 'ab'[^;]*$/);
});

test('an error of several lines is told in one of bounded length', () => {
  const [command, long] = outcomeOf(`
    import { execFileSync } from 'node:child_process';
    test('command', () => { execFileSync(process.execPath, ['-e', 'console.error("first");console.error("  second");process.exit(3)'], { stdio: 'pipe' }); });
    test('long', () => { throw new Error('y\\n'.repeat(1000)); });
  `).failed;
  expect(command).toMatch(/: command: Command failed: .* \| first \| second$/);
  expect(long).toMatch(/: long: y \| y/);
  expect(long?.length).toBeLessThan(450);
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
