/** Beside the sound card, on the thread that it pulls on: the store of samples of one guest. */
import { SoundBuffer } from '../spice/audio/sound-buffer.ts';
import type { FromSpeaker, ToSpeaker } from '../spice/audio/speaker-messages.ts';

/** The part of `AudioWorkletGlobalScope` that is used. */
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** First, once: the end from which the worker sends samples. Then how loud the user wants them. */
export type ToSpeakerNode = { type: 'source'; port: MessagePort } | { type: 'loudness'; amplitude: number };

class SpeakerProcessor extends AudioWorkletProcessor {
  readonly #buffer = new SoundBuffer(sampleRate);
  #amplitude = 1;
  #gains: readonly number[] = [1];

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToSpeakerNode>) => {
      if (data.type === 'source') this.#listen(data.port);
      else this.#amplitude = data.amplitude;
      this.#setGains();
    };
  }

  process(_inputs: unknown, outputs: readonly Float32Array[][]): boolean {
    this.#buffer.pull(outputs[0] ?? []);
    return true;
  }

  #listen(port: MessagePort): void {
    port.onmessage = ({ data }: MessageEvent<ToSpeaker>) => {
      switch (data.type) {
        case 'start':
          this.#buffer.start(data);
          break;
        case 'samples':
          this.#buffer.push(data.samples);
          port.postMessage({ type: 'taken' } satisfies FromSpeaker);
          break;
        case 'stop':
          this.#buffer.stop();
          break;
        case 'gains':
          this.#gains = data.gains;
          this.#setGains();
          break;
      }
    };
  }

  #setGains(): void {
    const left = this.#gains[0] ?? 1;
    this.#buffer.setGains(left * this.#amplitude, (this.#gains[1] ?? left) * this.#amplitude);
  }
}

registerProcessor('speaker', SpeakerProcessor);
