/**
 * Plays one guest's sound in a page. The sound card is only taken while the guest plays, and for a little longer. A computer without a sound
 * card plays into nothing, so that nothing waits for it.
 */
import type { SoundChoice } from '../console.ts';
import type { ToSpeakerNode } from './speaker-worklet.ts';
import speakerModule from './speaker-worklet.ts?worker&url';

/** Guests open and close their sound card for every little noise. */
const lingerMs = 4000;
/** A sound card that has not moved by then is not going to. */
const stuckAfterMs = 3000;

/** `setSinkId` is newer than the types: Chromium has it since version 110. */
type Sunk = AudioContext & { setSinkId?(sink: { type: 'none' }): Promise<void> };

export class Speaker {
  readonly #context: Sunk = new AudioContext({ latencyHint: 'interactive', sampleRate: 48_000 });
  #node: AudioWorkletNode | null = null;
  #choice: SoundChoice = { volume: 1, muted: false };
  #playing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** `ready` is given the end to which samples are sent, once. */
  constructor(ready: (port: MessagePort) => void) {
    void this.#context.suspend();
    this.#context.addEventListener('error', () => this.#playIntoNothing());
    void this.#build(ready);
  }

  setChoice(choice: SoundChoice): void {
    this.#choice = choice;
    this.#tellChoice();
  }

  setPlaying(playing: boolean): void {
    if (playing === this.#playing || this.#closed) return;
    this.#playing = playing;
    clearTimeout(this.#timer);
    if (!playing) {
      this.#timer = setTimeout(() => void this.#context.suspend(), lingerMs);
      return;
    }
    const before = this.#context.currentTime;
    // A page that may not play before it was clicked upon goes on by itself then.
    void this.#context.resume();
    this.#timer = setTimeout(() => {
      if (this.#context.currentTime === before && navigator.userActivation.hasBeenActive) this.#playIntoNothing();
    }, stuckAfterMs);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#node?.disconnect();
    void this.#context.close();
  }

  async #build(ready: (port: MessagePort) => void): Promise<void> {
    await this.#context.audioWorklet.addModule(speakerModule);
    if (this.#closed) return;
    const node = new AudioWorkletNode(this.#context, 'speaker', { numberOfInputs: 0, outputChannelCount: [2] });
    this.#node = node;
    node.connect(this.#context.destination);
    const { port1, port2 } = new MessageChannel();
    node.port.postMessage({ type: 'source', port: port1 } satisfies ToSpeakerNode, [port1]);
    this.#tellChoice();
    ready(port2);
  }

  /** What is heard grows with the cube, so that half way is half as loud to an ear. */
  #tellChoice(): void {
    const { volume, muted } = this.#choice;
    this.#node?.port.postMessage({ type: 'loudness', amplitude: muted ? 0 : volume ** 3 } satisfies ToSpeakerNode);
  }

  #playIntoNothing(): void {
    if (!this.#closed) void this.#context.setSinkId?.({ type: 'none' }).then(() => this.#context.resume());
  }
}
