/** What goes to the store of samples beside the sound card (an audio worklet), and comes back. */
import type { SoundFormat } from './sound-format.ts';

export type ToSpeaker =
  | ({ type: 'start' } & SoundFormat)
  /** Interleaved. Each is answered by `taken`. */
  | { type: 'samples'; samples: Float32Array<ArrayBuffer> }
  | { type: 'stop' }
  /** So long what comes is to be held back at least, so that video can go with it; 0 where nothing asks for it. */
  | { type: 'latency'; leastMs: number }
  /** The amplitude of each channel as the guest wants it. */
  | { type: 'gains'; gains: readonly number[] };

/** `delayMs`: how long it is from now until the last of what was taken is heard. */
export type FromSpeaker = { type: 'taken'; delayMs: number };
