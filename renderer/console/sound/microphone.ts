/**
 * This computer's microphone for one guest, from the moment that it records until it ends. The browser gives it only after the shell has
 * asked the user.
 */
import type { SoundFormat } from '../spice/audio/sound-format.ts';
import type { ToMicrophoneNode } from './microphone-worklet.ts';
import microphoneModule from './microphone-worklet.ts?worker&url';

/** What the guest records is what the microphone hears: a guest that wants no echo takes it out itself. */
const asItIs: MediaTrackConstraints = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export class Microphone {
  readonly #context: AudioContext;
  #stream: MediaStream | null = null;
  #closed = false;

  /** `failed`: the browser has no microphone, or does not give it. */
  constructor(format: SoundFormat, ready: (port: MessagePort) => void, failed: (why: 'missing' | 'refused') => void) {
    // Heard by nobody here: it takes no sound card.
    this.#context = new AudioContext({ sampleRate: format.rateHz, sinkId: { type: 'none' } } as AudioContextOptions);
    this.#build(format, ready, failed).catch((error: unknown) => {
      if (!this.#closed) failed(error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'missing');
    });
  }

  close(): void {
    this.#closed = true;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#context.state !== 'closed') void this.#context.close();
  }

  async #build(format: SoundFormat, ready: (port: MessagePort) => void, failed: (why: 'missing') => void): Promise<void> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: asItIs });
    this.#stream = stream;
    // One that is pulled out.
    stream.getTracks()[0]?.addEventListener('ended', () => this.#closed || failed('missing'));
    if (!this.#closed) await this.#context.audioWorklet.addModule(microphoneModule);
    if (this.#closed) {
      this.close();
      return;
    }
    const node = new AudioWorkletNode(this.#context, 'microphone', { outputChannelCount: [1] });
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage({ type: 'target', port: port1, format } satisfies ToMicrophoneNode, [port1]);
    this.#context.createMediaStreamSource(stream).connect(node);
    // Silence, which keeps the node going.
    node.connect(this.#context.destination);
    await this.#context.resume();
    if (!this.#closed) ready(port2);
  }
}
