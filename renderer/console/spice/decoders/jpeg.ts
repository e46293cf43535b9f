/**
 * JPEG and JPEG_ALPHA. The platform decodes them, since every browser has a better decoder than we could write; but only after their size
 * was read here, so that a small file cannot ask for a picture of gigabytes.
 */
import { SpiceError } from '../protocol/spice-error.ts';
import { applyLzAlpha } from './lz.ts';
import { checkPictureSize, type Picture } from './picture.ts';

/** Decodes a baseline or progressive JPEG to opaque pixels. Rejects when it is damaged. */
export type PlatformJpeg = (jpeg: Uint8Array) => Promise<Picture>;

const startOfImage = 0xffd8;
const startOfScan = 0xda;

/** Width and height as the file's frame header has them. Throws {@link SpiceError}. */
export function readJpegSize(jpeg: Uint8Array): { width: number; height: number } {
  const byte = (at: number): number => {
    if (at >= jpeg.byteLength) throw new SpiceError('JPEG: cut short in its header');
    return jpeg[at] as number;
  };
  const word = (at: number): number => (byte(at) << 8) | byte(at + 1);
  if (word(0) !== startOfImage) throw new SpiceError('JPEG: does not begin as one');
  for (let at = 2; ; ) {
    if (byte(at) !== 0xff) throw new SpiceError('JPEG: a segment does not begin as one');
    const marker = byte(at + 1);
    at++;
    // Any number of 0xff may come before a marker.
    if (marker === 0xff) continue;
    at++;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: word(at + 5), height: word(at + 3) };
    if (marker === startOfScan) throw new SpiceError('JPEG: has no frame header');
    const length = word(at);
    if (length < 2) throw new SpiceError('JPEG: a segment has no length');
    at += length;
  }
}

/** `width` and `height` are those of the message. Rejects with {@link SpiceError}. */
export async function decodeJpeg(jpeg: Uint8Array, width: number, height: number, platform: PlatformJpeg): Promise<Picture> {
  const size = readJpegSize(jpeg);
  if (size.width !== width || size.height !== height)
    throw new SpiceError(`JPEG: ${size.width} × ${size.height} pixels where ${width} × ${height} were announced`);
  checkPictureSize(width, height, 'JPEG picture');
  let picture: Picture;
  try {
    picture = await platform(jpeg);
  } catch (error) {
    throw new SpiceError(`JPEG: ${error instanceof Error ? error.message : 'cannot be decoded'}`);
  }
  if (picture.width !== width || picture.height !== height) throw new SpiceError('JPEG: came out of another size than its header says');
  return picture;
}

/** The colours of a JPEG under the alpha of an LZ stream, which are `jpegBytes` and the rest of `data`. Rejects with {@link SpiceError}. */
export async function decodeJpegAlpha(
  data: Uint8Array,
  jpegBytes: number,
  topDown: boolean,
  width: number,
  height: number,
  platform: PlatformJpeg,
): Promise<Picture> {
  if (jpegBytes > data.byteLength) throw new SpiceError(`JPEG: ${jpegBytes} bytes of ${data.byteLength} are not there`);
  const picture = await decodeJpeg(data.subarray(0, jpegBytes), width, height, platform);
  return applyLzAlpha(data.subarray(jpegBytes), picture, topDown);
}
