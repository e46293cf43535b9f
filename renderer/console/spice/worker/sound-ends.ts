/** What a guest plays and records, on its way between the session and the page's speaker and microphone. */
import type { GuestSound } from '../../console.ts';
import { makeSofter } from '../audio/microphone-samples.ts';
import type { SoundFormat } from '../audio/sound-format.ts';
import { SoundSender } from '../audio/sound-sender.ts';
import type { FromSpeaker, ToSpeaker } from '../audio/speaker-messages.ts';
import type { SoundHost } from '../session-host.ts';
import { platformOpus, platformOpusEncoder } from './platform-opus.ts';

type Told = {
  /** How things stand, whenever that changed; first when there is a sound card. */
  sound(sound: GuestSound): void;
  recording(format: SoundFormat | null): void;
  speak(samples: Uint8Array): void;
};

export class SoundEnds implements SoundHost {
  readonly opus = platformOpus;
  readonly opusEncoder = platformOpusEncoder;
  readonly #told: Told;
  readonly #sender = new SoundSender();
  #sound: GuestSound = { playing: false, volume: 1, muted: false };
  #microphone: MessagePort | null = null;
  #format: SoundFormat | null = null;
  #recordGains: readonly number[] = [1];
  #recordMuted = false;

  constructor(told: Told) {
    this.#told = told;
  }

  attachSpeaker(port: MessagePort): void {
    port.onmessage = ({ data }: MessageEvent<FromSpeaker>) => this.#sender.taken(data.delayMs);
    this.#sender.attach((message: ToSpeaker) => port.postMessage(message, message.type === 'samples' ? [message.samples.buffer] : []));
  }

  /** Each takes the place of the one before. */
  attachMicrophone(port: MessagePort): void {
    this.#microphone?.close();
    this.#microphone = port;
    port.onmessage = ({ data }: MessageEvent<Int16Array<ArrayBuffer>>) => {
      if (!this.#format || this.#recordMuted) return;
      makeSofter(data, this.#format.channels, this.#recordGains);
      this.#told.speak(new Uint8Array(data.buffer));
    };
  }

  get delayMs(): number | null {
    return this.#sender.delayMs;
  }

  recordStarted(format: SoundFormat): void {
    this.#format = format;
    this.#told.recording(format);
  }

  recordStopped(): void {
    this.#format = null;
    this.#microphone?.close();
    this.#microphone = null;
    this.#told.recording(null);
  }

  recordVolume(gains: readonly number[]): void {
    this.#recordGains = gains;
  }

  recordMuted(muted: boolean): void {
    this.#recordMuted = muted;
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

  playbackLatency(leastMs: number): void {
    this.#sender.setLatency(leastMs);
  }

  #change(change: Partial<GuestSound>): void {
    this.#sound = { ...this.#sound, ...change };
    this.#told.sound(this.#sound);
  }
}
