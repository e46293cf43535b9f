import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { commandLine, identify, isAlive, parseStat, residentBytes, signalProcess } from './process-table.ts';

test('a name with parentheses and spaces does not confuse the fields', () => {
  const tail = Array.from({ length: 50 }, (_, index) => index + 3).join(' ');
  expect(parseStat(`12 (a) b) (c) S ${tail.slice(2)}`)).toMatchObject({ state: 'S' });
  const fields = `4 (x) R ${Array.from({ length: 49 }, (_, index) => index + 4).join(' ')}`;
  expect(parseStat(fields)).toEqual({ state: 'R', startTicks: 22, cpuTicks: 14 + 15 });
  expect(parseStat('')).toBe(null);
});

test('a pid that was given to another process is not ours', async () => {
  const child = spawn('sleep', ['30']);
  await once(child, 'spawn');
  const id = identify(child.pid as number);
  expect(id).not.toBe(null);
  if (!id) return;
  expect(isAlive(id)).toBe(true);
  expect(isAlive({ ...id, startTicks: id.startTicks + 1 })).toBe(false);
  signalProcess({ ...id, startTicks: id.startTicks + 1 }, 'SIGKILL');
  expect(isAlive(id)).toBe(true);
  signalProcess(id, 'SIGKILL');
  await once(child, 'exit');
  expect(isAlive(id)).toBe(false);
});

test('a command line keeps empty arguments and a process that is gone has none', () => {
  expect(commandLine(process.pid).length).toBeGreaterThan(0);
  expect(commandLine(2 ** 30)).toEqual([]);
  expect(residentBytes(process.pid)).toBeGreaterThan(1024 * 1024);
  expect(residentBytes(2 ** 30)).toBe(null);
});
