/** Reads the pictures inside display messages (SpiceImage), whatever they are packed with, and keeps what the server wants kept. */
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { bitmapFormat, checkBitmap, decodeBitmap } from './bitmap.ts';
import { decodeGlz, type GlzWait } from './glz.ts';
import type { GlzWindow } from './glz-window.ts';
import type { ImageCache } from './image-cache.ts';
import { decodeJpeg, decodeJpegAlpha, type PlatformJpeg } from './jpeg.ts';
import { decodeLz } from './lz.ts';
import { Lz4Decoder } from './lz4.ts';
import { blackAndWhite, type Palette, PaletteCache, readPalette } from './palette.ts';
import { checkPictureSize, type Picture } from './picture.ts';
import { PictureCounts } from './picture-counts.ts';
import { QuicDecoder } from './quic.ts';
import { ZlibGlzDecoder } from './zlib-glz.ts';

/** SPICE_IMAGE_TYPE_* */
export const imageType = {
  bitmap: 0,
  quic: 1,
  lzPlt: 100,
  lzRgb: 101,
  glzRgb: 102,
  fromCache: 103,
  surface: 104,
  jpeg: 105,
  fromCacheLossless: 106,
  zlibGlzRgb: 107,
  jpegAlpha: 108,
  lz4: 109,
} as const;

/** SPICE_IMAGE_FLAGS_*; HIGH_BITS_SET says of pixels without alpha what is true of all of ours. */
const imageFlag = { cacheMe: 1, cacheReplaceMe: 4 } as const;
/** SPICE_BITMAP_FLAGS_* */
const bitmapFlag = { paletteCacheMe: 1, paletteFromCache: 2, topDown: 4 } as const;
const jpegAlphaTopDown = 1;
/** A picture of more is not worth being held on to until the next. */
const keptPixels = 4 * 1024 * 1024;

/** What the display channels of a session have in common. */
export interface SharedImages {
  readonly glzWindow: GlzWindow;
  readonly cache: ImageCache;
  readonly jpeg: PlatformJpeg;
  /** Whether another channel may still bring what this one refers to. Without one, a picture that is not there is an error and not awaited. */
  mayWait(): boolean;
}

export interface ImageOptions {
  /** The surface that is drawn upon has 16 bits a pixel, and so have palettes. */
  readonly sixteenBit: boolean;
  /** The picture is done with before the next one is read: it may lie in memory that is used again. */
  readonly transient: boolean;
}

interface Descriptor {
  readonly id: bigint;
  readonly type: number;
  readonly flags: number;
  readonly width: number;
  readonly height: number;
}

/** One for each display channel. */
export class ImageDecoder {
  readonly palettes = new PaletteCache();
  readonly counts = new PictureCounts();
  readonly #shared: SharedImages;
  readonly #surface: (id: number) => Picture;
  readonly #quic = new QuicDecoder();
  readonly #lz4 = new Lz4Decoder();
  /** Few sessions ever need its tables. */
  #zlibGlz: ZlibGlzDecoder | null = null;
  #scratch = new Uint32Array(0);

  /** `surface` looks at a surface as at a picture, and throws when there is none of that id. */
  constructor(shared: SharedImages, surface: (id: number) => Picture) {
    this.#shared = shared;
    this.#surface = surface;
  }

