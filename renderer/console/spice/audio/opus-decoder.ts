/** What the playback channel needs of whoever unpacks Opus: the browser's own decoder in a worker, a test's in Node. */

export interface OpusDecoder {
  /** The packet is good until this returns. One that comes while too many wait is lost. */
  decode(packet: Uint8Array): void;
  /** Nothing is told any more. */
  close(): void;
}

/** `decoded`: interleaved samples at 48 kHz, from -1 to 1, in the order of the packets. `failed`: last, once. */
export type MakeOpusDecoder = (
  channels: number,
  decoded: (samples: Float32Array<ArrayBuffer>) => void,
  failed: (reason: string) => void,
) => OpusDecoder;
