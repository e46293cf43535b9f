/** What goes to the store of samples beside the sound card (an audio worklet), and comes back. */
import type { SoundFormat } from './sound-format.ts';

export type ToSpeaker =
  | ({ type: 'start' } & SoundFormat)
  /** Interleaved. Each is answered by `taken`. */
  | { type: 'samples'; samples: Float32Array<ArrayBuffer> }
  | { type: 'stop' }
  /** The amplitude of each channel as the guest wants it. */
  | { type: 'gains'; gains: readonly number[] };

export type FromSpeaker = { type: 'taken' };