  /**
   * The picture that begins at `offset` of the message; `body` is left where it was. Nothing may write to its pixels: they may be a
   * surface's, the cache's or the dictionary's. A promise when it has to be waited for, which takes JPEG and what another channel is to bring;
   * the message's bytes have to stay until then. Throws {@link SpiceError}, or rejects with it.
   *
   * Every picture of a message has to be read, in the message's order, even if nothing of it is drawn: the next may build upon it.
   */
  decode(body: Reader, offset: number, options: ImageOptions): Picture | Promise<Picture> {
    const before = body.offset;
    body.seek(offset);
    const descriptor = { id: body.u64(), type: body.u8(), flags: body.u8(), width: body.u32(), height: body.u32() };
    this.counts.add(descriptor.type, body.remaining);
    const picture = this.#read(body, descriptor, options);
    body.seek(before);
    return picture instanceof Promise ? picture.then((late) => this.#keep(descriptor, late)) : this.#keep(descriptor, picture);
  }

  /** RESET. What channels share is cleared by their session. */
  reset(): void {
    this.palettes.clear();
    this.#scratch = new Uint32Array(0);
  }

  #read(body: Reader, descriptor: Descriptor, options: ImageOptions): Picture | Promise<Picture> {
    const { id, type, width, height } = descriptor;
    switch (type) {
      case imageType.bitmap:
        return this.#readBitmap(body, descriptor, options);
      case imageType.quic:
        checkPictureSize(width, height);
        return sized(this.#quic.decode(readData(body), this.#into(descriptor, options)), descriptor);
      case imageType.lzPlt:
        return this.#readLzPalette(body, descriptor, options);
      case imageType.lzRgb:
        checkPictureSize(width, height);
        return sized(decodeLz(readData(body), null, this.#into(descriptor, options)), descriptor);
      case imageType.lz4:
        return this.#lz4.decode(readData(body), width, height, this.#into(descriptor, options));
      case imageType.glzRgb: {
        const data = readData(body);
        return this.#afterOthers(descriptor, () => decodeGlz(data, this.#shared.glzWindow));
      }
      case imageType.zlibGlzRgb: {
        const glzBytes = body.u32();
        const data = readData(body);
        this.#zlibGlz ??= new ZlibGlzDecoder();
        const zlibGlz = this.#zlibGlz;
        return this.#afterOthers(descriptor, () => zlibGlz.decode(data, glzBytes, width, height, this.#shared.glzWindow));
      }
      case imageType.jpeg:
        return decodeJpeg(readData(body), width, height, this.#shared.jpeg);
      case imageType.jpegAlpha: {
        const topDown = (body.u8() & jpegAlphaTopDown) !== 0;
        const jpegBytes = body.u32();
        return decodeJpegAlpha(readData(body), jpegBytes, topDown, width, height, this.#shared.jpeg);
      }
      case imageType.fromCache:
      case imageType.fromCacheLossless:
        return this.#fromCache(id, type === imageType.fromCacheLossless);
      case imageType.surface:
        return this.#surface(body.u32());
      default:
        throw new SpiceError(`there is no image type ${type}`);
    }
  }

  #readBitmap(body: Reader, descriptor: Descriptor, options: ImageOptions): Picture {
    const format = body.u8();
    const flags = body.u8();
    const bitmap = { format, width: body.u32(), height: body.u32(), stride: body.u32() };
    checkBitmap(bitmap);
    const named = this.#readPalette(body, flags, options);
    // Masks have one bit a pixel and no palette.
    const palette = named ?? (format === bitmapFormat.indexed1Le || format === bitmapFormat.indexed1Be ? blackAndWhite : null);
    const data = body.bytesOf(Math.min(bitmap.stride * bitmap.height, body.remaining));
    return decodeBitmap(
      { ...bitmap, topDown: (flags & bitmapFlag.topDown) !== 0, palette, data },
      this.#into({ ...descriptor, ...bitmap }, options),
    );
  }

  #readLzPalette(body: Reader, descriptor: Descriptor, options: ImageOptions): Picture {
    checkPictureSize(descriptor.width, descriptor.height);
    const flags = body.u8();
    const size = body.u32();
    const palette = this.#readPalette(body, flags, options);
    const data = body.bytesOf(body.count(size, 1, 'bytes of a picture'));
    return sized(decodeLz(data, palette, this.#into(descriptor, options)), descriptor);
  }

  /** Reads the number of a palette that is kept, or where in the message a new one lies: null for nowhere. */
  #readPalette(body: Reader, flags: number, options: ImageOptions): Palette | null {
    if (flags & bitmapFlag.paletteFromCache) return this.palettes.get(body.u64());
    const offset = body.u32();
    if (offset === 0) return null;
    const after = body.offset;
    body.seek(offset);
    const palette = readPalette(body, options.sixteenBit);
    body.seek(after);
    if (flags & bitmapFlag.paletteCacheMe) this.palettes.put(palette);
    return palette;
  }

  #fromCache(id: bigint, lossless: boolean): Picture | Promise<Picture> {
    const { cache } = this.#shared;
    const picture = cache.find(id, lossless);
    if (picture !== null) return picture;
    if (!this.#shared.mayWait()) throw new SpiceError(`image ${id} is used but was never ${lossless ? 'sent without loss' : 'sent'}`);
    return cache.whenPut(id).then(() => this.#fromCache(id, lossless));
  }

  /** Decodes again and again, each time when the picture has come that was missing. */
  #afterOthers(descriptor: Descriptor, decode: () => Picture | GlzWait): Picture | Promise<Picture> {
    const result = decode();
    if (!('missingPicture' in result)) return sized(result, descriptor);
    if (!this.#shared.mayWait()) throw new SpiceError(`GLZ: picture ${result.missingPicture} is referred to but was never sent`);
    return this.#shared.glzWindow.whenAdded(result.missingPicture).then(() => this.#afterOthers(descriptor, decode));
  }

  #keep({ id, type, flags }: Descriptor, picture: Picture): Picture {
    if (type === imageType.fromCache || type === imageType.fromCacheLossless) return picture;
    const lossy = type === imageType.jpeg || type === imageType.jpegAlpha;
    if (flags & imageFlag.cacheMe) this.#shared.cache.put(id, type === imageType.surface ? copyOf(picture) : picture, lossy);
    else if (flags & imageFlag.cacheReplaceMe) {
      if (lossy) throw new SpiceError(`image ${id} is to be replaced by one with losses`);
      this.#shared.cache.replace(id, type === imageType.surface ? copyOf(picture) : picture);
    }
    return picture;
  }

  /** Memory to decode into, when the picture does not outlast the message. */
  #into({ flags, width, height }: Descriptor, { transient }: ImageOptions): Uint32Array | undefined {
    const count = width * height;
    if (!transient || (flags & (imageFlag.cacheMe | imageFlag.cacheReplaceMe)) !== 0 || count > keptPixels) return undefined;
    if (this.#scratch.length < count) this.#scratch = new Uint32Array(Math.min(keptPixels, Math.ceil(count * 1.25)));
    return this.#scratch;
  }
}

/** `size (32 bits) · bytes` */
function readData(body: Reader): Uint8Array {
  return body.bytesOf(body.count(body.u32(), 1, 'bytes of a picture'));
}

function sized(picture: Picture, { width, height }: Descriptor): Picture {
  if (picture.width !== width || picture.height !== height)
    throw new SpiceError(`a picture of ${picture.width} × ${picture.height} pixels where ${width} × ${height} were announced`);
  return picture;
}

const copyOf = (picture: Picture): Picture => ({ ...picture, pixels: picture.pixels.slice() });

/** The mask that a picture of one bit a pixel is: one byte a pixel, 1 where it is white. */
export function maskBits(picture: Picture): Uint8Array {
  const bits = new Uint8Array(picture.pixels.length);
  for (let at = 0; at < bits.length; at++) bits[at] = (picture.pixels[at] as number) & 1;
  return bits;
}
