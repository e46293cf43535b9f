/** Random drawings as the tests of our renderer and of the server's need them: surfaces, pictures and masks, the hash of what was drawn. */
import { drawMessage } from '../../renderer/console/spice/drawing/draw-messages.ts';
import type { Mask } from '../../renderer/console/spice/drawing/mask.ts';
import { createSurface, type Source, type Surface, surfaceFormat } from '../../renderer/console/spice/drawing/surface.ts';
import { bitmapFormat, type Drawing, type RawSurface } from './spice-drawing-parts.ts';

/** A bitmap that a message has at that offset. The formats are those of this file, not all that there are. */
export function readBitmap(message: Uint8Array, offset: number): Source {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const format = message[offset + 18] as number;
  const topDown = ((message[offset + 19] as number) & 4) !== 0;
  const width = view.getUint32(offset + 20, true);
  const height = view.getUint32(offset + 24, true);
  const stride = view.getUint32(offset + 28, true);
  const pixels = new Uint32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = offset + 36 + (topDown ? y : height - 1 - y) * stride;
    for (let x = 0; x < width; x++) pixels[y * width + x] = readPixel(view, row, x, format);
  }
  return { width, height, pixels, opaque: format !== bitmapFormat.rgba && format !== bitmapFormat.bit8a };
}

function readPixel(view: DataView, row: number, x: number, format: number): number {
  if (format === bitmapFormat.bit8a) return view.getUint8(row + x) * 0x1000000;
  if (format === bitmapFormat.bit16) return expanded(view.getUint16(row + x * 2, true), 5);
  const size = format === bitmapFormat.bit24 ? 3 : 4;
  const at = row + x * size;
  const alpha = format === bitmapFormat.rgba ? view.getUint8(at + 3) : 0xff;
  return alpha * 0x1000000 + (view.getUint8(at) << 16) + (view.getUint8(at + 1) << 8) + view.getUint8(at + 2);
}

export function readMaskBitmap(message: Uint8Array, offset: number): Mask {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const topDown = ((message[offset + 19] as number) & 4) !== 0;
  const width = view.getUint32(offset + 20, true);
  const height = view.getUint32(offset + 24, true);
  const stride = view.getUint32(offset + 28, true);
  const bits = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const row = offset + 36 + (topDown ? y : height - 1 - y) * stride;
      bits[y * width + x] = (view.getUint8(row + (x >> 3)) >> (7 - (x & 7))) & 1;
    }
  return { width, height, bits };
}

function expanded(value: number, greenBits: 5 | 6): number {
  const widen = (part: number, bits: number) => (part << (8 - bits)) | (part >> (2 * bits - 8));
  const red = widen((value >> (5 + greenBits)) & 31, 5);
  const green = widen((value >> 5) & ((1 << greenBits) - 1), greenBits);
  return 0xff000000 + (widen(value & 31, 5) << 16) + (green << 8) + red;
}

/** The surface as the client has it. */
export function surfaceFrom({ id, format, width, height, bytes }: RawSurface, offScreen: boolean): Surface {
  const surface = createSurface(id, width, height, format, offScreen);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < width * height; at++) {
    if (format === surfaceFormat.a8) surface.pixels[at] = view.getUint8(at) * 0x1000000;
    else if (format === surfaceFormat.rgb555) surface.pixels[at] = expanded(view.getUint16(at * 2, true), 5);
    else if (format === surfaceFormat.rgb565) surface.pixels[at] = expanded(view.getUint16(at * 2, true), 6);
    else {
      const value = view.getUint32(at * 4, true);
      surface.pixels[at] = ((value & 0xff00ff00) | ((value & 0xff) << 16) | ((value >>> 16) & 0xff) | surface.opaqueBits) >>> 0;
    }
  }
  return surface;
}

/** What is compared: of a surface without alpha, the colours alone. */
export function hashOf(surfaces: readonly Surface[]): number {
  let hash = 0x811c9dc5;
  for (const { format, pixels } of surfaces)
    for (const pixel of pixels) {
      hash = Math.imul(hash ^ (format === surfaceFormat.xrgb ? pixel | 0xff000000 : pixel), 0x01000193);
      hash ^= hash >>> 15;
    }
  return hash >>> 0;
}

/** The records that the program around the server's renderer reads: see the README of the golden files. */
export function recordsOf(drawing: Drawing): Uint8Array[] {
  const records: Uint8Array[] = [];
  const push = (kind: number, head: number[], bytes: Uint8Array) => {
    const size = head.length * 4 + bytes.length;
    const record = new Uint8Array(8 + Math.ceil(size / 4) * 4);
    const view = new DataView(record.buffer);
    [kind, size, ...head].forEach((value, index) => {
      view.setUint32(index * 4, value, true);
    });
    record.set(bytes, 8 + head.length * 4);
    records.push(record);
  };
  for (const { id, format, width, height, bytes } of drawing.surfaces) push(0, [id, format, width, height], bytes);
  for (const { name, bytes } of drawing.messages) push(1, [drawMessage[name]], bytes);
  push(2, [], new Uint8Array(0));
  return records;
}
