/**
 * Paints what a recorded display channel shows, as far as a Debian desktop on QXL goes: copies with and without clip rectangles, moves and
 * fills. Independent of the product's drawing, so that a decoder can be judged by QEMU's own picture of the screen.
 */
import type { Picture } from '../../renderer/console/spice/decoders/picture.ts';
import { Reader } from '../../renderer/console/spice/protocol/reader.ts';

const message = { copyBits: 104, fill: 302, copy: 304, surfaceCreate: 314 };
const ropPut = 8;

type Box = { top: number; left: number; bottom: number; right: number };

export class PaintedSession {
  width = 0;
  height = 0;
  pixels = new Uint32Array(0);
  readonly #decode: (body: Reader, offset: number) => Picture;

  constructor(decode: (body: Reader, offset: number) => Picture) {
    this.#decode = decode;
  }

  message(type: number, body: Uint8Array): void {
    const reader = new Reader(body);
    if (type === message.surfaceCreate) {
      reader.skip(4);
      this.width = reader.u32();
      this.height = reader.u32();
      this.pixels = new Uint32Array(this.width * this.height).fill(0xff000000);
    } else if (type === message.copy) this.#copy(reader);
    else if (type === message.fill) this.#fill(reader);
    else if (type === message.copyBits) this.#copyBits(reader);
  }

  #copy(reader: Reader): void {
    const { box, clips } = this.#base(reader);
    const picture = this.#decode(reader, reader.u32());
    const source = readBox(reader);
    if (reader.u16() !== ropPut) throw new Error('A copy with a raster operation is not painted here.');
    for (const clip of clips)
      for (let y = clip.top; y < clip.bottom; y++)
        for (let x = clip.left; x < clip.right; x++)
          this.pixels[y * this.width + x] =
            0xff000000 | (picture.pixels[(y - box.top + source.top) * picture.width + x - box.left + source.left] as number);
  }

  #fill(reader: Reader): void {
    const { clips } = this.#base(reader);
    if (reader.u8() !== 1) throw new Error('A fill with a pattern is not painted here.');
    const colour = reader.u32();
    const pixel = 0xff000000 | ((colour & 0xff) << 16) | (colour & 0xff00) | ((colour >>> 16) & 0xff);
    if (reader.u16() !== ropPut) throw new Error('A fill with a raster operation is not painted here.');
    for (const { top, left, bottom, right } of clips)
      for (let y = top; y < bottom; y++) this.pixels.fill(pixel, y * this.width + left, y * this.width + right);
  }

  #copyBits(reader: Reader): void {
    const { box, clips } = this.#base(reader);
    const [x0, y0] = [reader.i32(), reader.i32()];
    const before = this.pixels.slice();
    for (const clip of clips)
      for (let y = clip.top; y < clip.bottom; y++)
        for (let x = clip.left; x < clip.right; x++)
          this.pixels[y * this.width + x] = before[(y - box.top + y0) * this.width + x - box.left + x0] as number;
  }

  /** Where it is drawn: the box, cut by each of the clip rectangles. */
  #base(reader: Reader): { box: Box; clips: Box[] } {
    reader.skip(4);
    const box = readBox(reader);
    if (reader.u8() === 0) return { box, clips: [box] };
    const clips = Array.from({ length: reader.u32() }, () => readBox(reader)).map((clip) => ({
      top: Math.max(clip.top, box.top),
      left: Math.max(clip.left, box.left),
      bottom: Math.min(clip.bottom, box.bottom),
      right: Math.min(clip.right, box.right),
    }));
    return { box, clips };
  }
}

function readBox(reader: Reader): Box {
  return { top: reader.i32(), left: reader.i32(), bottom: reader.i32(), right: reader.i32() };
}
