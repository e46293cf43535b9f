/** Opus by the browser's own decoder and encoder (WebCodecs). */
import type { MakeOpusDecoder, OpusDecoder } from '../audio/opus-decoder.ts';
import { type MakeOpusEncoder, type OpusEncoder, opusPacketMs } from '../audio/opus-encoder.ts';
import { opusRateHz } from '../audio/sound-format.ts';

/** A fifth of a second: a decoder or encoder that is further behind is not going to catch up. */
const maxWaiting = 20;
/** For each channel: what no ear tells from the original. */
const bitsPerSecond = 64_000;
/** A packet of Opus has 120 ms at most; more than two channels were not asked for. */
const maxFrames = (opusRateHz * 120) / 1000;

class PlatformOpus implements OpusDecoder {
  readonly #decoder: AudioDecoder;
  #timeUs = 0;
  #closed = false;

  constructor(channels: number, decoded: (samples: Float32Array<ArrayBuffer>) => void, failed: (reason: string) => void) {
    this.#decoder = new AudioDecoder({
      output: (data) => {
        if (!this.#closed && data.numberOfFrames <= maxFrames && data.numberOfChannels === channels) decoded(interleaved(data));
        data.close();
      },
      error: (error) => {
        if (this.#closed) return;
        this.#closed = true;
        failed(error.message);
      },
    });
    this.#decoder.configure({ codec: 'opus', sampleRate: opusRateHz, numberOfChannels: channels });
  }

  decode(packet: Uint8Array): void {
    if (this.#closed || this.#decoder.decodeQueueSize >= maxWaiting) return;
    // Every packet stands alone; the times only have to go on.
    this.#decoder.decode(new EncodedAudioChunk({ type: 'key', timestamp: this.#timeUs, data: packet as Uint8Array<ArrayBuffer> }));
    this.#timeUs += 10_000;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder.close();
  }
}

class PlatformOpusEncoder implements OpusEncoder {
  readonly #channels: number;
  readonly #encoder: AudioEncoder;
  #timeUs = 0;
  #closed = false;

  constructor(channels: number, encoded: (packet: Uint8Array<ArrayBuffer>) => void, failed: () => void) {
    this.#channels = channels;
    this.#encoder = new AudioEncoder({
      output: (chunk) => {
        if (this.#closed) return;
        const packet = new Uint8Array(chunk.byteLength);
        chunk.copyTo(packet);
        encoded(packet);
      },
      error: () => {
        if (this.#closed) return;
        this.#closed = true;
        failed();
      },
    });
    this.#encoder.configure({
      codec: 'opus',
      sampleRate: opusRateHz,
      numberOfChannels: channels,
      bitrate: bitsPerSecond * channels,
      opus: { frameDuration: opusPacketMs * 1000 },
    });
  }

  encode(samples: Uint8Array): void {
    if (this.#closed || this.#encoder.encodeQueueSize >= maxWaiting) return;
    const data = new AudioData({
      format: 's16',
      sampleRate: opusRateHz,
      numberOfFrames: samples.byteLength / (2 * this.#channels),
      numberOfChannels: this.#channels,
      timestamp: this.#timeUs,
      data: samples as Uint8Array<ArrayBuffer>,
    });
    this.#encoder.encode(data);
    data.close();
    this.#timeUs += opusPacketMs * 1000;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#encoder.close();
  }
}

function interleaved(data: AudioData): Float32Array<ArrayBuffer> {
  const channels = data.numberOfChannels;
  const frames = data.numberOfFrames;
  const samples = new Float32Array(frames * channels);
  const plane = new Float32Array(frames);
  for (let channel = 0; channel < channels; channel++) {
    data.copyTo(plane, { planeIndex: channel, format: 'f32-planar' });
    for (let frame = 0; frame < frames; frame++) samples[frame * channels + channel] = plane[frame] as number;
  }
  return samples;
}

/** Null where the platform has no such encoder: then the microphone's sound goes over as it is. */
export const platformOpusEncoder: MakeOpusEncoder | null =
  'AudioEncoder' in globalThis ? (channels, encoded, failed) => new PlatformOpusEncoder(channels, encoded, failed) : null;

/** Null where the platform has no such decoder: then the server is asked for sound that is not packed. */
export const platformOpus: MakeOpusDecoder | null =
  'AudioDecoder' in globalThis ? (channels, decoded, failed) => new PlatformOpus(channels, decoded, failed) : null;
