/** Builds what SPICE messages hold of pictures, for tests: the part of a server that reads nothing. */

/** Little-endian bytes: a number takes as many as its name says. */
export class SpiceBytes {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  u8(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }

  u16(value: number): this {
    return this.u8(value).u8(value >>> 8);
  }

  u32(value: number): this {
    return this.u16(value).u16(value >>> 16);
  }

  u64(value: bigint): this {
    return this.u32(Number(value & 0xffff_ffffn)).u32(Number(value >> 32n));
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

export type ImageHead = { id?: bigint; type: number; flags?: number; width: number; height: number };

/** A SpiceImageDescriptor. */
export function imageHead({ id = 0n, type, flags = 0, width, height }: ImageHead, bytes = new SpiceBytes()): SpiceBytes {
  return bytes.u64(id).u8(type).u8(flags).u32(width).u32(height);
}

/** An image whose data is only its length and bytes: QUIC, LZ_RGB, GLZ_RGB, LZ4, JPEG. */
export function packedImage(head: ImageHead, data: Uint8Array): Uint8Array {
  return imageHead(head).u32(data.byteLength).raw(data).done();
}

/** A BITMAP; with `colours` its palette follows it, which then has the id `paletteId`. */
export function bitmapImage(
  head: Omit<ImageHead, 'type'>,
  bitmap: { format: number; flags?: number; stride: number; data: Iterable<number>; colours?: number[]; paletteId?: bigint },
): Uint8Array {
  const { format, flags = 4, stride, data, colours, paletteId = 0n } = bitmap;
  const bytes = imageHead({ ...head, type: 0 })
    .u8(format)
    .u8(flags)
    .u32(head.width)
    .u32(head.height)
    .u32(stride);
  if (flags & 2) return bytes.u64(paletteId).raw(data).done();
  const pixels = [...data];
  bytes.u32(colours === undefined ? 0 : bytes.length + 4 + pixels.length).raw(pixels);
  if (colours !== undefined) {
    bytes.u64(paletteId).u16(colours.length);
    for (const colour of colours) bytes.u32(colour);
  }
  return bytes.done();
}
