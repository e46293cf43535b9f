/**
 * LZ, SPICE's cousin of FastLZ whose unit is a pixel: literals, and references to what came before in the same picture.
 *
 * Stream: "  ZL" · version · type · width · height · stride · top-down (32 bits each, highest byte first) · commands until all pixels are
 * there; RGBA has a second series of commands for alpha. A command is 0..31 for that many literals and one more, else a reference:
 * `length (3 bits) | distance (5 bits)`, more of the length while it reads 255, the distance's lower byte, and two bytes more for the
 * farthest.
 */
import { SpiceError } from '../protocol/spice-error.ts';
import {
  flipRows,
  longCopy,
  lzMagic,
  lzType,
  lzVersion,
  palettePixelsPerByte,
  readBigEndian,
  repeatBack,
  spreadRgb555,
  unpackRgb24,
} from './lz-format.ts';
import { expandIndices, type Palette } from './palette.ts';
import { checkPictureSize, type Picture } from './picture.ts';

const headerBytes = 28;
/** Distances up to here are told in 13 bits; two bytes more follow the first that is not. */
const nearDistance = 8191;

/** What literals are made of. */
const literal = { byte: 0, rgb16: 1, rgb24: 2, alpha: 3 } as const;

export interface LzHeader {
  readonly type: number;
  readonly width: number;
  readonly height: number;
  /** Bytes a row of the uncompressed picture. */
  readonly stride: number;
  readonly topDown: boolean;
}

/** Throws {@link SpiceError} unless a picture of that kind can be. */
export function readLzHeader(data: Uint8Array): LzHeader {
  if (readBigEndian(data, 0) !== lzMagic) throw new SpiceError('LZ: does not begin with “  ZL”');
  if (readBigEndian(data, 4) !== lzVersion) throw new SpiceError(`LZ: version ${readBigEndian(data, 4)} is not known`);
  const type = readBigEndian(data, 8);
  const width = readBigEndian(data, 12);
  const height = readBigEndian(data, 16);
  const stride = readBigEndian(data, 20);
  if (type < lzType.plt1Le || type > lzType.a8) throw new SpiceError(`LZ: there is no type ${type}`);
  checkPictureSize(width, height, 'LZ picture');
  const perByte = palettePixelsPerByte(type);
  // A stride that is not that of the pixels alone is of a picture with a palette, whose rows may end with a byte that nobody sees.
  if (perByte > 0 && (stride < width / perByte || stride > Math.ceil(width / perByte) + 3))
    throw new SpiceError(`LZ: ${stride} bytes a row are wrong for ${width} pixels`);
  return { type, width, height, stride, topDown: readBigEndian(data, 24) !== 0 };
}

/**
 * Decodes a picture. `palette` is that of the message, for the types that need one. `into` is filled if it is large enough. Throws
 * {@link SpiceError}.
 */
export function decodeLz(data: Uint8Array, palette: Palette | null = null, into?: Uint32Array): Picture {
  const header = readLzHeader(data);
  const { type, width, height, stride, topDown } = header;
  const count = width * height;
  checkPromise(data, count);
  if (palettePixelsPerByte(type) > 0) {
    if (palette === null) throw new SpiceError('LZ: a palette is missing');
    const indices = new Int32Array(stride * height);
    decodeCommands(data, headerBytes, indices, literal.byte);
    return expandIndices(indices, type, width, height, stride, topDown, palette, into);
  }
  const picture = into !== undefined && into.length >= count ? into.subarray(0, count) : new Uint32Array(count);
  const pixels = new Int32Array(picture.buffer, picture.byteOffset, count);
  if (type === lzType.a8 || type === lzType.xxxa) {
    pixels.fill(0);
    decodeCommands(data, headerBytes, pixels, literal.alpha);
  } else {
    const end = decodeCommands(data, headerBytes, pixels, type === lzType.rgb16 ? literal.rgb16 : literal.rgb24);
    if (type === lzType.rgba) decodeCommands(data, end, pixels, literal.alpha);
  }
  if (!topDown) flipRows(pixels, width, height);
  return { width, height, pixels: picture, opaque: type < lzType.rgba };
}

