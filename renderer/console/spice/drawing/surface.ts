/** What is drawn upon: the screen and what a driver keeps off-screen. */
import { checkPictureSize } from '../decoders/picture.ts';
import { SpiceError } from '../protocol/spice-error.ts';

/** As SPICE has it: `right` and `bottom` are the first pixels outside. */
export type Rect = { left: number; top: number; right: number; bottom: number };

/** SPICE_SURFACE_FMT_*. 16-bit surfaces are held as 32 with the high bits repeated, which raster operations preserve. */
export const surfaceFormat = { a1: 1, a8: 8, rgb555: 16, xrgb: 32, rgb565: 80, argb: 96 } as const;

/** What pixels are taken from: a picture as a decoder made it, or a surface. */
export interface Source {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
  /** Whether every pixel counts as wholly opaque. The alpha byte of an off-screen `xrgb` surface can be anything all the same. */
  readonly opaque: boolean;
}

/** Pixels as in {@link import('../decoders/picture.ts').Picture}; surfaces of alpha alone have it in the highest byte and zeros below. */
export interface Surface extends Source {
  readonly id: number;
  readonly format: number;
  /** Set in every pixel that is written: 0xff000000 where a canvas is to show the pixels as they are, else 0. */
  readonly opaqueBits: number;
}

const knownFormats: ReadonlySet<number> = new Set(Object.values(surfaceFormat));

/**
 * A black surface. An `xrgb` surface that is off-screen keeps the byte that has no meaning, as the server does: Windows drivers blend from
 * such surfaces with SPICE_ALPHA_FLAGS_SRC_SURFACE_HAS_ALPHA.
 */
export function createSurface(id: number, width: number, height: number, format: number, offScreen = false): Surface {
  checkPictureSize(width, height, 'surface');
  if (!knownFormats.has(format)) throw new SpiceError(`a surface of format ${format} does not exist`);
  const opaque = isOpaque(format);
  const opaqueBits = opaque && !(offScreen && format === surfaceFormat.xrgb) ? 0xff000000 : 0;
  const pixels = new Uint32Array(width * height);
  if (opaqueBits !== 0) pixels.fill(opaqueBits);
  return { id, width, height, format, pixels, opaque, opaqueBits };
}

export function isOpaque(format: number): boolean {
  return format === surfaceFormat.xrgb || format === surfaceFormat.rgb555 || format === surfaceFormat.rgb565;
}

/** Whether its pixels can be copied to an opaque surface as they are: alpha is 0xff in each of them. */
export function hasFullAlpha(source: Source): boolean {
  return source.opaque && (source as Partial<Surface>).opaqueBits !== 0;
}

/** The bits of a pixel that a surface of this format has: of those with alpha alone, only the alpha. */
export function bitsOf(format: number): number {
  return format === surfaceFormat.a8 || format === surfaceFormat.a1 ? 0xff000000 : 0xffffffff;
}

/** A pixel from a number as messages have it: as it lies in the memory of a surface of this format. */
export function pixelOf(surface: Surface, value: number): number {
  switch (surface.format) {
    case surfaceFormat.rgb555:
      return (0xff000000 | (widen5(value & 0x1f) << 16) | (widen5((value >>> 5) & 0x1f) << 8) | widen5((value >>> 10) & 0x1f)) >>> 0;
    case surfaceFormat.rgb565:
      return (0xff000000 | (widen5(value & 0x1f) << 16) | (widen6((value >>> 5) & 0x3f) << 8) | widen5((value >>> 11) & 0x1f)) >>> 0;
    case surfaceFormat.a8:
      return (value << 24) >>> 0;
    case surfaceFormat.a1:
      return (value & 1) === 0 ? 0 : 0xff000000;
    default:
      return (swapRedBlue(value) | surface.opaqueBits) >>> 0;
  }
}

/** `0xAARRGGBB`, as messages have colours, to `0xAABBGGRR`; and back. */
export function swapRedBlue(value: number): number {
  return ((value & 0xff00ff00) | ((value & 0xff) << 16) | ((value >>> 16) & 0xff)) >>> 0;
}

function widen5(value: number): number {
  return (value << 3) | (value >>> 2);
}

function widen6(value: number): number {
  return (value << 2) | (value >>> 4);
}

/** Whether a picture's pixels must go through {@link fitPixels} before they are a surface's. */
export function needsFitting(format: number): boolean {
  return format !== surfaceFormat.xrgb && format !== surfaceFormat.argb;
}

/** Makes pixels of 32 bit what a surface of that format holds of them, in place: cut off and not rounded, as pixman does. */
export function fitPixels(format: number, pixels: Uint32Array, start: number, end: number): void {
  if (format === surfaceFormat.rgb555)
    for (let at = start; at < end; at++) {
      const kept = (pixels[at] as number) & 0xf8f8f8;
      pixels[at] = 0xff000000 | kept | ((kept >>> 5) & 0x070707);
    }
  else if (format === surfaceFormat.rgb565)
    for (let at = start; at < end; at++) {
      const kept = (pixels[at] as number) & 0xf8fcf8;
      pixels[at] = 0xff000000 | kept | ((kept >>> 5) & 0x070007) | ((kept >>> 6) & 0x000300);
    }
  else if (format === surfaceFormat.a8) for (let at = start; at < end; at++) pixels[at] = (pixels[at] as number) & 0xff000000;
  else if (format === surfaceFormat.a1)
    for (let at = start; at < end; at++) pixels[at] = (pixels[at] as number) >>> 31 === 0 ? 0 : 0xff000000;
}
