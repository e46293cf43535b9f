import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// V8 covers functions that come from a cache less exactly.
const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
const fuzz = (...more: string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, '../fuzz/run.ts'), '--discard', ...more], {
    encoding: 'utf8',
    timeout: 700_000,
    env,
  });

test('a minute of hostile input to each parser and decoder of SPICE ends in nothing but SpiceErrors', { timeout: 720_000 }, () => {
  const { status, stdout, stderr } = fuzz('--seconds', '60');
  expect(stderr).toBe('');
  expect(status, stdout).toBe(0);
});

test('the fuzzer finds a fault that only coverage leads to', { timeout: 720_000 }, () => {
  // It ends when it has found it: seconds where a core is free.
  const { status, stderr } = fuzz('--seconds', '600', '--seed', '1', 'planted-fault');
  expect(stderr).toContain('RangeError: The planted fault was found.');
  expect(status).toBe(1);
});
