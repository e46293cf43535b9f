/** What a guest plays, as a track for a recording: as loud as the guest has it, whatever this computer makes of it. Silence where it plays nothing. */
import type { Console } from '../console.ts';
import { soundOutput } from './sound-output.ts';

/** One that does not run by then would hold the pictures back as well. */
const startDeadlineMs = 2000;

export class RecordedSound {
  readonly #target = new MediaStreamAudioDestinationNode(soundOutput().context);
  /** A track to which nobody gives anything, as while a console is connected anew, would hold the pictures back. */
  readonly #silence = new ConstantSourceNode(soundOutput().context, { offset: 0 });
  readonly #letGo: () => void;
  #disconnect = () => {};
  #console: Console | null = null;

  private constructor(letGo: () => void) {
    this.#letGo = letGo;
    this.#silence.connect(this.#target);
    this.#silence.start();
  }

  /** Null where sound does not run in this browser. */
  static async begin(): Promise<RecordedSound | null> {
    const letGo = soundOutput().hold();
    if (await soundOutput().running(startDeadlineMs)) return new RecordedSound(letGo);
    letGo();
    return null;
  }

  get track(): MediaStreamTrack | null {
    return this.#target.stream.getAudioTracks()[0] ?? null;
  }

  /** From now on it is this console's: another one when it was connected anew. */
  follow(live: Console | null): void {
    if (live === this.#console) return;
    this.#disconnect();
    this.#console = live;
    this.#disconnect = live?.connectSound(this.#target) ?? (() => {});
  }

  close(): void {
    this.follow(null);
    this.#silence.stop();
    this.#silence.disconnect();
    this.#letGo();
  }
}
