/** What the record channel needs of whoever packs Opus: the browser's own encoder in a worker, a test's in Node. */

/** A hundredth of a second: the one length that a SPICE server takes. */
export const opusPacketMs = 10;

export interface OpusEncoder {
  /** Interleaved samples of 16 bits at 48 kHz, little-endian, {@link opusPacketMs} of them; they are good until this returns. */
  encode(samples: Uint8Array): void;
  /** Nothing is told any more. */
  close(): void;
}

/** `encoded`: a packet each, in the order of the samples. `failed`: last, once. */
export type MakeOpusEncoder = (channels: number, encoded: (packet: Uint8Array<ArrayBuffer>) => void, failed: () => void) => OpusEncoder;
