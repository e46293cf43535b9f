/** Beside the microphone, on the thread that it is heard on: makes packets of what it gives and sends them to the worker. */
import { MicrophoneSamples } from '../spice/audio/microphone-samples.ts';
import type { SoundFormat } from '../spice/audio/sound-format.ts';

/** The part of `AudioWorkletGlobalScope` that is used. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** First, once. */
export type ToMicrophoneNode = { type: 'target'; port: MessagePort; format: SoundFormat };

class MicrophoneProcessor extends AudioWorkletProcessor {
  #target: MessagePort | null = null;
  #samples: MicrophoneSamples | null = null;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToMicrophoneNode>) => {
      this.#target = data.port;
      this.#samples = new MicrophoneSamples(data.format);
    };
  }

  process(inputs: readonly Float32Array[][]): boolean {
    for (const packet of this.#samples?.push(inputs[0] ?? []) ?? []) this.#target?.postMessage(packet, [packet.buffer]);
    return true;
  }
}

registerProcessor('microphone', MicrophoneProcessor);
