/** What a guest plays, on its way from the session to the speaker in the page. */
import type { GuestSound } from '../../console.ts';
import type { SoundFormat } from '../audio/sound-format.ts';
import { SoundSender } from '../audio/sound-sender.ts';
import type { FromSpeaker, ToSpeaker } from '../audio/speaker-messages.ts';
import type { SoundHost } from '../session.ts';
import { platformOpus } from './platform-opus.ts';

export class SoundOutput implements SoundHost {
  readonly opus = platformOpus;
  readonly #tell: (sound: GuestSound) => void;
  readonly #sender = new SoundSender();
  #sound: GuestSound = { playing: false, volume: 1, muted: false };

  /** `tell` is given how things stand whenever that changed, first when there is a sound card. */
  constructor(tell: (sound: GuestSound) => void) {
    this.#tell = tell;
  }

  attach(port: MessagePort): void {
    port.onmessage = (_event: MessageEvent<FromSpeaker>) => this.#sender.taken();
    this.#sender.attach((message: ToSpeaker) => port.postMessage(message, message.type === 'samples' ? [message.samples.buffer] : []));
  }

  playbackOpened(): void {
    this.#change({});
  }

  playbackStarted(format: SoundFormat): void {
    this.#sender.start(format);
    this.#change({ playing: true });
  }

  played(samples: Float32Array<ArrayBuffer>): void {
    this.#sender.samples(samples);
  }

  playbackStopped(): void {
    this.#sender.stop();
    this.#change({ playing: false });
  }

  playbackVolume(gains: readonly number[]): void {
    this.#sender.setVolume(gains);
    // As the guest counts it.
    this.#change({ volume: Math.cbrt(Math.max(0, ...gains)) });
  }

  playbackMuted(muted: boolean): void {
    this.#sender.setMuted(muted);
    this.#change({ muted });
  }

  #change(change: Partial<GuestSound>): void {
    this.#sound = { ...this.#sound, ...change };
    this.#tell(this.#sound);
  }
}
