import { expect, test } from 'vitest';
import { type ConsoleDetails, noStats } from '../../console/console.ts';
import { between, whySlow } from './why-slow.ts';

const details: ConsoleDetails = {
  channels: ['main', 'display'],
  pictures: [],
  videos: [],
  droppedFrames: 0,
  memoryBytes: 0,
  busy: 0.05,
  agentCapabilities: null,
};
const nothing = { pictures: [], droppedFrames: 0 };
const good = { emulated: false, hidden: false, stats: { ...noStats, framesPerSecond: 30, latencyMs: 2 }, details, recent: nothing };
const raw = { ...nothing, pictures: [{ packing: 'bitmap', count: 10, bytes: 5_000_000 }] };

test('a console without a fault has no reason to be slow', () => {
  expect(whySlow(good)).toEqual([]);
  expect(whySlow({ ...good, stats: { ...good.stats, latencyMs: null }, recent: raw })).toEqual([]);
});

test('each figure that is bad is a reason, the worst first', () => {
  expect(whySlow({ ...good, emulated: true })).toEqual(['emulated']);
  expect(whySlow({ ...good, hidden: true })).toEqual(['hidden']);
  expect(whySlow({ ...good, details: { ...details, busy: 0.8 } })).toEqual(['decoding']);
  expect(whySlow({ ...good, stats: { ...good.stats, latencyMs: 120 } })).toEqual(['latency']);
  expect(whySlow({ ...good, recent: { ...nothing, droppedFrames: 3 } })).toEqual(['dropped']);
  const all = {
    emulated: true,
    hidden: true,
    stats: { ...noStats, bytesInPerSecond: 2e6, latencyMs: 120 },
    details: { ...details, busy: 1 },
    recent: { ...raw, droppedFrames: 1 },
  };
  expect(whySlow(all)).toEqual(['hidden', 'decoding', 'dropped', 'unpacked', 'latency', 'emulated']);
});

test('pictures that are not packed are a reason only over a network, and only when they are many', () => {
  const far = { ...good, stats: { ...noStats, bytesInPerSecond: 2_000_000, latencyMs: 30 }, recent: raw };
  expect(whySlow(far)).toEqual(['unpacked']);
  expect(whySlow({ ...far, stats: { ...far.stats, latencyMs: 3 } })).toEqual([]);
  expect(whySlow({ ...far, stats: { ...far.stats, bytesInPerSecond: 10_000 } })).toEqual([]);
  expect(whySlow({ ...far, recent: { ...raw, pictures: [{ packing: 'quic', count: 10, bytes: 9_000_000 }, ...raw.pictures] } })).toEqual(
    [],
  );
});

test('what came lately is the difference of two looks', () => {
  const quic = { packing: 'quic', count: 1, bytes: 10 };
  const then = { pictures: [{ packing: 'bitmap', count: 4, bytes: 400 }, quic], droppedFrames: 2 };
  const pictures = [{ packing: 'bitmap', count: 6, bytes: 650 }, { packing: 'lzRgb', count: 1, bytes: 5 }, quic];
  expect(between(then, { pictures, droppedFrames: 5 })).toEqual({
    pictures: [
      { packing: 'bitmap', count: 2, bytes: 250 },
      { packing: 'lzRgb', count: 1, bytes: 5 },
    ],
    droppedFrames: 3,
  });
});
