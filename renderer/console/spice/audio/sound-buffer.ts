/**
 * What stands between the packets of a guest and the steady pull of a sound card: a short store of samples, read a little faster or slower
 * so that two clocks that differ never drift apart.
 *
 * The *lowest* that the store comes to within a second is held at a margin, and not its mean: that is what decides about gaps, and it takes in
 * by itself how unevenly packets come. Whenever a gap could not be avoided the margin grows, and shrinks again while all is well.
 *
 * ```
 *   silent ─ start ─► filling ─ enough ─► playing ─ nothing left ─► filling
 *      ▲                                     │
 *      └───────────── stop, and all played ──┘
 * ```
 *
 * INVARIANT: less than `maxBufferedMs` wait, whatever comes and however the clocks differ (`sound-buffer.test.ts`).
 */
import type { SoundFormat } from './sound-format.ts';

/** With what the sound card itself holds this stays below a tenth of a second. */
export const maxBufferedMs = 80;
/** The lowest that the store is to come to. */
const leastMarginMs = 6;
const mostMarginMs = 30;
const marginStepMs = 8;
/** A second without a gap takes so much of what gaps added. */
const marginDecayMs = 0.1;
/** Beyond the margin, before anything is heard: a packet and a little. */
const headStartMs = 14;
/** A store whose lowest is so much above its margin is cut down at once: reading faster would take too long. */
const cutAboveMs = 30;
/** For each millisecond above or below the margin; ten seconds to come back. */
const correctionPerMs = 1e-4;
/** Half a percent, a twelfth of a semitone: nobody hears it, and no clock is so wrong. */
const mostCorrection = 5e-3;
const windowSeconds = 1;
/** Frames around the one that is read that the curve through them takes. */
const before = 1;
const after = 2;
/** In a gap the last sample falls to nothing instead of jumping there. */
const gapDecay = 0.97;
/** How much of a difference in loudness is made up in one frame, so that nothing clicks. */
const gainApproach = 1 / 256;

export class SoundBuffer {
  readonly #outputRateHz: number;
  #ring = new Float32Array(0);
  /** Frames, a power of two. */
  #size = 0;
  #rateHz = 48_000;
  #channels = 2;
  /** Frames written, and the place that is read next, since the start. */
  #written = 0;
  #position = 0;
  #state: 'silent' | 'filling' | 'playing' = 'silent';
  #ending = false;
  #marginMs = leastMarginMs;
  #correction = 0;
  #lowestFrames = Number.POSITIVE_INFINITY;
  #windowFrames = 0;
  /** Where reading goes on after the next block, which fades over to it. */
  #cutTo: number | null = null;
  /** The next block begins from silence. */
  #fadeIn = true;
  readonly #gains = [1, 1];
  readonly #wanted = [1, 1];
  readonly #last = [0, 0];
  #gaps = 0;

  constructor(outputRateHz: number) {
    this.#outputRateHz = outputRateHz;
  }

