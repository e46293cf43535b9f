import { expect, test } from 'vitest';
import { type Counters, sampleBetween } from './measure.ts';

const counters = (more: Partial<Counters> = {}): Counters => ({
  atMs: 1000,
  cpuTicks: 100,
  memoryBytes: 5,
  readBytes: 1000,
  writtenBytes: 2000,
  receivedBytes: null,
  sentBytes: null,
  ...more,
});

test('rates are per second over the time between two looks', () => {
  const later = counters({ atMs: 3000, cpuTicks: 200, readBytes: 3000, writtenBytes: 2000, receivedBytes: 10, sentBytes: 10 });
  expect(sampleBetween(counters({ receivedBytes: 4 }), later, 'now')).toEqual({
    at: 'now',
    cpuCores: 0.5,
    memoryBytes: 5,
    diskReadBytesPerSecond: 1000,
    diskWriteBytesPerSecond: 0,
    netReceiveBytesPerSecond: 3,
    netSendBytesPerSecond: null,
  });
});

test('counters that go backwards, as a hostile guest may make them, give no negative rate', () => {
  const sample = sampleBetween(
    counters({ receivedBytes: 1e15, sentBytes: 5 }),
    counters({ atMs: 1000, receivedBytes: 0, sentBytes: 5 }),
    'now',
  );
  expect(sample.netReceiveBytesPerSecond).toBe(0);
  expect(Number.isFinite(sample.cpuCores)).toBe(true);
});
