/** What every decoder makes, and how large it may be. */
import { SpiceError } from '../protocol/spice-error.ts';

/**
 * Top-down, `width` pixels a row with nothing between the rows. A pixel is `0xAABBGGRR`: the bytes R, G, B, A on a little-endian machine, as
 * a canvas has them. Opaque pictures carry alpha 0xff everywhere; others are premultiplied, as SPICE sends them.
 */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint32Array;
  readonly opaque: boolean;
}

export const maxSidePx = 16_384;
/** More than an 8K screen: 256 MiB of memory. */
export const maxPixels = 64 * 1024 * 1024;

/** What keeping a picture costs beside its pixels, told in pixels: millions of tiny ones are no small thing. */
export const keptPictureCost = 32;

/** Working memory that a decoder holds on to until the next picture. What a larger one took is let go of. */
export const keptWorkBytes = 16 * 1024 * 1024;

/** Throws unless a picture of this size may be allocated. */
export function checkPictureSize(width: number, height: number, what = 'picture'): void {
  if (!(width > 0 && height > 0 && width <= maxSidePx && height <= maxSidePx && width * height <= maxPixels))
    throw new SpiceError(`a ${what} of ${width} × ${height} pixels is not possible`);
}
