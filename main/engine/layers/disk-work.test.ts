import { expect, test } from 'vitest';
import type { GuestId } from '../../../contract/ids.ts';
import { createDiskWork } from './disk-work.ts';

const [mine, other] = ['g000000001', 'g000000002'] as [GuestId, GuestId];
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

test('work on one guest gives way to that guest alone, and work on many to every guest', async () => {
  const work = createDiskWork();
  const { signal } = new AbortController();
  const own = work.during(mine, signal, untilAborted);
  const shared = work.during(null, signal, untilAborted);
  await work.giveWay(other);
  expect(await shared).toBe('gave way');
  expect(await Promise.race([own, Promise.resolve('goes on')])).toBe('goes on');
  await work.giveWay(mine);
  expect(await own).toBe('gave way');
});

test('giving way waits until the work has really ended', async () => {
  const work = createDiskWork();
  const steps: string[] = [];
  const done = work.during(mine, new AbortController().signal, async (signal) => {
    await untilAborted(signal).catch(() => undefined);
    await new Promise((next) => setTimeout(next, 20));
    steps.push('tidied up after itself');
    signal.throwIfAborted();
  });
  await work.giveWay(mine);
  steps.push('the guest has its disks');
  expect(steps).toEqual(['tidied up after itself', 'the guest has its disks']);
  expect(await done).toBe('gave way');
});

test('work that is cancelled or fails says so, and what ended is in nobody’s way', async () => {
  const work = createDiskWork();
  const abort = new AbortController();
  const cancelled = work.during(mine, abort.signal, untilAborted);
  abort.abort(new Error('Cancelled.'));
  await expect(cancelled).rejects.toThrow('Cancelled.');
  await expect(work.during(mine, new AbortController().signal, async () => Promise.reject(new Error('Full.')))).rejects.toThrow('Full.');
  expect(await work.during(mine, new AbortController().signal, async () => undefined)).toBe('done');
  await work.giveWay(mine);
});
