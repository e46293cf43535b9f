/** What random drawings are made of: numbers by chance, messages and images as they lie on the wire. */
import type { DrawMessageName } from '../../renderer/console/spice/drawing/draw-messages.ts';
import { surfaceFormat } from '../../renderer/console/spice/drawing/surface.ts';

export type RawSurface = { id: number; format: number; width: number; height: number; bytes: Uint8Array };
export type Drawing = { surfaces: RawSurface[]; messages: { name: DrawMessageName; bytes: Uint8Array }[] };

/** Numbers that look random and are the same for the same seed. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) | 0) ^ 0x5bd1e995;
  }

  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** From `least` to `most`, both possible. */
  int(least: number, most: number): number {
    return least + (this.u32() % (most - least + 1));
  }

  chance(percent: number): boolean {
    return this.int(0, 99) < percent;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)] as T;
  }
}

export type Box = { left: number; top: number; right: number; bottom: number };

/** Writes one message; images and other parts that are pointed to go behind its body. */
export class MessageWriter {
  #bytes: number[] = [];
  #later: { at: number; bytes: number[] }[] = [];

  u8(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value).u8(value >> 8);
  }

  u32(value: number): this {
    return this.u16(value).u16(value >> 16);
  }

  rect({ left, top, right, bottom }: Box): this {
    return this.u32(top).u32(left).u32(bottom).u32(right);
  }

  bytesAt(bytes: number[] | null): this {
    if (bytes) this.#later.push({ at: this.#bytes.length, bytes });
    return this.u32(0);
  }

  get written(): number[] {
    return this.#bytes;
  }

  finish(): Uint8Array {
    for (const { at, bytes } of this.#later) {
      const offset = this.#bytes.length;
      for (let index = 0; index < 4; index++) this.#bytes[at + index] = (offset >> (index * 8)) & 0xff;
      for (const byte of bytes) this.#bytes.push(byte);
    }
    return Uint8Array.from(this.#bytes);
  }
}

export const bitmapFormat = { bit1be: 2, bit16: 6, bit24: 7, bit32: 8, rgba: 9, bit8a: 10 } as const;

/** Leaves out what was announced and not written. */
export function trimmedPath(bytes: number[]): number[] {
  let at = 4;
  let segments = 0;
  while (at < bytes.length) {
    const points = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
    at += 5 + points * 8;
    segments++;
  }
  return [segments, 0, 0, 0, ...bytes.slice(4)];
}

/** A colour that the picture has, so that some of it is left out. */
export function keyIn(image: readonly number[], otherwise: number, random: Random): number {
  if (image[8] !== 0 || random.chance(30)) return otherwise;
  const at = image.length - 8 - 4 * random.int(0, 3);
  return ((image[at] as number) | ((image[at + 1] as number) << 8) | ((image[at + 2] as number) << 16)) >>> 0;
}

export function bytesPerPixel(format: number): number {
  if (format === surfaceFormat.a8) return 1;
  return format === surfaceFormat.rgb555 || format === surfaceFormat.rgb565 ? 2 : 4;
}

export function bytesPerBitmapPixel(format: number): number {
  if (format === bitmapFormat.bit8a) return 1;
  if (format === bitmapFormat.bit16) return 2;
  return format === bitmapFormat.bit24 ? 3 : 4;
}

/** Colours are at most their alpha, in most pixels. */
export function premultiply(bytes: Uint8Array): void {
  for (let at = 0; at + 3 < bytes.length; at += 4) {
    const kind = at % 7;
    const alpha = kind === 0 ? 0xff : kind === 1 ? 0 : (bytes[at + 3] as number);
    bytes[at + 3] = alpha;
    for (let part = 0; part < 3; part++) bytes[at + part] = Math.floor(((bytes[at + part] as number) * alpha) / 255);
  }
}

export function imageHeader(type: number, width: number, height: number): MessageWriter {
  return new MessageWriter().u32(1).u32(0).u8(type).u8(0).u32(width).u32(height);
}

export function surfaceImage({ id, width, height }: RawSurface): number[] {
  return imageHeader(104, width, height).u32(id).written;
}

export function bitmap(format: number, width: number, height: number, stride: number, data: Uint8Array, topDown: boolean): number[] {
  const writer = imageHeader(0, width, height)
    .u8(format)
    .u8(topDown ? 4 : 0)
    .u32(width)
    .u32(height)
    .u32(stride)
    .u32(0);
  return [...writer.written, ...data];
}
