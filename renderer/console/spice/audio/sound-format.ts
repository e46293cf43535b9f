/** What both directions of sound have in common on the wire. */
import { soundFormatS16, soundMode } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';

export type SoundFormat = { channels: number; rateHz: number };

const maxChannels = 2;
const minRateHz = 8000;
const maxRateHz = 96_000;
/** The one rate at which SPICE packs sound with Opus. */
export const opusRateHz = 48_000;

/** Channels, format and frequency of a START. */
export function readSoundFormat(body: Reader): SoundFormat {
  const channels = body.u32();
  const format = body.u16();
  const rateHz = body.u32();
  if (channels < 1 || channels > maxChannels) throw new SpiceError(`sound of ${channels} channels is not possible`);
  if (format !== soundFormatS16) throw new SpiceError(`sound of format ${format} does not exist`);
  if (rateHz < minRateHz || rateHz > maxRateHz) throw new SpiceError(`sound of ${rateHz} Hz is not possible`);
  return { channels, rateHz };
}

/**
 * SpiceMsgAudioVolume as the amplitude that each channel is played with, 0 to 1. Guests count in decibels, of which the server makes a number
 * in proportion: its cube comes near to that, and is what PulseAudio and spice-gtk make of it.
 */
export function readVolume(body: Reader): number[] {
  const count = body.count(body.u8(), 2, 'volumes');
  if (count > maxChannels) throw new SpiceError(`the volume of ${count} channels is not possible`);
  return Array.from({ length: count }, () => (body.u16() / 0xffff) ** 3);
}

/** The name of a mode that is accepted; throws {@link SpiceError} for others. */
export function readMode(mode: number): 'raw' | 'opus' {
  if (mode === soundMode.RAW) return 'raw';
  if (mode === soundMode.OPUS) return 'opus';
  throw new SpiceError(`sound of mode ${mode} was not asked for`);
}

/** Samples from -1 to 1 of 16 bits, little-endian. */
export function samplesOf(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(bytes.byteLength >> 1);
  for (let at = 0; at < samples.length; at++)
    samples[at] = ((((bytes[2 * at] as number) | ((bytes[2 * at + 1] as number) << 8)) << 16) >> 16) / 0x8000;
  return samples;
}