  /** How much waits to be heard. */
  get bufferedMs(): number {
    return (this.#available / this.#rateHz) * 1000;
  }

  /** How often there was nothing to play although there should have been. */
  get gaps(): number {
    return this.#gaps;
  }

  /** How much faster than it came it is read now, as a fraction. */
  get correction(): number {
    return this.#correction;
  }

  get silent(): boolean {
    return this.#state === 'silent';
  }

  start({ channels, rateHz }: SoundFormat): void {
    this.#channels = channels;
    this.#rateHz = rateHz;
    this.#size = 2 ** Math.ceil(Math.log2((rateHz * maxBufferedMs * 2) / 1000));
    if (this.#ring.length !== this.#size * 2) this.#ring = new Float32Array(this.#size * 2);
    this.#ring.fill(0);
    this.#written = before;
    this.#position = before;
    this.#state = 'filling';
    this.#ending = false;
    this.#cutTo = null;
    this.#fadeIn = true;
    this.#correction = 0;
    this.#beginWindow();
  }

  /** What has come is still played. */
  stop(): void {
    this.#ending = true;
    if (this.#state === 'filling') this.#state = this.#available > 0 ? 'playing' : 'silent';
  }

  /** The amplitude of each side, 0 to 1 and more. */
  setGains(left: number, right: number): void {
    this.#wanted[0] = left;
    this.#wanted[1] = right;
  }

  /** Interleaved samples. What is more than fits takes the place of the oldest. */
  push(samples: Float32Array): void {
    if (this.#state === 'silent') return;
    const ring = this.#ring;
    const mask = this.#size - 1;
    const channels = this.#channels;
    const frames = Math.floor(samples.length / channels);
    const most = this.#frames(maxBufferedMs);
    for (let frame = Math.max(0, frames - most); frame < frames; frame++) {
      const at = (this.#written++ & mask) * 2;
      const left = samples[frame * channels] as number;
      ring[at] = left;
      ring[at + 1] = channels === 2 ? (samples[frame * 2 + 1] as number) : left;
    }
    if (this.#available <= most) return;
    // Nothing of what is jumped over may be read: it may be overwritten already.
    this.#position = this.#written - this.#frames(this.#marginMs + headStartMs);
    this.#cutTo = null;
    this.#fadeIn = true;
    this.#beginWindow();
  }

  /** Fills one block, a row for each side. */
  pull(outputs: readonly Float32Array[]): void {
    const left = outputs[0];
    if (!left) return;
    const right = outputs[1] ?? null;
    const length = left.length;
    if (this.#state === 'filling' && this.#available >= this.#frames(this.#marginMs + headStartMs)) {
      this.#state = 'playing';
      this.#beginWindow();
    }
    const step = (this.#rateHz / this.#outputRateHz) * (1 + this.#correction);
    if (this.#state === 'playing' && this.#available < length * step + after) this.#runDry();
    if (this.#state !== 'playing') {
      this.#fall(left, right);
      return;
    }
    const from = this.#position;
    const cutTo = this.#cutTo;
    for (let frame = 0; frame < length; frame++) {
      const share = (frame + 1) / length;
      const position = from + frame * step;
      for (let side = 0; side < 2; side++) {
        let value = this.#sampleAt(position, side);
        if (cutTo !== null) value += (this.#sampleAt(cutTo + frame * step, side) - value) * share;
        if (this.#fadeIn) value *= share;
        const gain = (this.#gains[side] as number) + ((this.#wanted[side] as number) - (this.#gains[side] as number)) * gainApproach;
        this.#gains[side] = gain;
        value *= gain;
        this.#last[side] = value;
        if (side === 0) left[frame] = value;
        else if (right) right[frame] = value;
      }
    }
    this.#position = (cutTo ?? from) + length * step;
    this.#cutTo = null;
    this.#fadeIn = false;
    this.#watch(length);
  }

  get #available(): number {
    return this.#written - this.#position;
  }

  #frames(ms: number): number {
    return Math.round((this.#rateHz * ms) / 1000);
  }

  /** A curve through four frames (Catmull and Rom). */
  #sampleAt(position: number, side: number): number {
    const whole = Math.floor(position);
    const part = position - whole;
    const ring = this.#ring;
    const mask = this.#size - 1;
    const b = ring[(whole & mask) * 2 + side] as number;
    if (part === 0) return b;
    const a = ring[((whole - 1) & mask) * 2 + side] as number;
    const c = ring[((whole + 1) & mask) * 2 + side] as number;
    const d = ring[((whole + 2) & mask) * 2 + side] as number;
    return b + 0.5 * part * (c - a + part * (2 * a - 5 * b + 4 * c - d + part * (3 * (b - c) + d - a)));
  }

  #runDry(): void {
    this.#fadeIn = true;
    this.#cutTo = null;
    if (this.#ending) {
      this.#state = 'silent';
      return;
    }
    this.#state = 'filling';
    this.#gaps++;
    this.#marginMs = Math.min(mostMarginMs, this.#marginMs + marginStepMs);
  }

  #fall(left: Float32Array, right: Float32Array | null): void {
    for (let frame = 0; frame < left.length; frame++) {
      left[frame] = this.#last[0] = (this.#last[0] as number) * gapDecay;
      const other = (this.#last[1] as number) * gapDecay;
      this.#last[1] = other;
      if (right) right[frame] = other;
    }
  }

  #beginWindow(): void {
    this.#lowestFrames = Number.POSITIVE_INFINITY;
    this.#windowFrames = 0;
  }

  /** Once a window: how fast to read until the next. */
  #watch(frames: number): void {
    this.#lowestFrames = Math.min(this.#lowestFrames, this.#available);
    this.#windowFrames += frames;
    if (this.#windowFrames < this.#outputRateHz * windowSeconds) return;
    const lowestMs = (this.#lowestFrames / this.#rateHz) * 1000;
    this.#marginMs = Math.max(leastMarginMs, this.#marginMs - marginDecayMs);
    const aboveMs = lowestMs - this.#marginMs;
    if (aboveMs > cutAboveMs) {
      this.#cutTo = this.#position + this.#frames(aboveMs);
      this.#correction = 0;
    } else this.#correction = Math.max(-mostCorrection, Math.min(mostCorrection, aboveMs * correctionPerMs));
    this.#beginWindow();
  }
}
