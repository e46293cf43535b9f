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
 * A server whose video needs it asks for more: then all of that is held back on top.
 *
 * INVARIANT: less than `maxBufferedMs` and what the server asked for wait, whatever comes and however the clocks differ (`sound-buffer.test.ts`).
 */
import { places, samplesAfter, samplesAround, samplesBefore, weighSamples } from './between-samples.ts';
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
/** What a millisecond above or below teaches, in each second, about how the clocks differ: so that none stays above or below. */
const driftPerMs = 2e-6;
/** No two clocks that are meant to be the same differ by more. */
const mostDrift = 1e-3;
/** Half a percent, a twelfth of a semitone: nobody hears it, and no clock is so wrong. */
const mostCorrection = 5e-3;
const windowSeconds = 1;
/** In a gap the last sample falls to nothing instead of jumping there. */
const gapDecay = 0.97;
/** How much of a difference in loudness is made up in one frame, so that nothing clicks. */
const gainApproach = 1 / 256;

/** For sound that is not to lose samples, which is all but that of 96 kHz. */
const allWeights = weighSamples(1);

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
  /** What the server asked for. */
  #latencyMs = 0;
  #marginMs = leastMarginMs;
  #correction = 0;
  /** How much faster the guest's clock is than the sound card's, as far as is known. */
  #drift = 0;
  #lowestFrames = Number.POSITIVE_INFINITY;
  #windowFrames = 0;
  /** Where reading goes on after the next block, which fades over to it. */
  #cutTo: number | null = null;
  /** The next block begins from silence. */
  #fadeIn = true;
  readonly #gains = [1, 1];
  readonly #wanted = [1, 1];
  readonly #last = [0, 0];
  /** Both sides at the place that was looked at. */
  readonly #found = [0, 0];
  readonly #other = [0, 0];
  #weights = allWeights;
  #band = 1;
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
    const size = this.#sizeFor(rateHz);
    if (this.#size !== size) this.#ring = new Float32Array((size + samplesAround) * 2);
    this.#size = size;
    this.#ring.fill(0);
    this.#written = samplesBefore;
    this.#position = samplesBefore;
    const band = Math.min(1, this.#outputRateHz / rateHz);
    if (band !== this.#band) this.#weights = band === 1 ? allWeights : weighSamples(band);
    this.#band = band;
    this.#state = 'filling';
    this.#ending = false;
    this.#cutTo = null;
    this.#fadeIn = true;
    this.#takeGains();
    this.#correction = this.#drift;
    this.#beginWindow();
  }

  /** What has come is still played. */
  stop(): void {
    this.#ending = true;
    if (this.#state === 'filling') this.#state = this.#available > 0 ? 'playing' : 'silent';
  }

  /** So long what comes is held back at least. More than before is a pause once, less is cut out. */
  setLatency(leastMs: number): void {
    const more = leastMs > this.#latencyMs;
    this.#latencyMs = leastMs;
    if (!more || this.#state === 'silent') return;
    const size = this.#sizeFor(this.#rateHz);
    if (size > this.#size) {
      const before = this.#ring;
      const mask = this.#size - 1;
      this.#ring = new Float32Array((size + samplesAround) * 2);
      this.#size = size;
      for (let frame = this.#written - mask; frame < this.#written; frame++)
        this.#put(frame, before[(frame & mask) * 2] as number, before[(frame & mask) * 2 + 1] as number);
    }
    if (this.#ending || this.#available >= this.#frames(this.#lowestMs)) return;
    this.#state = 'filling';
    this.#cutTo = null;
    this.#fadeIn = true;
  }

  /** The amplitude of each side, 0 to 1 and more. */
  setGains(left: number, right: number): void {
    this.#wanted[0] = left;
    this.#wanted[1] = right;
    // Nothing is heard that could click.
    if (this.#state === 'silent') this.#takeGains();
  }

  #takeGains(): void {
    this.#gains[0] = this.#wanted[0] as number;
    this.#gains[1] = this.#wanted[1] as number;
  }

  /** Interleaved samples. What is more than fits takes the place of the oldest. */
  push(samples: Float32Array): void {
    if (this.#state === 'silent') return;
    const channels = this.#channels;
    const frames = Math.floor(samples.length / channels);
    const most = this.#frames(maxBufferedMs + this.#latencyMs);
    for (let frame = Math.max(0, frames - most); frame < frames; frame++) {
      const left = samples[frame * channels] as number;
      this.#put(this.#written++, left, channels === 2 ? (samples[frame * 2 + 1] as number) : left);
    }
    if (this.#available <= most) return;
    // Nothing of what is jumped over may be read: it may be overwritten already.
    this.#position = this.#written - this.#frames(this.#lowestMs + headStartMs);
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
    if (this.#state === 'filling' && this.#available >= this.#frames(this.#lowestMs + headStartMs)) {
      this.#state = 'playing';
      this.#beginWindow();
    }
    const step = (this.#rateHz / this.#outputRateHz) * (1 + this.#correction);
    if (this.#state === 'playing' && this.#available < length * step + samplesAfter) this.#runDry();
    if (this.#state !== 'playing') {
      this.#fall(left, right);
      return;
    }
    const from = this.#position;
    const cutTo = this.#cutTo;
    for (let frame = 0; frame < length; frame++) {
      const share = (frame + 1) / length;
      const position = from + frame * step;
      this.#lookAt(position, this.#found);
      if (cutTo !== null) this.#lookAt(cutTo + frame * step, this.#other);
      for (let side = 0; side < 2; side++) {
        let value = this.#found[side] as number;
        if (cutTo !== null) value += ((this.#other[side] as number) - value) * share;
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

  /** What the store is not to fall below. */
  get #lowestMs(): number {
    return this.#marginMs + this.#latencyMs;
  }

  /** Frames for twice what may wait, as a power of two. */
  #sizeFor(rateHz: number): number {
    return 2 ** Math.ceil(Math.log2((rateHz * (maxBufferedMs + this.#latencyMs) * 2) / 1000));
  }

  get #available(): number {
    return this.#written - this.#position;
  }

  #frames(ms: number): number {
    return Math.round((this.#rateHz * ms) / 1000);
  }

  /** What both sides are at a place that mostly lies between two frames. */
  #lookAt(position: number, found: number[]): void {
    const whole = Math.floor(position);
    const ring = this.#ring;
    const weights = this.#weights;
    let weighed = Math.round((position - whole) * places) * samplesAround;
    const end = weighed + samplesAround;
    let at = ((whole - samplesBefore) & (this.#size - 1)) * 2;
    let left = 0;
    let right = 0;
    for (; weighed < end; weighed++, at += 2) {
      const weight = weights[weighed] as number;
      left += weight * (ring[at] as number);
      right += weight * (ring[at + 1] as number);
    }
    found[0] = left;
    found[1] = right;
  }

  /** The first frames lie behind the last ones as well, so that those around a place always lie side by side. */
  #put(frame: number, left: number, right: number): void {
    const at = frame & (this.#size - 1);
    const ring = this.#ring;
    ring[at * 2] = left;
    ring[at * 2 + 1] = right;
    if (at >= samplesAround) return;
    ring[(at + this.#size) * 2] = left;
    ring[(at + this.#size) * 2 + 1] = right;
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
    const aboveMs = lowestMs - this.#lowestMs;
    if (aboveMs > cutAboveMs) {
      this.#cutTo = this.#position + this.#frames(aboveMs);
      this.#correction = this.#drift;
    } else {
      this.#drift = within(mostDrift, this.#drift + aboveMs * driftPerMs);
      this.#correction = within(mostCorrection, this.#drift + aboveMs * correctionPerMs);
    }
    this.#beginWindow();
  }
}

function within(most: number, value: number): number {
  return Math.max(-most, Math.min(most, value));
}
