/** The record channel: what the guest records, as this side sends it. Packed with Opus where both sides can, else as it is. */
import { type MakeOpusEncoder, type OpusEncoder, opusPacketMs } from '../audio/opus-encoder.ts';
import { opusRateHz, readSoundFormat, readVolume, type SoundFormat } from '../audio/sound-format.ts';
import { buildMessage } from '../protocol/build-message.ts';
import { recordCapability, recordMessage, recordRequest, soundMode } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import type { Channel, ChannelHandler } from './channel.ts';

export type RecordEvents = {
  /** The guest begins to record. Whoever wants it to hear something gives it samples of this format. */
  recordStarted(format: SoundFormat): void;
  recordStopped(): void;
  /** The amplitude of each channel, 0 to 1. */
  recordVolume(gains: readonly number[]): void;
  recordMuted(muted: boolean): void;
};

export class RecordChannel implements ChannelHandler {
  readonly kind = 'record';
  readonly #events: RecordEvents;
  readonly #now: () => number;
  readonly #makeEncoder: MakeOpusEncoder | null;
  #channel: Channel | undefined;
  #format: SoundFormat | null = null;
  #encoder: OpusEncoder | null = null;
  /** How the server has been told that the samples of this recording come; null as long as it has not. */
  #mode: 'raw' | 'opus' | null = null;

  /** Without an encoder the server is not told that sound may come packed. */
  constructor(events: RecordEvents, now: () => number, makeEncoder: MakeOpusEncoder | null) {
    this.#events = events;
    this.#now = now;
    this.#makeEncoder = makeEncoder;
  }

  get capabilities(): number {
    return (1 << recordCapability.VOLUME) | (this.#makeEncoder ? 1 << recordCapability.OPUS : 0);
  }

  opened(channel: Channel): void {
    this.#channel = channel;
  }

  /** The server there says anew whether the guest records. */
  moved(channel: Channel): void {
    this.close();
    this.#channel = channel;
  }

  message(type: number, body: Reader): undefined {
    switch (type) {
      case recordMessage.START:
        this.#end();
        this.#format = readSoundFormat(body);
        this.#events.recordStarted(this.#format);
        break;
      case recordMessage.STOP:
        this.#end();
        this.#events.recordStopped();
        break;
      case recordMessage.VOLUME:
        this.#events.recordVolume(readVolume(body));
        break;
      case recordMessage.MUTE:
        this.#events.recordMuted(body.u8() !== 0);
        break;
    }
    return undefined;
  }

  /** Nothing is sent any more. */
  close(): void {
    if (this.#format) this.#events.recordStopped();
    this.#end();
  }

  /** Samples of 16 bits in the format that the guest records in. A guest that does not record is sent nothing. */
  send(samples: Uint8Array): void {
    const format = this.#format;
    if (!format || samples.byteLength === 0 || samples.byteLength % (2 * format.channels) !== 0) return;
    if (this.#mode === null) this.#begin(format);
    if (!this.#encoder) this.#sendData(samples);
    // A piece of another length has no packet: the microphone makes none.
    else if (samples.byteLength === (2 * format.channels * opusRateHz * opusPacketMs) / 1000) this.#encoder.encode(samples);
  }

  #begin(format: SoundFormat): void {
    const serverCan = ((this.#channel?.serverCapabilities ?? 0) & (1 << recordCapability.OPUS)) !== 0;
    if (serverCan && format.rateHz === opusRateHz)
      this.#encoder =
        this.#makeEncoder?.(
          format.channels,
          (packet) => this.#sendData(packet),
          () => {
            this.#dropEncoder();
            this.#sendMode('raw');
          },
        ) ?? null;
    this.#sendMode(this.#encoder ? 'opus' : 'raw');
    this.#channel?.send(buildMessage(recordRequest.START_MARK, 4, (body) => body.setUint32(0, this.#time, true)));
  }

  get #time(): number {
    return Math.floor(this.#now()) >>> 0;
  }

  /** May be said again at any time: what follows comes so. */
  #sendMode(mode: 'raw' | 'opus'): void {
    this.#mode = mode;
    this.#channel?.send(
      buildMessage(recordRequest.MODE, 6, (body) => {
        body.setUint32(0, this.#time, true);
        body.setUint16(4, mode === 'opus' ? soundMode.OPUS : soundMode.RAW, true);
      }),
    );
  }

  #sendData(data: Uint8Array): void {
    this.#channel?.send(
      buildMessage(recordRequest.DATA, 4 + data.byteLength, (body) => {
        body.setUint32(0, this.#time, true);
        new Uint8Array(body.buffer, body.byteOffset + 4).set(data);
      }),
    );
  }

  #end(): void {
    this.#dropEncoder();
    this.#format = null;
    this.#mode = null;
  }

  #dropEncoder(): void {
    this.#encoder?.close();
    this.#encoder = null;
  }
}
