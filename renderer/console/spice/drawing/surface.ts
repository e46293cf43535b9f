/** What is drawn upon: the screen and what a driver keeps off-screen. */
import { checkPictureSize } from '../decoders/picture.ts';
import { SpiceError } from '../protocol/spice-error.ts';

/** As SPICE has it: `right` and `bottom` are the first pixels outside. */
export type Rect = { left: number; top: number; right: number; bottom: number };

/** SPICE_SURFACE_FMT_*. 16-bit surfaces are held as 32 with the high bits repeated, which raster operations preserve. */
export const surfaceFormat = { a1: 1, a8: 8, rgb555: 16, xrgb: 32, rgb565: 80, argb: 96 } as const;

/** Pixels as in {@link import('../decoders/picture.ts').Picture}: all but `argb` and the two of alpha alone carry 0xff. */
export interface Surface {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly pixels: Uint32Array;
}

const knownFormats: ReadonlySet<number> = new Set(Object.values(surfaceFormat));

/** A black surface. */
export function createSurface(id: number, width: number, height: number, format: number): Surface {
  checkPictureSize(width, height, 'surface');
  if (!knownFormats.has(format)) throw new SpiceError(`a surface of format ${format} does not exist`);
  const pixels = new Uint32Array(width * height);
  if (isOpaque(format)) pixels.fill(0xff000000);
  return { id, width, height, format, pixels };
}

export function isOpaque(format: number): boolean {
  return format === surfaceFormat.xrgb || format === surfaceFormat.rgb555 || format === surfaceFormat.rgb565;
}
