/** Uncompressed pixels, in all formats that SPICE has. */
import { SpiceError } from '../protocol/spice-error.ts';
import { spreadRgb555, unpackRgb24 } from './lz-format.ts';
import { expandIndices, type Palette } from './palette.ts';
import { checkPictureSize, type Picture } from './picture.ts';

/** SPICE_BITMAP_FMT_*. `rgb16` has five bits a sample. */
export const bitmapFormat = {
  indexed1Le: 1,
  indexed1Be: 2,
  indexed4Le: 3,
  indexed4Be: 4,
  indexed8: 5,
  rgb16: 6,
  rgb24: 7,
  rgb32: 8,
  rgba: 9,
  alpha8: 10,
} as const;

const bitsPerPixel = [0, 1, 1, 4, 4, 8, 16, 24, 32, 32, 8];
const opaque = 0xff000000 | 0;

export interface Bitmap {
  readonly format: number;
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
  readonly topDown: boolean;
  /** For the indexed formats. */
  readonly palette: Palette | null;
  /** `stride * height` bytes, or less by what the last row need not have. */
  readonly data: Uint8Array;
}

/** Throws unless `data` of that many bytes a row can hold the pixels. */
export function checkBitmap({ format, width, height, stride }: Omit<Bitmap, 'data' | 'palette' | 'topDown'>): void {
  checkPictureSize(width, height, 'bitmap');
  const bits = bitsPerPixel[format];
  if (bits === undefined || bits === 0) throw new SpiceError(`there is no bitmap format ${format}`);
  if (stride < Math.ceil((width * bits) / 8))
    throw new SpiceError(`${stride} bytes a row are too few for ${width} pixels of format ${format}`);
  // Rows are padded to four bytes as a rule. A stride far beyond that would make little of much.
  if (stride > (width * bits) / 8 + 65_536)
    throw new SpiceError(`${stride} bytes a row are too many for ${width} pixels of format ${format}`);
}

/** `into` is filled if it is large enough. Throws {@link SpiceError}. */
export function decodeBitmap(bitmap: Bitmap, into?: Uint32Array): Picture {
  checkBitmap(bitmap);
  const { format, width, height, stride, topDown, palette, data } = bitmap;
  const rowBytes = Math.ceil((width * (bitsPerPixel[format] as number)) / 8);
  if (stride * (height - 1) + rowBytes > data.byteLength)
    throw new SpiceError(`${data.byteLength} bytes are too few for a bitmap of ${height} rows`);
  if (format <= bitmapFormat.indexed8) {
    if (palette === null) throw new SpiceError('a bitmap has no palette');
    // The indexed formats of bitmaps and of LZ have the same numbers.
    return expandIndices(data, format, width, height, stride, topDown, palette, into);
  }

  const count = width * height;
  const pixels = into !== undefined && into.length >= count ? into.subarray(0, count) : new Uint32Array(count);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const whole = format === bitmapFormat.rgb32 || format === bitmapFormat.rgba ? wordsOf(data, stride) : null;
  for (let row = 0; row < height; row++) {
    let from = (topDown ? row : height - 1 - row) * stride;
    let to = row * width;
    const end = to + width;
    if (whole !== null) {
      const keep = format === bitmapFormat.rgba ? 0 : opaque;
      for (from >>>= 2; to < end; to++, from++) {
        const pixel = whole[from] as number;
        pixels[to] = keep | (pixel & 0xff00ff00) | ((pixel & 0xff) << 16) | ((pixel >>> 16) & 0xff);
      }
    } else if (format === bitmapFormat.rgb32)
      for (; to < end; to++, from += 4)
        pixels[to] = opaque | ((data[from] as number) << 16) | ((data[from + 1] as number) << 8) | (data[from + 2] as number);
    else if (format === bitmapFormat.rgba)
      for (; to < end; to++, from += 4)
        pixels[to] =
          ((data[from + 3] as number) << 24) |
          ((data[from] as number) << 16) |
          ((data[from + 1] as number) << 8) |
          (data[from + 2] as number);
    else if (format === bitmapFormat.rgb24) unpackRgb24(view, from, pixels, to, width);
    else if (format === bitmapFormat.rgb16)
      for (; to < end; to++, from += 2) pixels[to] = spreadRgb555((data[from] as number) | ((data[from + 1] as number) << 8));
    else for (; to < end; to++, from++) pixels[to] = (data[from] as number) << 24;
  }
  return { width, height, pixels, opaque: format !== bitmapFormat.rgba && format !== bitmapFormat.alpha8 };
}

/** Four bytes at a time, where they lie so that it is possible: a third of the time. */
function wordsOf(data: Uint8Array, stride: number): Int32Array | null {
  if ((data.byteOffset & 3) !== 0 || (stride & 3) !== 0) return null;
  return new Int32Array(data.buffer, data.byteOffset, data.byteLength >>> 2);
}
