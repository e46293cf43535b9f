/** Rows of pixels on their way to a surface: copied, cut down to what the surface holds, kept in between. */
import { fitPixels, hasFullAlpha, needsFitting, type Source, type Surface } from './surface.ts';

/** From this length on the view that `set` needs costs less than a loop. */
const minSetPx = 96;

/** A buffer that grows with what is asked of it. Its content is whatever was left there. */
export class Row {
  #pixels = new Uint32Array(2048);

  /** At least that long. */
  of(length: number): Uint32Array {
    if (this.#pixels.length < length) this.#pixels = new Uint32Array(length * 2);
    return this.#pixels;
  }
}

export function copyPixels(to: Uint32Array, at: number, from: Uint32Array, start: number, count: number): void {
  if (count >= minSetPx) {
    to.set(from.subarray(start, start + count), at);
    return;
  }
  for (let index = 0; index < count; index++) to[at + index] = from[start + index] as number;
}

/** Whether pixels of this source are pixels of that surface, bit for bit. */
export function fitsAsIs(source: Source, target: Surface): boolean {
  if ((source as Partial<Surface>).format === target.format && (source as Partial<Surface>).opaqueBits === target.opaqueBits) return true;
  return !needsFitting(target.format) && (target.opaqueBits === 0 || hasFullAlpha(source));
}

/** Makes `pixels[start..end)` such as the surface holds. */
export function fitRow(target: Surface, pixels: Uint32Array, start: number, end: number): void {
  if (needsFitting(target.format)) fitPixels(target.format, pixels, start, end);
  else if (target.opaqueBits !== 0) for (let at = start; at < end; at++) pixels[at] = (pixels[at] as number) | target.opaqueBits;
}

/** The source, or a copy when it is the very surface that is drawn upon, whose pixels change meanwhile. */
export function detached(source: Source, target: Surface): Source {
  if (source.pixels !== target.pixels) return source;
  return { ...source, pixels: source.pixels.slice() };
}

export function isSurface(source: Source): source is Surface {
  return (source as Partial<Surface>).format !== undefined;
}

/**
 * A picture cut down to what the surface can hold, which on surfaces of 16 bits is without its alpha: so the server converts pictures, but
 * not surfaces, before it blends them. The source itself where that changes nothing; detached in any case.
 */
export function fittedSource(source: Source, target: Surface): Source {
  if (isSurface(source) || !needsFitting(target.format)) return detached(source, target);
  const pixels = source.pixels.slice();
  fitPixels(target.format, pixels, 0, pixels.length);
  return { width: source.width, height: source.height, pixels, opaque: target.opaque };
}
