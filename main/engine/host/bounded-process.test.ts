import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { runTool } from './bounded-process.ts';

const alive = (pid: number) => existsSync(`/proc/${pid}/stat`) && !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // It has ended since.
    return '';
  }
}

test('a tool that hangs ends with an engine that is killed', async ({ skip }) => {
  if (!existsSync('/usr/bin/setpriv')) skip('there is no setpriv');
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

test('a tool does not outlive an engine that is killed while it starts it', async ({ skip }) => {
  if (!existsSync('/usr/bin/setpriv')) skip('there is no setpriv');
  const mark = `600.${process.pid}`;
  // The process of the tool is there, and does nothing before the engine is gone.
  const script = `
    import processes from 'node:child_process';
    import { syncBuiltinESMExports } from 'node:module';
    import { runTool } from ${JSON.stringify(join(import.meta.dirname, 'bounded-process.ts'))};
    const late = 'while test "$PPID" = "$(cut -d" " -f4 /proc/$$/stat)"; do sleep 0.05; done; exec "$@"';
    const { spawn } = processes;
    processes.spawn = (program, words, options) => spawn('/bin/sh', ['-c', late, 'sh', program, ...words], options);
    syncBuiltinESMExports();
    void runTool('/bin/sleep', [${JSON.stringify(mark)}], { timeoutMs: 600_000, limits: {} });
    process.kill(process.pid, 'SIGKILL');`;
  const engine = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'ignore', 'inherit'] });
  expect(await once(engine, 'exit')).toEqual([null, 'SIGKILL']);
  const left = () => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(`\0${mark}\0`));
  onTestFinished(() => {
    for (const pid of left()) process.kill(Number(pid), 'SIGKILL');
  });
  const deadline = Date.now() + 40_000;
  while (left().length > 0 && Date.now() < deadline) await pause(50);
  expect(left()).toEqual([]);
}, 90_000);

test('a tool past its deadline is killed and says so', async () => {
  const end = await runTool('/bin/sleep', ['600'], { timeoutMs: 100 });
  expect(end).toMatchObject({ timedOut: true, signal: 'SIGKILL', status: null });
});

test('a tool that does not exist is told apart from one that fails', async () => {
  expect((await runTool('/nowhere/tool', [], { timeoutMs: 5000 })).startError?.code).toBe('ENOENT');
  expect(await runTool('/bin/false', [], { timeoutMs: 5000 })).toMatchObject({ status: 1, startError: null });
});

const leaves = ['-c', 'sleep 600 & echo $! $$; [ "$1" = stay ] && wait; exit 7', 'sh'];

test('a tool with children ends with all of them: by itself, past its deadline, and when it is stopped', async () => {
  const byItself = await runTool('/bin/sh', [...leaves, 'go'], { timeoutMs: 20_000, withChildren: true });
  expect(byItself).toMatchObject({ status: 7, timedOut: false });
  const past = await runTool('/bin/sh', [...leaves, 'stay'], { timeoutMs: 300, withChildren: true, limits: { cpuSeconds: 60 } });
  expect(past.timedOut).toBe(true);
  const stop = new AbortController();
  const stopped = await runTool('/bin/sh', [...leaves, 'stay'], {
    timeoutMs: 20_000,
    withChildren: true,
    signal: stop.signal,
    onOutput: () => void stop.abort(),
  });
  expect(stopped).toMatchObject({ timedOut: false, signal: 'SIGKILL' });
  for (const { stdout } of [byItself, past, stopped]) {
    const pids = stdout.trim().split(' ').map(Number);
    expect(pids).toHaveLength(2);
    for (let tries = 0; pids.some(alive) && tries < 100; tries += 1) await pause(50);
    expect(pids.map(alive)).toEqual([false, false]);
  }
});

test('a tool with children ends with an engine that is killed', async () => {
  const script = `
    import { runTool } from ${JSON.stringify(join(import.meta.dirname, 'bounded-process.ts'))};
    await runTool('/bin/sh', ${JSON.stringify([...leaves, 'stay'])}, { timeoutMs: 600_000, withChildren: true, onOutput: (text) => { console.log(text); } });`;
  const engine = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(engine.stdout, 'data')) as [Buffer];
  const pids = said.toString().trim().split(' ').map(Number);
  expect(pids.map(alive)).toEqual([true, true]);
  engine.kill('SIGKILL');
  for (let tries = 0; pids.some(alive) && tries < 100; tries += 1) await pause(50);
  expect(pids.map(alive)).toEqual([false, false]);
});
