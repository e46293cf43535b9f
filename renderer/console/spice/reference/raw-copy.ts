/**
 * The message that a local guest's screen consists of: a rectangle of uncompressed pixels, drawn whole and as it is. spice-html5 turns every
 * byte of it by hand; here it is four bytes at a time, in place.
 */
import type { PixelSize } from '../../console.ts';

export type RawCopy = PixelSize & { surfaceId: number; leftPx: number; topPx: number; rgba: Uint8ClampedArray<ArrayBuffer> };

const base = { surface: 0, top: 4, left: 8, bottom: 12, right: 16, clip: 20 };
const copy = { image: 21, area: 25, rop: 41, maskBitmap: 53, end: 57 };
/** Counted from where the image begins. */
const image = { type: 8, flags: 9, format: 18, bitmapFlags: 19, width: 20, height: 24, stride: 28, palette: 32, pixels: 36 };
const ropPut = 8;
const bitmap32 = 8;
const topDown = 4;
const cacheMe = 1;

/**
 * What SPICE_MSG_DISPLAY_DRAW_COPY draws, when it is of that plain kind; null for every other, which the package draws. Takes the body's
 * memory: it must not be used afterwards.
 */
export function takeRawCopy(body: ArrayBuffer): RawCopy | null {
  if (body.byteLength < copy.end) return null;
  const view = new DataView(body);
  const at = view.getUint32(copy.image, true);
  if (at < copy.end || at + image.pixels > body.byteLength) return null;
  const leftPx = view.getInt32(base.left, true);
  const topPx = view.getInt32(base.top, true);
  const widthPx = view.getUint32(at + image.width, true);
  const heightPx = view.getUint32(at + image.height, true);
  const area = (index: number) => view.getInt32(copy.area + 4 * index, true);
  const plain =
    view.getUint8(base.clip) === 0 &&
    view.getUint16(copy.rop, true) === ropPut &&
    view.getUint32(copy.maskBitmap, true) === 0 &&
    view.getUint8(at + image.type) === 0 &&
    (view.getUint8(at + image.flags) & cacheMe) === 0 &&
    view.getUint8(at + image.format) === bitmap32 &&
    view.getUint8(at + image.bitmapFlags) === topDown &&
    view.getUint32(at + image.palette, true) === 0 &&
    widthPx > 0 &&
    heightPx > 0 &&
    widthPx <= 16_384 &&
    heightPx <= 16_384 &&
    view.getUint32(at + image.stride, true) === widthPx * 4 &&
    body.byteLength - at - image.pixels >= widthPx * heightPx * 4;
  const whole =
    area(0) === 0 &&
    area(1) === 0 &&
    area(2) === heightPx &&
    area(3) === widthPx &&
    view.getInt32(base.bottom, true) - topPx === heightPx &&
    view.getInt32(base.right, true) - leftPx === widthPx;
  if (!plain || !whole) return null;
  const start = at + image.pixels;
  const length = widthPx * heightPx * 4;
  // Four bytes at a time needs them on a boundary of four; a copy is quicker than going byte by byte.
  const pixels = start % 4 === 0 ? new Uint32Array(body, start, length / 4) : new Uint32Array(body.slice(start, start + length));
  // Blue, green, red, nothing becomes red, green, blue, opaque: the lowest byte first, as on every processor that browsers run on.
  for (let index = 0; index < pixels.length; index++) {
    const pixel = pixels[index] ?? 0;
    pixels[index] = 0xff000000 | ((pixel & 0xff) << 16) | (pixel & 0xff00) | ((pixel >>> 16) & 0xff);
  }
  const rgba = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, length);
  return { surfaceId: view.getUint32(base.surface, true), leftPx, topPx, widthPx, heightPx, rgba };
}
