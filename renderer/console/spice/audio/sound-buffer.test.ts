import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxBufferedMs, SoundBuffer } from './sound-buffer.ts';

const quantum = 128;

/** Frames in which a phase, as a fraction of a turn, goes on by `hz`. */
function tone(hz: number, rateHz: number, channels = 1) {
  let phase = 0;
  return (frames: number) => {
    const samples = new Float32Array(frames * channels);
    for (let frame = 0; frame < frames; frame++) {
      samples.fill(Math.sin(2 * Math.PI * phase), frame * channels, (frame + 1) * channels);
      phase = (phase + hz / rateHz) % 1;
    }
    return samples;
  };
}

type Played = { highestMs: number; lowestMs: number; meanMs: number; gaps: number; output: Float32Array; corrections: number[] };

/**
 * A guest that makes packets by its own clock and a sound card that pulls by another, both simulated. `skew`: how much faster the guest is.
 * `lateMs`: by how much each packet comes too late, never out of order.
 */
function play(options: {
  seconds: number;
  rateHz: number;
  outputRateHz?: number;
  skew: number;
  packetMs?: number;
  lateMs?: () => number;
  keep?: number;
}): Played {
  const { seconds, rateHz, outputRateHz = rateHz, skew, packetMs = 10, lateMs = () => 0, keep = 0 } = options;
  const buffer = new SoundBuffer(outputRateHz);
  buffer.start({ channels: 1, rateHz });
  const next = tone(rateHz / 48, rateHz);
  const packetFrames = Math.round((rateHz * packetMs) / 1000);
  const everySeconds = packetFrames / rateHz / (1 + skew);
  const output = new Float32Array(Math.ceil(keep * outputRateHz));
  const block = new Float32Array(quantum);
  let made = 1;
  let arrivesAt = everySeconds;
  const result: Played = { highestMs: 0, lowestMs: Number.POSITIVE_INFINITY, meanMs: 0, gaps: 0, output, corrections: [] };
  const pulls = Math.floor((seconds * outputRateHz) / quantum);
  const settled = Math.floor((20 * outputRateHz) / quantum);
  for (let pull = 0; pull < pulls; pull++) {
    const now = (pull * quantum) / outputRateHz;
    while (arrivesAt <= now) {
      buffer.push(next(packetFrames));
      result.highestMs = Math.max(result.highestMs, buffer.bufferedMs);
      made++;
      arrivesAt = Math.max(arrivesAt, made * everySeconds + lateMs() / 1000);
    }
    buffer.pull([block]);
    const at = pull * quantum;
    if (at + quantum <= output.length) output.set(block, at);
    if (pull >= settled) {
      result.lowestMs = Math.min(result.lowestMs, buffer.bufferedMs);
      result.meanMs += buffer.bufferedMs / (pulls - settled);
    }
    if (pull % 1000 === 0) result.corrections.push(buffer.correction);
  }
  result.gaps = buffer.gaps;
  return result;
}

for (const skew of [200e-6, -200e-6])
  test(`an hour between clocks that differ by ${skew * 1e6} ppm has no gap and no drift`, { timeout: 60_000 }, () => {
    const { gaps, highestMs, lowestMs, meanMs, corrections } = play({ seconds: 3600, rateHz: 8000, skew });
    expect(gaps).toBe(0);
    expect(highestMs).toBeLessThan(40);
    expect(meanMs).toBeLessThan(30);
    expect(lowestMs).toBeGreaterThan(1);
    const later = corrections.slice(corrections.length / 2);
    expect(later.reduce((sum, one) => sum + one, 0) / later.length).toBeCloseTo(skew, 4);
  });

test('however packets are late and whatever the clocks are, what waits stays below its limit, and gaps become rare', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(
      fc.double({ min: -500e-6, max: 500e-6, noNaN: true }),
      fc.integer({ min: 0, max: 25 }),
      fc.constantFrom(5, 10, 20),
      fc.constantFrom(8000, 11_025, 44_100),
      fc.integer(),
      (skew, latest, packetMs, rateHz, seed) => {
        let random = seed >>> 0;
        const lateMs = () => {
          random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
          return (random / 2 ** 32) * latest;
        };
        const { highestMs, gaps } = play({ seconds: 60, rateHz, outputRateHz: 48_000, skew, packetMs, lateMs });
        expect(highestMs).toBeLessThanOrEqual(maxBufferedMs + 0.2);
        expect(gaps).toBeLessThan(8);
      },
    ),
    { numRuns: 12 },
  );
});

test('a tone stays the tone that it was, at another rate and while the clocks differ', () => {
  const rateHz = 44_100;
  const { output } = play({ seconds: 12, rateHz, outputRateHz: 48_000, skew: 200e-6, keep: 12 });
  // One second after it has settled; the tone has a 48th of the guest's rate.
  const heard = output.subarray(48_000 * 10, 48_000 * 11);
  let crossings = 0;
  let power = 0;
  let roughest = 0;
  for (let at = 1; at < heard.length; at++) {
    const one = heard[at - 1] as number;
    const other = heard[at] as number;
    if (one < 0 && other >= 0) crossings++;
    power += other * other;
    roughest = Math.max(roughest, Math.abs(other - one));
  }
  expect(Math.abs(crossings - rateHz / 48)).toBeLessThanOrEqual(2);
  expect(Math.sqrt(power / heard.length)).toBeCloseTo(Math.SQRT1_2, 2);
  // The steepest of this tone is 0.1203 from one sample to the next: nothing clicks.
  expect(roughest).toBeLessThan(0.122);
});

test('a flood is cut down to the newest, silence comes softly, and what is stopped is played to its end', () => {
  const buffer = new SoundBuffer(48_000);
  const block = [new Float32Array(quantum), new Float32Array(quantum)];
  buffer.push(new Float32Array(960).fill(1));
  expect(buffer.bufferedMs).toBe(0);
  buffer.start({ channels: 2, rateHz: 48_000 });
  const next = tone(1000, 48_000, 2);
  for (let packet = 0; packet < 1000; packet++) {
    buffer.push(next(4800));
    expect(buffer.bufferedMs).toBeLessThanOrEqual(maxBufferedMs);
  }
  buffer.push(new Float32Array(960 * 2).fill(0.5));
  buffer.stop();
  let heard = 0;
  for (let pull = 0; pull < 60; pull++) {
    buffer.pull(block);
    heard += (block[0] as Float32Array).some((value) => Math.abs(value) > 0.3) ? 1 : 0;
  }
  expect(heard).toBeGreaterThan(7);
  expect(buffer.silent).toBe(true);
  expect(Math.max(...(block[0] as Float32Array))).toBeLessThan(1e-6);
});

test('each side has its own loudness, and mono is heard on both', () => {
  const buffer = new SoundBuffer(8000);
  buffer.setGains(0.5, 0);
  buffer.start({ channels: 1, rateHz: 8000 });
  const block = [new Float32Array(quantum), new Float32Array(quantum)];
  for (let pull = 0; pull < 60; pull++) {
    buffer.push(new Float32Array(quantum).fill(1));
    buffer.pull(block);
  }
  expect(block[0]?.[100]).toBeCloseTo(0.5, 3);
  expect(block[1]?.[100]).toBeCloseTo(0, 3);
});
