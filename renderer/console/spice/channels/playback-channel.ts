/** The playback channel: what the guest plays, as samples, and how loud it wants them. */
import type { MakeOpusDecoder, OpusDecoder } from '../audio/opus-decoder.ts';
import { opusRateHz, readMode, readSoundFormat, readVolume, type SoundFormat, samplesOf } from '../audio/sound-format.ts';
import { playbackCapability, playbackMessage } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import type { ChannelHandler } from './channel.ts';

/** Servers ask for five seconds at most, for video that comes in gusts. */
const maxLatencyMs = 5000;

export type PlaybackEvents = {
  /** The server has accepted the channel: there is a sound card. */
  playbackOpened(): void;
  /** The guest begins to play, or goes on in another format. */
  playbackStarted(format: SoundFormat): void;
  /** Interleaved, from -1 to 1; the receiver's to keep. Nothing comes before `playbackStarted`. */
  played(samples: Float32Array<ArrayBuffer>): void;
  /** The samples that come now are of that time of the server's multimedia clock. */
  playbackTime(time: number): void;
  playbackStopped(): void;
  /** The amplitude of each channel, 0 to 1. */
  playbackVolume(gains: readonly number[]): void;
  playbackMuted(muted: boolean): void;
  /** What comes is to be held back so long at least, in milliseconds, so that video can go with it. */
  playbackLatency(leastMs: number): void;
  /** What came cannot be unpacked; the session is to end. */
  playbackFailed(error: SpiceError): void;
};

export class PlaybackChannel implements ChannelHandler {
  readonly kind = 'playback';
  readonly #events: PlaybackEvents;
  readonly #makeDecoder: MakeOpusDecoder | null;
  #mode: 'raw' | 'opus' = 'raw';
  #format: SoundFormat | null = null;
  #decoder: OpusDecoder | null = null;

  /** Without a decoder the server is not told that it may pack sound. */
  constructor(events: PlaybackEvents, makeDecoder: MakeOpusDecoder | null) {
    this.#events = events;
    this.#makeDecoder = makeDecoder;
  }

  get capabilities(): number {
    return (1 << playbackCapability.VOLUME) | (1 << playbackCapability.LATENCY) | (this.#makeDecoder ? 1 << playbackCapability.OPUS : 0);
  }

  opened(): void {
    this.#events.playbackOpened();
  }

  moved(): void {}

  message(type: number, body: Reader): undefined {
    switch (type) {
      case playbackMessage.MODE: {
        // Its time and what may follow say nothing that this client needs.
        body.skip(4);
        this.#setMode(readMode(body.u16()));
        break;
      }
      case playbackMessage.START: {
        const format = readSoundFormat(body);
        this.#format = format;
        this.#dropDecoder();
        this.#checkRate();
        this.#events.playbackStarted(format);
        break;
      }
      case playbackMessage.DATA: {
        const time = body.u32();
        if (!this.#format) break;
        this.#events.playbackTime(time);
        this.#data(this.#format, body.rest());
        break;
      }
      case playbackMessage.STOP:
        this.#format = null;
        this.#dropDecoder();
        this.#events.playbackStopped();
        break;
      case playbackMessage.VOLUME:
        this.#events.playbackVolume(readVolume(body));
        break;
      case playbackMessage.MUTE:
        this.#events.playbackMuted(body.u8() !== 0);
        break;
      case playbackMessage.LATENCY:
        this.#events.playbackLatency(Math.min(body.u32(), maxLatencyMs));
        break;
    }
    return undefined;
  }

  /** Nothing is told any more. */
  close(): void {
    if (this.#format) this.#events.playbackStopped();
    this.#format = null;
    this.#dropDecoder();
  }

  #setMode(mode: 'raw' | 'opus'): void {
    if (mode === 'opus' && !this.#makeDecoder) throw new SpiceError('sound packed with Opus was not asked for');
    if (mode !== this.#mode) this.#dropDecoder();
    this.#mode = mode;
    this.#checkRate();
  }

  #checkRate(): void {
    if (this.#mode === 'opus' && this.#format && this.#format.rateHz !== opusRateHz)
      throw new SpiceError(`Opus has ${opusRateHz} Hz and not ${this.#format.rateHz}`);
  }

  #data({ channels }: SoundFormat, bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    if (this.#mode === 'opus') {
      this.#decoder ??= this.#newDecoder(channels);
      this.#decoder?.decode(bytes);
      return;
    }
    if (bytes.byteLength % (2 * channels) !== 0)
      throw new SpiceError(`${bytes.byteLength} bytes are no whole samples of ${channels} channels`);
    this.#events.played(samplesOf(bytes));
  }

  #newDecoder(channels: number): OpusDecoder | null {
    return (
      this.#makeDecoder?.(
        channels,
        (samples) => this.#events.played(samples),
        (reason) => this.#events.playbackFailed(new SpiceError(`a packet of Opus cannot be read: ${reason}`, this.kind, 'DATA')),
      ) ?? null
    );
  }

  #dropDecoder(): void {
    this.#decoder?.close();
    this.#decoder = null;
  }
}
