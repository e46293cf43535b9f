/** The record channel: what the guest records, as this side sends it. Not packed: it goes to a server on this computer. */
import { readSoundFormat, readVolume, type SoundFormat } from '../audio/sound-format.ts';
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
  /** Opus is not offered: the server would be given sound to unpack on the computer that packed it. */
  readonly capabilities = 1 << recordCapability.VOLUME;
  readonly #events: RecordEvents;
  readonly #now: () => number;
  #channel: Channel | undefined;
  #format: SoundFormat | null = null;
  /** Whether the server has been told how the samples of this recording come. */
  #begun = false;

  constructor(events: RecordEvents, now: () => number) {
    this.#events = events;
    this.#now = now;
  }

  opened(channel: Channel): void {
    this.#channel = channel;
  }

  message(type: number, body: Reader): undefined {
    switch (type) {
      case recordMessage.START:
        this.#format = readSoundFormat(body);
        this.#begun = false;
        this.#events.recordStarted(this.#format);
        break;
      case recordMessage.STOP:
        this.#format = null;
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

  /** Samples of 16 bits in the format that the guest records in. A guest that does not record is sent nothing. */
  send(samples: Uint8Array): void {
    const format = this.#format;
    if (!format || samples.byteLength === 0 || samples.byteLength % (2 * format.channels) !== 0) return;
    const time = Math.floor(this.#now()) >>> 0;
    if (!this.#begun) {
      this.#begun = true;
      this.#channel?.send(
        buildMessage(recordRequest.MODE, 6, (body) => {
          body.setUint32(0, time, true);
          body.setUint16(4, soundMode.RAW, true);
        }),
      );
      this.#channel?.send(buildMessage(recordRequest.START_MARK, 4, (body) => body.setUint32(0, time, true)));
    }
    this.#channel?.send(
      buildMessage(recordRequest.DATA, 4 + samples.byteLength, (body) => {
        body.setUint32(0, time, true);
        new Uint8Array(body.buffer, body.byteOffset + 4).set(samples);
      }),
    );
  }
}
