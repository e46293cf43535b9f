/** Plays one guest's sound in a page, as loud as the user wants it, and gives it to recordings as loud as the guest has it. */
import type { SoundChoice } from '../console.ts';
import type { SoundOutput } from './sound-output.ts';
import type { ToSpeakerNode } from './speaker-worklet.ts';

/** A change of loudness takes some hundredths of a second, so that nothing clicks. */
const approachSeconds = 0.008;

export class Speaker {
  readonly #output: SoundOutput;
  readonly #gain: GainNode;
  #node: AudioWorkletNode | null = null;
  /** Who is given the sound beside the sound card. */
  readonly #others = new Set<AudioNode>();
  #letGo: (() => void) | null = null;
  #closed = false;
  readonly #ready: (port: MessagePort) => void;
  #building: Promise<void> | null = null;

  /** `ready` is given the end to which samples are sent, once, when there are any. */
  constructor(output: SoundOutput, ready: (port: MessagePort) => void) {
    this.#output = output;
    this.#gain = new GainNode(output.context);
    this.#ready = ready;
    void output.ready();
  }

  /** What is heard grows with the cube, so that half way is half as loud to an ear. */
  setChoice({ volume, muted }: SoundChoice): void {
    const { gain } = this.#gain;
    const { state, currentTime } = this.#output.context;
    const amplitude = muted ? 0 : volume ** 3;
    gain.cancelScheduledValues(0);
    if (state === 'running') gain.setTargetAtTime(amplitude, currentTime, approachSeconds);
    else gain.value = amplitude;
  }

  setPlaying(playing: boolean): void {
    if (this.#closed || playing === (this.#letGo !== null)) return;
    if (playing) {
      // Not before: while the sound card rests a node cannot end either, and each connection that was lost would leave one behind.
      this.#building ??= this.#build();
      this.#letGo = this.#output.hold();
      this.#tell({ type: 'sink', delayMs: this.#output.delayMs });
      return;
    }
    this.#letGo?.();
    this.#letGo = null;
  }

  /** Gives what the guest plays to that node as well, which is one of the same context, until the answer is called. */
  connect(other: AudioNode): () => void {
    if (this.#closed) return () => undefined;
    this.#others.add(other);
    this.#node?.connect(other);
    return () => {
      if (this.#others.delete(other)) this.#node?.disconnect(other);
    };
  }

  close(): void {
    if (this.#closed) return;
    this.setPlaying(false);
    this.#closed = true;
    this.#others.clear();
    this.#tell({ type: 'end' });
    this.#node?.disconnect();
    this.#gain.disconnect();
  }

  async #build(): Promise<void> {
    await this.#output.ready();
    if (this.#closed) return;
    const { context } = this.#output;
    const node = new AudioWorkletNode(context, 'speaker', { numberOfInputs: 0, outputChannelCount: [2] });
    this.#node = node;
    node.connect(this.#gain);
    this.#gain.connect(context.destination);
    for (const other of this.#others) node.connect(other);
    const { port1, port2 } = new MessageChannel();
    this.#tell({ type: 'source', port: port1 }, [port1]);
    this.#tell({ type: 'sink', delayMs: this.#output.delayMs });
    this.#ready(port2);
  }

  #tell(message: ToSpeakerNode, transfer: Transferable[] = []): void {
    this.#node?.port.postMessage(message, transfer);
  }
}
