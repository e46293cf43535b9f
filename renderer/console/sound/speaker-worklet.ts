/** Beside the sound card, on the thread that it pulls on: the store of samples of one guest. */
import { SoundBuffer } from '../spice/audio/sound-buffer.ts';
import type { FromSpeaker, ToSpeaker } from '../spice/audio/speaker-messages.ts';

/** The part of `AudioWorkletGlobalScope` that is used. */
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

export type ToSpeakerNode =
  /** First, once: the end from which the worker sends samples. */
  | { type: 'source'; port: MessagePort }
  /** How long after it was mixed something is heard. */
  | { type: 'sink'; delayMs: number }
  /** Last: nothing is played any more. */
  | { type: 'end' };

class SpeakerProcessor extends AudioWorkletProcessor {
  readonly #buffer = new SoundBuffer(sampleRate);
  #sinkDelayMs = 0;
  #ended = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToSpeakerNode>) => {
      if (data.type === 'source') this.#listen(data.port);
      else if (data.type === 'sink') this.#sinkDelayMs = data.delayMs;
      else this.#ended = true;
    };
  }

  process(_inputs: unknown, outputs: readonly Float32Array[][]): boolean {
    this.#buffer.pull(outputs[0] ?? []);
    return !this.#ended;
  }

  #listen(port: MessagePort): void {
    port.onmessage = ({ data }: MessageEvent<ToSpeaker>) => {
      switch (data.type) {
        case 'start':
          this.#buffer.start(data);
          break;
        case 'samples':
          this.#buffer.push(data.samples);
          port.postMessage({ type: 'taken', delayMs: this.#buffer.bufferedMs + this.#sinkDelayMs } satisfies FromSpeaker);
          break;
        case 'stop':
          this.#buffer.stop();
          break;
        case 'latency':
          this.#buffer.setLatency(data.leastMs);
          break;
        case 'gains': {
          const left = data.gains[0] ?? 1;
          this.#buffer.setGains(left, data.gains[1] ?? left);
          break;
        }
      }
    };
  }
}

registerProcessor('speaker', SpeakerProcessor);
