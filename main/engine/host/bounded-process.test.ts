import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runTool } from './bounded-process.ts';

const alive = (pid: number) => existsSync(`/proc/${pid}/stat`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

test.skipIf(!existsSync('/usr/bin/setpriv'))('a tool that hangs ends with an engine that is killed', async () => {
  const script = `
    import { runTool } from ${JSON.stringify(join(import.meta.dirname, 'bounded-process.ts'))};
    await runTool('/bin/sh', ['-c', 'echo $$; exec sleep 600'], { timeoutMs: 600_000, limits: {}, onOutput: (text) => { console.log(text); } });`;
  const engine = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(engine.stdout, 'data')) as [Buffer];
  const tool = Number(said.toString());
  expect(alive(tool)).toBe(true);
  engine.kill('SIGKILL');
  for (let tries = 0; alive(tool) && tries < 100; tries += 1) await pause(50);
  expect(alive(tool)).toBe(false);
});

test('a tool past its deadline is killed and says so', async () => {
  const end = await runTool('/bin/sleep', ['600'], { timeoutMs: 100 });
  expect(end).toMatchObject({ timedOut: true, signal: 'SIGKILL', status: null });
});

test('a tool that does not exist is told apart from one that fails', async () => {
  expect((await runTool('/nowhere/tool', [], { timeoutMs: 5000 })).startError?.code).toBe('ENOENT');
  expect(await runTool('/bin/false', [], { timeoutMs: 5000 })).toMatchObject({ status: 1, startError: null });
});
