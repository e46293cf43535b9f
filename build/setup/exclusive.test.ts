import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { exclusively } from './exclusive.ts';

const directory = mkdtempSync(join(tmpdir(), 'gh-lock-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

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

test('the lock of a process that is dead is taken over', async () => {
  const lockFile = join(directory, 'dead');
  // Above the largest process id that Linux can be configured to give.
  writeFileSync(lockFile, '4194305');
  await expect(exclusively(lockFile, async () => 'done')).resolves.toBe('done');
});

test('whoever waits too long is told which process holds the lock', async () => {
  const lockFile = join(directory, 'held');
  writeFileSync(lockFile, String(process.pid));
  const waitedFor: number[] = [];
  const waiting = exclusively(lockFile, async () => 'never', { onWait: (pid) => waitedFor.push(pid), deadlineMs: -1 });
  await expect(waiting).rejects.toThrow(`Process ${process.pid} has held ${lockFile}`);
  expect(waitedFor).toEqual([process.pid]);
});
