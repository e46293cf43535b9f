import { expect, test } from 'vitest';
import { MicrophoneSamples, makeSofter } from './microphone-samples.ts';

test('blocks of any length become packets of a hundredth of a second, none lost and none twice', () => {
  const samples = new MicrophoneSamples({ channels: 2, rateHz: 48_000 });
  const heard: number[] = [];
  let next = 0;
  for (const length of [128, 1, 128, 500, 960, 128, 75]) {
    const row = Float32Array.from({ length }, () => next++ / 0x8000);
    for (const packet of samples.push([row, row.map((value) => -value)])) {
      expect(packet).toHaveLength(960);
      heard.push(...packet);
    }
  }
  expect(next).toBe(1920);
  expect(heard).toEqual(Array.from({ length: 1920 }, (_, at) => [at, at === 0 ? 0 : -at]).flat());
});

test('one microphone is heard on both sides, two on one are the first, and what is too loud is cut off', () => {
  const both = new MicrophoneSamples({ channels: 2, rateHz: 100 });
  expect([...(both.push([Float32Array.of(2)])[0] ?? [])]).toEqual([0x7fff, 0x7fff]);
  const one = new MicrophoneSamples({ channels: 1, rateHz: 100 });
  expect([...(one.push([Float32Array.of(-3), Float32Array.of(0.5)])[0] ?? [])]).toEqual([-0x8000]);
  expect(one.push([])).toEqual([]);
});

test('each side is as loud as the guest wants it', () => {
  const samples = Int16Array.of(1000, 1000, -1000, -1000);
  makeSofter(samples, 2, [0.5, 0]);
  expect([...samples].map((sample) => sample + 0)).toEqual([500, 0, -500, 0]);
  makeSofter(samples, 2, [0.5]);
  expect(samples[0]).toBe(250);
});
