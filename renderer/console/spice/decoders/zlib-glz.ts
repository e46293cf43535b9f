/** ZLIB_GLZ_RGB: a GLZ stream that was deflated once more, for slow networks. */
import { SpiceError } from '../protocol/spice-error.ts';
import { decodeGlz, type GlzWait } from './glz.ts';
import type { GlzWindow } from './glz-window.ts';
import { Inflater } from './inflate.ts';
import { checkPictureSize, type Picture } from './picture.ts';

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
    if (this.#glz.length < glzBytes) this.#glz = new Uint8Array(Math.ceil(glzBytes * 1.25));
    const glz = this.#glz.subarray(0, glzBytes);
    this.#inflater.inflate(data, glz);
    return decodeGlz(glz, window);
  }
}
