import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { findLeftProcesses, runMarker } from './left-running.ts';

test('a process that a run left behind is found by what it inherited, also when it is detached', async ({ skip }) => {
  if (process.platform !== 'linux') skip('there is no /proc');
  const run = randomUUID();
  const left = spawn('sleep', ['60'], { env: { ...process.env, [runMarker]: run }, detached: true, stdio: 'ignore' });
  await once(left, 'spawn');
  expect(findLeftProcesses(run)).toEqual([{ pid: left.pid, command: 'sleep 60' }]);
  left.kill('SIGKILL');
  await once(left, 'exit');
  expect(findLeftProcesses(run)).toEqual([]);
});
