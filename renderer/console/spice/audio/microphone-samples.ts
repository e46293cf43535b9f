/** Makes packets of what a microphone gives: a hundredth of a second each, 16 bits, interleaved, in as many channels as the guest records. */
import type { SoundFormat } from './sound-format.ts';

export class MicrophoneSamples {
  readonly #channels: number;
  #packet: Int16Array<ArrayBuffer>;
  readonly #length: number;
  #at = 0;

  constructor({ channels, rateHz }: SoundFormat) {
    this.#channels = channels;
    this.#length = Math.round(rateHz / 100) * channels;
    this.#packet = new Int16Array(this.#length);
  }

  /** A block of a row for each channel; a microphone with one is heard on both sides. Gives the packets that are whole by now, each once. */
  push(rows: readonly Float32Array[]): Int16Array<ArrayBuffer>[] {
    const whole: Int16Array<ArrayBuffer>[] = [];
    const first = rows[0];
    if (!first) return whole;
    const second = rows[1] ?? first;
    for (let frame = 0; frame < first.length; frame++) {
      for (let channel = 0; channel < this.#channels; channel++) {
        const value = (channel === 0 ? first : second)[frame] as number;
        this.#packet[this.#at++] = Math.max(-0x8000, Math.min(0x7fff, Math.round(value * 0x8000)));
      }
      if (this.#at < this.#length) continue;
      whole.push(this.#packet);
      this.#packet = new Int16Array(this.#length);
      this.#at = 0;
    }
    return whole;
  }
}

/** The same samples as loud as the guest wants them, in place. */
export function makeSofter(samples: Int16Array, channels: number, gains: readonly number[]): void {
  if (gains.every((gain) => gain === 1)) return;
  for (let at = 0; at < samples.length; at++) {
    const gain = gains[at % channels] ?? gains[0] ?? 1;
    samples[at] = Math.round((samples[at] as number) * gain);
  }
}
