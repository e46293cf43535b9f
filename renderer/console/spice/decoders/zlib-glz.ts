/** ZLIB_GLZ_RGB: a GLZ stream that was deflated once more, for slow networks. */
import { SpiceError } from '../protocol/spice-error.ts';
import { decodeGlz, type GlzWait } from './glz.ts';
import type { GlzWindow } from './glz-window.ts';
import { Inflater } from './inflate.ts';
import { checkPictureSize, keptWorkBytes, type Picture } from './picture.ts';

/** No encoder writes more for a pixel: three literals, one of alpha, and two commands for each 32 of them. */
const mostBytesPerPixel = 5;
const headerBytes = 64;

export class ZlibGlzDecoder {
  readonly #inflater = new Inflater();
  #glz = new Uint8Array(0);

  /** `glzBytes`, `width` and `height` are those of the message. As `decodeGlz` otherwise. Throws {@link SpiceError}. */
  decode(data: Uint8Array, glzBytes: number, width: number, height: number, window: GlzWindow): Picture | GlzWait {
    checkPictureSize(width, height, 'GLZ picture');
    if (glzBytes > width * height * mostBytesPerPixel + headerBytes)
      throw new SpiceError(`GLZ: ${glzBytes} bytes are too many for ${width} × ${height} pixels`);
    // Deflate makes at most 1032 bytes of one.
    if (glzBytes > data.byteLength * 1032) throw new SpiceError(`GLZ: ${glzBytes} bytes do not come out of ${data.byteLength}`);
    let memory = this.#glz;
    if (memory.length < glzBytes) memory = new Uint8Array(glzBytes);
    if (glzBytes <= keptWorkBytes) this.#glz = memory;
    const glz = memory.subarray(0, glzBytes);
    this.#inflater.inflate(data, glz);
    return decodeGlz(glz, window);
  }
}
