import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { exclusively } from './exclusive.ts';

const directory = mkdtempSync(join(tmpdir(), 'gh-lock-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A process that takes the lock as often as it is told to, and each time writes down that it is in and, `heldMs` later, that it is out. */
function holder(lockFile: string, times: number, heldMs: number): ChildProcess {
  const text = `
    import { appendFileSync } from 'node:fs';
    import { setTimeout as delay } from 'node:timers/promises';
    import { exclusively } from ${JSON.stringify(join(import.meta.dirname, 'exclusive.ts'))};
    for (let round = 0; round < ${times}; round++)
      await exclusively(${JSON.stringify(lockFile)}, async () => {
        appendFileSync(${JSON.stringify(`${lockFile}.log`)}, \`in \${process.pid}\\n\`);
        await delay(${heldMs});
        appendFileSync(${JSON.stringify(`${lockFile}.log`)}, \`out \${process.pid}\\n\`);
      });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', text], { stdio: ['ignore', 'inherit', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}
/** What the holders of a lock wrote down so far, line by line. */
const written = (lockFile: string) => (existsSync(`${lockFile}.log`) ? readFileSync(`${lockFile}.log`, 'utf8').trim().split('\n') : []);

test('two that want the same lock run one after the other', async () => {
  const lockFile = join(directory, 'both');
  const happened: string[] = [];
  const run = (name: string) =>
    exclusively(lockFile, async () => {
      happened.push(`${name} began`);
      await delay(50);
      happened.push(`${name} ended`);
    });
  await Promise.all([run('one'), run('two')]);
  expect(happened).toEqual(['one began', 'one ended', 'two began', 'two ended']);
});

test('a lock is given back when the work fails', async () => {
  const lockFile = join(directory, 'failing');
  await expect(exclusively(lockFile, () => Promise.reject(new Error('no room')))).rejects.toThrow('no room');
  await expect(exclusively(lockFile, async () => 'second')).resolves.toBe('second');
});

test('of many processes that want the same lock one has it at a time, also where its holders are killed', async () => {
  const lockFile = join(directory, 'many');
  const children = Array.from({ length: 10 }, () => holder(lockFile, 3, 10));
  const ends = children.map((child) => once(child, 'exit'));
  const killed = new Set<number>();
  // Whoever is found in it, four times: the others all wait for what a dead one leaves, and see it at about the same instant.
  while (killed.size < 4) {
    const [word, pid] = written(lockFile).at(-1)?.split(' ') ?? [];
    const found = word === 'in' ? children.find((child) => child.pid === Number(pid) && !killed.has(Number(pid))) : undefined;
    if (found?.kill('SIGKILL')) killed.add(Number(pid));
    if (children.every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)) break;
    await delay(1);
  }
  await Promise.all(ends);
  let inside: string | null = null;
  for (const line of written(lockFile)) {
    const [word, pid = ''] = line.split(' ');
    if (word === 'out') expect(inside).toBe(pid);
    else if (inside !== null) expect([line, killed.has(Number(inside))]).toEqual([line, true]);
    inside = word === 'in' ? pid : null;
  }
  // A process that was killed between its last word and its end was not inside any more; the others had it three times each.
  const finished = children.filter(({ exitCode }) => exitCode === 0);
  expect(finished.length).toBeGreaterThanOrEqual(6);
  for (const { pid } of finished) expect(written(lockFile).filter((line) => line === `out ${pid}`)).toHaveLength(3);
}, 60_000);

test('the lock of a process that is dead is free at once', async () => {
  const lockFile = join(directory, 'dead');
  const child = holder(lockFile, 1, 60_000);
  while (written(lockFile).length === 0) await delay(5);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect(exclusively(lockFile, async () => 'done', { deadlineMs: -1 })).resolves.toBe('done');
});

test('whoever waits too long is told which process holds the lock', async () => {
  const lockFile = join(directory, 'held');
  const child = holder(lockFile, 1, 60_000);
  while (written(lockFile).length === 0) await delay(5);
  const waitedFor: number[] = [];
  const waiting = exclusively(lockFile, async () => 'never', { onWait: (pid) => waitedFor.push(pid), deadlineMs: -1 });
  await expect(waiting).rejects.toThrow(`Process ${child.pid} has held ${lockFile}`);
  expect(waitedFor).toEqual([child.pid]);
});
