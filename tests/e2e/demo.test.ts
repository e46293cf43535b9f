import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { appCommand, runProgram } from '../support/app.ts';
import { until } from '../support/until.ts';

test('the demo boots the starter guest, types into its console, and finds every pixel equal', async () => {
  const out = mkdtempSync('/tmp/gh-out-');
  onTestFinished(() => rmSync(out, { recursive: true, force: true }));
  const { executable, words, environment } = await appCommand('', ['--demo', `--out=${out}`]);
  const { GUESTHOUSE_HOME: _none, ...withoutHome } = environment;
  const homesBefore = new Set(readdirSync('/tmp').filter((name) => name.startsWith('gh-demo-')));
  const { status, output } = await runProgram(executable, words, withoutHome, 220_000);
  expect({ status, output }).toMatchObject({ status: 0, output: expect.stringContaining('pixel by pixel') });
  for (const row of [
    'engine ready',
    'window ready',
    'guest started',
    'banner',
    'first frame',
    'key to answer',
    'equal pixels',
    'guest shut down',
    'total',
  ])
    expect(output).toContain(row);
  for (const name of ['window.png', 'console.png']) expect(readFileSync(join(out, name)).subarray(1, 4).toString()).toBe('PNG');
  const left = () => readdirSync('/tmp').filter((name) => name.startsWith('gh-demo-') && !homesBefore.has(name));
  await until('the data folder is gone', () => left().length === 0);
});
