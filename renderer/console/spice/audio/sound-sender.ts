/**
 * Hands what a guest plays to the speaker. A speaker that does not take it, as one whose sound card stands still, is sent no more than a
 * little: sound that waited is of no use to anybody.
 */
import type { SoundFormat } from './sound-format.ts';
import type { ToSpeaker } from './speaker-messages.ts';

/** Packets of a hundredth of a second each, or a flood of larger ones. */
export const maxUntaken = 64;

export class SoundSender {
  #send: ((message: ToSpeaker) => void) | null = null;
  #untaken = 0;
  #format: SoundFormat | null = null;
  #gains: readonly number[] = [1];
  #muted = false;
  #latencyMs = 0;
  #delayMs: number | null = null;

  /** The speaker is there, or is another one: it learns how things stand. */
  attach(send: (message: ToSpeaker) => void): void {
    this.#send = send;
    this.#untaken = 0;
    this.#tellGains();
    send({ type: 'latency', leastMs: this.#latencyMs });
    if (this.#format) send({ type: 'start', ...this.#format });
  }

  /** How long after it came something is heard; null while nothing is. */
  get delayMs(): number | null {
    return this.#delayMs;
  }

  taken(delayMs: number): void {
    this.#untaken = Math.max(0, this.#untaken - 1);
    if (this.#format) this.#delayMs = delayMs;
  }

  start(format: SoundFormat): void {
    this.#format = format;
    this.#send?.({ type: 'start', ...format });
  }

  stop(): void {
    this.#format = null;
    this.#delayMs = null;
    this.#send?.({ type: 'stop' });
  }

  samples(samples: Float32Array<ArrayBuffer>): void {
    if (!this.#send || !this.#format || this.#untaken >= maxUntaken) return;
    this.#untaken++;
    this.#send({ type: 'samples', samples });
  }

  setLatency(leastMs: number): void {
    this.#latencyMs = leastMs;
    this.#send?.({ type: 'latency', leastMs });
  }

  setVolume(gains: readonly number[]): void {
    this.#gains = gains.length === 0 ? [1] : gains;
    this.#tellGains();
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    this.#tellGains();
  }

  #tellGains(): void {
    this.#send?.({ type: 'gains', gains: this.#muted ? [0] : this.#gains });
  }
}
