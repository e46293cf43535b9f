import type { Pixels } from '../support/png.ts';

/** PSNR of two pictures of one size over all their samples, in dB; infinite where they are equal. */
export function peakSignalToNoise(one: Pixels, other: Pixels): number {
  let squares = 0;
  for (let at = 0; at < one.rgb.length; at++) {
    const difference = (one.rgb[at] as number) - (other.rgb[at] as number);
    squares += difference * difference;
  }
  return squares === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10((255 * 255 * one.rgb.length) / squares);
}
