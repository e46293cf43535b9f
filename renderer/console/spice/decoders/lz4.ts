/**
 * LZ4 as SPICE has it: top-down (1 byte) · bitmap format (1 byte) · blocks, each with its length (32 bits, highest byte first). A block
 * holds some rows, and its references may lead into those of the blocks before. Blocks are as in
 * https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md.
 */
import { SpiceError } from '../protocol/spice-error.ts';
import { bitmapFormat, decodeBitmap } from './bitmap.ts';
import { longCopy, readBigEndian, repeatBack } from './lz-format.ts';
import { checkPictureSize, keptWorkBytes, type Picture } from './picture.ts';

const headerBytes = 2;
const shortestMatch = 4;

/** Keeps nothing but its working memory. */
export class Lz4Decoder {
  #raw = new Uint8Array(0);

  /** `width` and `height` are those of the message. Throws {@link SpiceError}. */
  decode(data: Uint8Array, width: number, height: number, into?: Uint32Array): Picture {
    checkPictureSize(width, height, 'LZ4 picture');
    if (data.byteLength < headerBytes) throw new SpiceError('LZ4: cut short in its header');
    const topDown = data[0] !== 0;
    const format = data[1] as number;
    const bytes = pixelBytes(format);
    const size = width * height * bytes;
    if (size > data.byteLength * 255) throw new SpiceError(`LZ4: ${size} bytes do not come out of ${data.byteLength}`);
    let memory = this.#raw;
    if (memory.length < size) memory = new Uint8Array(size);
    if (size <= keptWorkBytes) this.#raw = memory;
    const raw = memory.subarray(0, size);
    let done = 0;
    for (let at = headerBytes; at < data.byteLength; ) {
      if (at + 4 > data.byteLength) throw new SpiceError('LZ4: a block is cut short');
      const length = readBigEndian(data, at);
      at += 4;
      if (length > data.byteLength - at) throw new SpiceError('LZ4: a block is cut short');
      done = decodeBlock(data, at, at + length, raw, done);
      at += length;
    }
    if (done !== size) throw new SpiceError(`LZ4: ${done} bytes came out where ${size} were to`);
    return decodeBitmap({ format, width, height, stride: width * bytes, topDown, palette: null, data: raw }, into);
  }
}

function pixelBytes(format: number): number {
  if (format === bitmapFormat.rgb16) return 2;
  if (format === bitmapFormat.rgb24) return 3;
  if (format === bitmapFormat.rgb32 || format === bitmapFormat.rgba) return 4;
  throw new SpiceError(`LZ4: pixels of format ${format} are not possible`);
}

/** Decodes `[at, end)` of `data` to `out` from `done` on, and says how far it came. */
export function decodeBlock(data: Uint8Array, at: number, end: number, out: Uint8Array, done: number): number {
  const size = out.length;
  while (at < end) {
    const token = data[at++] as number;
    let literals = token >>> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (at >= end) throw cutShort();
        more = data[at++] as number;
        literals += more;
      } while (more === 255);
    }
    if (literals > end - at) throw cutShort();
    if (literals > size - done) throw tooMuch();
    if (literals < longCopy) for (const stop = done + literals; done < stop; ) out[done++] = data[at++] as number;
    else {
      out.set(data.subarray(at, at + literals), done);
      at += literals;
      done += literals;
    }
    // The last sequence is literals alone.
    if (at === end) return done;

    if (at + 2 > end) throw cutShort();
    const distance = (data[at] as number) | ((data[at + 1] as number) << 8);
    at += 2;
    let length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        if (at >= end) throw cutShort();
        more = data[at++] as number;
        length += more;
      } while (more === 255);
    }
    length += shortestMatch;
    if (distance === 0 || distance > done) throw new SpiceError('LZ4: a reference leads out of the picture');
    if (length > size - done) throw tooMuch();
    if (length < longCopy) for (const stop = done + length; done < stop; done++) out[done] = out[done - distance] as number;
    else {
      repeatBack(out, done, distance, length);
      done += length;
    }
  }
  return done;
}

const cutShort = () => new SpiceError('LZ4: a block ends within a sequence');
const tooMuch = () => new SpiceError('LZ4: holds more than its picture has');
