import { expect, test } from 'vitest';
import type { Sample } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { freshDatabase } from '../../../tests/support/fresh-database.ts';
import type { SampleOf } from '../feed/changes-hub.ts';
import { silentLog } from '../log/log.ts';
import { createSampler } from './sampler.ts';
import { createSampleStore } from './store.ts';

const seen = 'g00000000a' as GuestId;
const unseen = 'g00000000b' as GuestId;
const start = Date.parse('2026-11-23T08:00:00Z');

async function freshSampler() {
  const time = { nowMs: start };
  const watched = new Set([seen]);
  const told: (readonly SampleOf[])[] = [];
  const measured: GuestId[] = [];
  const store = createSampleStore(await freshDatabase());
  const sampler = createSampler({
    store,
    running: () => [seen, unseen],
    measure: async (id): Promise<Sample> => {
      measured.push(id);
      return {
        at: new Date(time.nowMs).toISOString(),
        cpuCores: ((time.nowMs - start) / 1000) % 60,
        memoryBytes: 1000,
        diskReadBytesPerSecond: 1,
        diskWriteBytesPerSecond: 2,
        netReceiveBytesPerSecond: null,
        netSendBytesPerSecond: 3,
      };
    },
    watched: () => watched,
    tell: (samples) => told.push(samples),
    clock: { nowMs: () => time.nowMs },
    log: silentLog,
  });
  const run = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await sampler.tick();
      time.nowMs += 1000;
    }
  };
  const since = (secondsAgo: number) => new Date(time.nowMs - secondsAgo * 1000).toISOString();
  return { time, watched, told, measured, store, sampler, run, since };
}

test('a guest that is looked at is measured every second and told, another once a minute and stored only', async () => {
  const { measured, told, run } = await freshSampler();
  await run(120);
  expect(measured.filter((id) => id === seen)).toHaveLength(120);
  expect(measured.filter((id) => id === unseen)).toHaveLength(2);
  expect(told).toHaveLength(120);
  expect(told.flat().every((one) => one.guestId === seen)).toBe(true);
});

test('seconds become minutes and minutes become quarters of an hour, as averages', async () => {
  const { store, run } = await freshSampler();
  await run(901);
  expect(store.list(seen, 60, start / 1000).map((sample) => sample.cpuCores)).toEqual(Array(15).fill(29.5));
  expect(store.list(seen, 900, start / 1000)[0]).toEqual({
    at: '2026-11-23T08:00:00.000Z',
    cpuCores: 29.5,
    memoryBytes: 1000,
    diskReadBytesPerSecond: 1,
    diskWriteBytesPerSecond: 2,
    netReceiveBytesPerSecond: null,
    netSendBytesPerSecond: 3,
  });
});

test('seconds are kept ten minutes, minutes a day, quarters a month, also of a guest that is gone', async () => {
  const { store, run, time, watched } = await freshSampler();
  await run(1200);
  const seconds = store.list(seen, 1, 0);
  expect(seconds.length).toBeGreaterThan(590);
  expect(seconds.length).toBeLessThan(700);
  watched.clear();
  time.nowMs += 2 * 86_400_000;
  await run(61);
  expect(store.list(seen, 1, 0)).toEqual([]);
  expect(store.list(seen, 60, 0).every((sample) => Date.parse(sample.at) > start + 86_400_000)).toBe(true);
  expect(store.list(seen, 900, 0).length).toBeGreaterThan(1);
  store.insert([{ guestId: 'g00000000c' as GuestId, interval: 900, sample: { ...(store.list(seen, 900, 0)[0] as Sample) } }]);
  time.nowMs += 31 * 86_400_000;
  await run(1);
  expect(store.list('g00000000c' as GuestId, 900, 0)).toEqual([]);
});

test('the finest interval that covers the time is given, with what was measured a moment ago', async () => {
  const { sampler, run, since } = await freshSampler();
  await run(1800);
  expect(sampler.list(seen, since(60))).toMatchObject({ intervalSeconds: 1 });
  expect(sampler.list(seen, since(60)).samples).toHaveLength(60);
  expect(sampler.list(seen, since(1700)).intervalSeconds).toBe(60);
  expect(sampler.list(seen, since(20 * 86_400)).intervalSeconds).toBe(900);
  expect(sampler.list(unseen, since(590))).toMatchObject({ intervalSeconds: 60, samples: { length: 10 } });
  expect(sampler.list('g00000000z' as GuestId, since(60))).toEqual({ intervalSeconds: 1, samples: [] });
});

test('a guest whose measurement takes longer than a second is not measured twice at once', async () => {
  const store = createSampleStore(await freshDatabase());
  let inFlight = 0;
  let most = 0;
  const { promise, resolve } = Promise.withResolvers<null>();
  const sampler = createSampler({
    store,
    running: () => [seen],
    measure: async () => {
      most = Math.max(most, ++inFlight);
      await promise;
      inFlight--;
      return null;
    },
    watched: () => new Set([seen]),
    tell: () => undefined,
    clock: { nowMs: () => start },
    log: silentLog,
  });
  const ticks = [sampler.tick(), sampler.tick(), sampler.tick()];
  resolve(null);
  await Promise.all(ticks);
  expect(most).toBe(1);
});
