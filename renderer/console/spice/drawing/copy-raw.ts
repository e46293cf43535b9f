/** The copy that a local guest's screen consists of: uncompressed pixels, straight from the message onto the surface. */
import type { Surface } from './surface.ts';

let viewed: ArrayBufferLike | null = null;
let view: DataView = new DataView(new ArrayBuffer(0));

/**
 * Draws `width` × `height` pixels of four bytes (blue, green, red, unused) that lie at `at` in `bytes`, `stride` bytes from row to row, at the
 * corner `left`, `top`. All of it must lie within both. `alphaMask` is what the fourth byte is or-ed with: 0xff000000 makes it opaque.
 */
export function copyRaw(
  surface: Surface,
  left: number,
  top: number,
  width: number,
  height: number,
  bytes: Uint8Array,
  at: number,
  stride: number,
  alphaMask: number,
): void {
  if (viewed !== bytes.buffer) {
    viewed = bytes.buffer;
    view = new DataView(bytes.buffer);
  }
  const pixels = surface.pixels;
  let from = bytes.byteOffset + at;
  let to = top * surface.width + left;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // Compiled to one load, whatever the alignment.
      const pixel = view.getUint32(from + 4 * x, true);
      pixels[to + x] = alphaMask | (pixel & 0xff00ff00) | ((pixel & 0xff) << 16) | ((pixel >>> 16) & 0xff);
    }
    from += stride;
    to += surface.width;
  }
}

/** The message that was read last is not held on to. */
export function forgetRaw(): void {
  viewed = null;
  view = new DataView(new ArrayBuffer(0));
}
