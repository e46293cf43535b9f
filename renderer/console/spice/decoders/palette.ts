/** Colours that pixels of one, four or eight bits stand for, and the palettes that a channel was told to keep. */
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { lzType, palettePixelsPerByte, spreadRgb555 } from './lz-format.ts';
import type { Picture } from './picture.ts';

const opaque = 0xff000000 | 0;
const mostColours = 256;
/** What the server itself keeps count of; a channel that is told to keep many more has no honest server. */
const mostPalettes = 1024;

export interface Palette {
  readonly id: bigint;
  /** 256 pixels as in a picture. Those that the message did not name are black. */
  readonly colours: Int32Array;
}

/** What bits mean without a palette: a mask is white where it is 1. */
export const blackAndWhite: Palette = { id: 0n, colours: new Int32Array(mostColours).fill(opaque).fill(-1, 1, 2) };

/** Reads a SpicePalette. On 16-bit surfaces its entries are 16-bit colours. */
export function readPalette(reader: Reader, sixteenBit: boolean): Palette {
  const id = reader.u64();
  const count = reader.u16();
  if (count > mostColours) throw new SpiceError(`a palette of ${count} colours is not possible`);
  reader.count(count, 4, 'colours');
  const colours = new Int32Array(mostColours).fill(opaque);
  for (let index = 0; index < count; index++) {
    const entry = reader.i32();
    colours[index] = sixteenBit ? spreadRgb555(entry) : opaque | ((entry & 0xff) << 16) | (entry & 0xff00) | ((entry >>> 16) & 0xff);
  }
  return { id, colours };
}

/** The palettes of one display channel, by SPICE's rules: the server says what is kept and what is thrown away. */
export class PaletteCache {
  readonly #palettes = new Map<bigint, Palette>();

  put(palette: Palette): void {
    if (this.#palettes.size >= mostPalettes && !this.#palettes.has(palette.id))
      throw new SpiceError(`more than ${mostPalettes} palettes are to be kept`);
    this.#palettes.set(palette.id, palette);
  }

  get(id: bigint): Palette {
    const palette = this.#palettes.get(id);
    if (palette === undefined) throw new SpiceError(`palette ${id} is used but was never sent`);
    return palette;
  }

  /** INVAL_PALETTE. */
  remove(id: bigint): void {
    this.#palettes.delete(id);
  }

  /** INVAL_ALL_PALETTES, and RESET. */
  clear(): void {
    this.#palettes.clear();
  }
}

/**
 * Makes a picture of bytes of palette indices, one byte an element. `type` is one of LZ's with a palette; `stride` counts bytes, and what
 * lies beyond the pixels of a row is not looked at.
 */
export function expandIndices(
  indices: Int32Array | Uint8Array,
  type: number,
  width: number,
  height: number,
  stride: number,
  topDown: boolean,
  palette: Palette,
  into?: Uint32Array,
): Picture {
  const count = width * height;
  const pixels = into !== undefined && into.length >= count ? into.subarray(0, count) : new Uint32Array(count);
  const { colours } = palette;
  const perByte = palettePixelsPerByte(type);
  const bits = 8 / perByte;
  const mask = (1 << bits) - 1;
  const lowFirst = type === lzType.plt1Le || type === lzType.plt4Le;
  for (let row = 0; row < height; row++) {
    let from = (topDown ? row : height - 1 - row) * stride;
    let to = row * width;
    const end = to + width;
    if (perByte === 1) for (; to < end; to++, from++) pixels[to] = colours[indices[from] as number] as number;
    else
      while (to < end) {
        const byte = indices[from++] as number;
        const stop = Math.min(end, to + perByte);
        for (let shift = lowFirst ? 0 : 8 - bits; to < stop; to++, shift += lowFirst ? bits : -bits)
          pixels[to] = colours[(byte >>> shift) & mask] as number;
      }
  }
  return { width, height, pixels, opaque: true };
}