/** Lays the alpha of an LZ stream of type XXXA over pixels of the same size, top-down like them. */
export function applyLzAlpha(data: Uint8Array, picture: Picture, topDown: boolean): Picture {
  const header = readLzHeader(data);
  if (header.type !== lzType.xxxa) throw new SpiceError(`LZ: type ${header.type} has no alpha alone`);
  if (header.width !== picture.width || header.height !== picture.height || header.topDown !== topDown)
    throw new SpiceError('LZ: the alpha is not of the size of its picture');
  checkPromise(data, picture.pixels.length);
  const pixels = new Int32Array(picture.pixels.buffer, picture.pixels.byteOffset, picture.pixels.length);
  if (topDown) decodeCommands(data, headerBytes, pixels, literal.alpha);
  else {
    flipRows(pixels, header.width, header.height);
    decodeCommands(data, headerBytes, pixels, literal.alpha);
    flipRows(pixels, header.width, header.height);
  }
  return { ...picture, opaque: false };
}

/** A byte of a length stands for 255 pixels, or bytes of eight pixels, at most: no more memory is taken than the data can fill. */
function checkPromise(data: Uint8Array, pixels: number): void {
  if (pixels > data.byteLength * 255 * 8) throw new SpiceError(`LZ: ${pixels} pixels do not come out of ${data.byteLength} bytes`);
}

/**
 * Fills `out` by the commands that begin at `at`, and says where they end. What is a unit of it depends on `kind`: a pixel, the alpha of one
 * that is there already, or a byte of palette indices.
 */
function decodeCommands(data: Uint8Array, at: number, out: Int32Array, kind: number): number {
  const end = data.byteLength;
  const view = new DataView(data.buffer, data.byteOffset, end);
  const size = out.length;
  const literalSize = kind === literal.rgb24 ? 3 : kind === literal.rgb16 ? 2 : 1;
  const shortest = 4 - literalSize;
  let done = 0;
  while (done < size) {
    if (at >= end) throw cutShort();
    const command = data[at++] as number;
    if (command < 32) {
      const stop = done + command + 1;
      if (stop > size) throw tooMany();
      if (at + (command + 1) * literalSize > end) throw cutShort();
      if (kind === literal.rgb24) {
        unpackRgb24(view, at, out, done, command + 1);
        at += 3 * (command + 1);
        done = stop;
      } else if (kind === literal.rgb16)
        for (; done < stop; done++, at += 2) out[done] = spreadRgb555(((data[at] as number) << 8) | (data[at + 1] as number));
      else if (kind === literal.alpha)
        for (; done < stop; done++, at++) out[done] = ((out[done] as number) & 0xffffff) | ((data[at] as number) << 24);
      else for (; done < stop; done++, at++) out[done] = data[at] as number;
      continue;
    }

    let length = (command >>> 5) - 1;
    if (length === 6) {
      let more: number;
      do {
        if (at >= end) throw cutShort();
        more = data[at++] as number;
        length += more;
      } while (more === 255);
    }
    length += shortest;
    if (at >= end) throw cutShort();
    const low = data[at++] as number;
    let distance = ((command & 31) << 8) + low + 1;
    if (distance === nearDistance + 1) {
      if (at + 2 > end) throw cutShort();
      distance += ((data[at] as number) << 8) + (data[at + 1] as number);
      at += 2;
    }
    const stop = done + length;
    if (stop > size) throw tooMany();
    if (distance > done) throw outside();
    if (kind === literal.alpha)
      for (; done < stop; done++) out[done] = ((out[done] as number) & 0xffffff) | ((out[done - distance] as number) & 0xff000000);
    else if (length < longCopy) for (; done < stop; done++) out[done] = out[done - distance] as number;
    else {
      repeatBack(out, done, distance, length);
      done = stop;
    }
  }
  return at;
}

const cutShort = () => new SpiceError('LZ: ends before its last pixel');
const outside = () => new SpiceError('LZ: a reference leads out of the picture');
const tooMany = () => new SpiceError('LZ: holds more pixels than it says');
