/** What LZ and GLZ streams have in common: the types of pictures in them. Numbers are LZ_IMAGE_TYPE_*. */
import { SpiceError } from '../protocol/spice-error.ts';

export const lzType = {
  plt1Le: 1,
  plt1Be: 2,
  plt4Le: 3,
  plt4Be: 4,
  plt8: 5,
  rgb16: 6,
  rgb24: 7,
  rgb32: 8,
  rgba: 9,
  /** The alpha of a picture whose colours are elsewhere. */
  xxxa: 10,
  a8: 11,
} as const;

export const lzMagic = 0x20205a4c;
export const lzVersion = 0x00010001;

/** Pixels in a byte of a type with a palette, else 0. */
export function palettePixelsPerByte(type: number): number {
  if (type === lzType.plt1Le || type === lzType.plt1Be) return 8;
  if (type === lzType.plt4Le || type === lzType.plt4Be) return 2;
  return type === lzType.plt8 ? 1 : 0;
}

/** 32 bits, highest byte first, as in the headers of both. */
export function readBigEndian(data: Uint8Array, at: number): number {
  if (at + 4 > data.byteLength) throw new SpiceError('LZ: cut short in its header');
  return (
    (((data[at] as number) << 24) | ((data[at + 1] as number) << 16) | ((data[at + 2] as number) << 8) | (data[at + 3] as number)) >>> 0
  );
}

/** A pixel of 5 bits a sample as one of 8, of which the highest three repeat as the lowest. */
export function spreadRgb555(value: number): number {
  const five = ((value >>> 10) & 0x1f) | ((value & 0x3e0) << 3) | ((value & 0x1f) << 16);
  return 0xff000000 | (five << 3) | ((five >>> 2) & 0x070707);
}

/**
 * Writes `count` pixels of three bytes each, B, G and R, that lie in `view` from `from` on. Read highest byte first they are in our order already:
 * three words are four pixels.
 */
export function unpackRgb24(view: DataView, from: number, out: Int32Array | Uint32Array, at: number, count: number): void {
  const end = at + count;
  for (const whole = end - 3; at < whole; at += 4, from += 12) {
    const first = view.getInt32(from);
    const second = view.getInt32(from + 4);
    const third = view.getInt32(from + 8);
    out[at] = opaque | (first >>> 8);
    out[at + 1] = opaque | (first << 16) | (second >>> 16);
    out[at + 2] = opaque | (second << 8) | (third >>> 24);
    out[at + 3] = opaque | third;
  }
  for (; at < end; at++, from += 3) out[at] = opaque | (view.getUint16(from) << 8) | view.getUint8(from + 2);
}

/** From this length on, handing a copy to the processor's own routine is quicker than a loop. */
export const longCopy = 32;
const shortPattern = 32;
const opaque = 0xff000000 | 0;

/**
 * Writes to `[at, at + length)` what begins `distance` before, and once more as often as it does not reach that far: what decoders of this
 * family do, for lengths that are worth it.
 */
export function repeatBack(out: Int32Array | Uint8Array, at: number, distance: number, length: number): void {
  const stop = at + length;
  if (distance === 1) {
    out.fill(out[at - 1] as number, at, stop);
    return;
  }
  let span = distance;
  // A short pattern is repeated by hand until it is long enough to be handed over.
  if (distance < shortPattern) {
    span = Math.ceil(shortPattern / distance) * distance;
    for (const head = Math.min(stop, at + span); at < head; at++) out[at] = out[at - distance] as number;
  }
  for (; at < stop; span *= 2) {
    const count = Math.min(span, stop - at);
    out.copyWithin(at, at - span, at - span + count);
    at += count;
  }
}

/** Turns rows that were sent from the bottom, in place. */
export function flipRows(pixels: Int32Array, width: number, height: number): void {
  const row = new Int32Array(width);
  for (let top = 0, bottom = height - 1; top < bottom; top++, bottom--) {
    row.set(pixels.subarray(top * width, (top + 1) * width));
    pixels.copyWithin(top * width, bottom * width, (bottom + 1) * width);
    pixels.set(row, bottom * width);
  }
}
