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

type Played = { highestMs: number; lowestMs: number; meanMs: number; gaps: number; output: Float32Array; meanCorrection: number };

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
  const packetFrames = Math.round((rateHz * packetMs) / 1000);
  const silence = new Float32Array(packetFrames);
  const next = keep > 0 ? tone(rateHz / 48, rateHz) : () => silence;
  const everySeconds = packetFrames / rateHz / (1 + skew);
  const output = new Float32Array(Math.ceil(keep * outputRateHz));
  const block = new Float32Array(quantum);
  let made = 1;
  let arrivesAt = everySeconds;
  const result: Played = { highestMs: 0, lowestMs: Number.POSITIVE_INFINITY, meanMs: 0, gaps: 0, output, meanCorrection: 0 };
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
    if (pull >= pulls / 2) result.meanCorrection += buffer.correction / (pulls / 2);
  }
  result.gaps = buffer.gaps;
  return result;
}

for (const skew of [500e-6, -500e-6])
  test(`an hour between clocks that differ by ${skew * 1e6} ppm has no gap and no drift`, { timeout: 60_000 }, () => {
    const { gaps, highestMs, lowestMs, meanMs, meanCorrection } = play({ seconds: 3600, rateHz: 8000, skew });
    expect(gaps).toBe(0);
    expect(highestMs).toBeLessThan(40);
    expect(meanMs).toBeLessThan(30);
    expect(lowestMs).toBeGreaterThan(1);
    // What is left of the difference adds up to less than a few milliseconds in half an hour.
    expect(Math.abs(meanCorrection - skew)).toBeLessThan(3e-6);
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

/** How far what does not belong to a tone lies below it, in dB, and how loud it is: a sine of that frequency is fitted to what was heard. */
function purity(heard: Float32Array, turnsPerFrame: number): { noiseDb: number; amplitude: number } {
  // The clocks drift apart by a little that is not known beforehand, so the frequency is found by bisection of the error.
  const sineAt = (turns: number) => {
    let [cc, ss, cs, xc, xs, xx] = [0, 0, 0, 0, 0, 0];
    for (const [at, x] of heard.entries()) {
      const c = Math.cos(2 * Math.PI * turns * at);
      const s = Math.sin(2 * Math.PI * turns * at);
      cc += c * c;
      ss += s * s;
      cs += c * s;
      xc += x * c;
      xs += x * s;
      xx += x * x;
    }
    const determinant = cc * ss - cs * cs;
    const a = (xc * ss - xs * cs) / determinant;
    const b = (xs * cc - xc * cs) / determinant;
    return { error: Math.max(0, xx - a * xc - b * xs), amplitude: Math.hypot(a, b), xx };
  };
  let [low, high] = [turnsPerFrame * 0.994, turnsPerFrame * 1.006];
  for (let step = 0; step < 60; step++) {
    const one = low + (high - low) / 3;
    const other = high - (high - low) / 3;
    if (sineAt(one).error < sineAt(other).error) high = other;
    else low = one;
  }
  const { error, amplitude, xx } = sineAt((low + high) / 2);
  return { noiseDb: 10 * Math.log10(error / xx), amplitude };
}

test('reading between samples is not heard: tones keep their loudness, and nothing joins them', () => {
  for (const [hz, rateHz, leastDb] of [
    [440, 48_000, -70],
    [1000, 44_100, -70],
    [10_000, 48_000, -60],
    [15_000, 48_000, -55],
    [15_000, 44_100, -55],
  ] as const) {
    const buffer = new SoundBuffer(48_000);
    buffer.start({ channels: 1, rateHz });
    const next = tone(hz, rateHz);
    const block = new Float32Array(quantum);
    const heard = new Float32Array(quantum * 16);
    // A guest that is a twentieth of a percent too fast, pushed whenever a packet of it is due.
    let due = 0;
    for (let pull = 0; pull < 3000; pull++) {
      for (due += (quantum / 48_000) * rateHz * (1 + 500e-6); due >= rateHz / 100; due -= rateHz / 100) buffer.push(next(rateHz / 100));
      buffer.pull([block]);
      if (pull >= 2984) heard.set(block, (pull - 2984) * quantum);
    }
    expect(buffer.correction).not.toBe(0);
    const { noiseDb, amplitude } = purity(heard, hz / 48_000);
    expect(noiseDb, `${hz} Hz of ${rateHz}`).toBeLessThan(leastDb);
    expect(20 * Math.log10(amplitude), `${hz} Hz of ${rateHz}`).toBeGreaterThan(-0.1);
  }
});

test('what a server wants held back for its video is held back, without a gap after it, and no longer than it is wanted', () => {
  const buffer = new SoundBuffer(48_000);
  const block = [new Float32Array(quantum)];
  const next = tone(1000, 48_000);
  let due = 0;
  const seconds = (count: number, seen: (bufferedMs: number) => void = () => undefined) => {
    for (let pull = 0; pull < (48_000 / quantum) * count; pull++) {
      for (due += quantum; due >= 480; due -= 480) buffer.push(next(480));
      buffer.pull(block);
      seen(buffer.bufferedMs);
    }
  };
  buffer.start({ channels: 1, rateHz: 48_000 });
  seconds(2);
  buffer.setLatency(1500);
  let [lowest, highest] = [Number.POSITIVE_INFINITY, 0];
  seconds(2);
  seconds(5, (bufferedMs) => {
    lowest = Math.min(lowest, bufferedMs);
    highest = Math.max(highest, bufferedMs);
  });
  expect(buffer.gaps).toBe(0);
  expect(lowest).toBeGreaterThan(1500);
  expect(highest).toBeLessThan(1500 + maxBufferedMs);
  buffer.setLatency(0);
  seconds(3);
  expect(buffer.bufferedMs).toBeLessThan(maxBufferedMs);
  expect(buffer.gaps).toBe(0);
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
