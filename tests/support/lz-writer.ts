/**
 * Writes LZ and GLZ streams command by command, from the description of the format: literals and references of any length and distance, as
 * no encoder that looks for good ones would choose them. What a stream says is written down beside it in the plainest way.
 */

/** Pixels of four bytes B, G, R and A; only some of them are in a stream. */
export type LzPart = 'rgb16' | 'rgb24' | 'alpha';

/** What a length of a reference is counted from, less one. */
const lzBias = { rgb24: 0, rgb16: 1, alpha: 2 };
const farDistance = 8191;

export class LzWriter {
  readonly bytes: number[] = [];

  bigEndian(...words: number[]): this {
    for (const word of words) this.bytes.push(word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff);
    return this;
  }

  byte(value: number): this {
    this.bytes.push(value & 0xff);
    return this;
  }

  /** 1 to 32 pixels as they are. */
  literals(part: LzPart, pixels: readonly number[]): this {
    this.byte(pixels.length - 1);
    for (const pixel of pixels) {
      const [red, green, blue, alpha] = [pixel & 0xff, (pixel >>> 8) & 0xff, (pixel >>> 16) & 0xff, pixel >>> 24];
      if (part === 'alpha') this.byte(alpha);
      else if (part === 'rgb24') this.byte(blue).byte(green).byte(red);
      else {
        const five = ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3);
        this.byte(five >> 8).byte(five);
      }
    }
    return this;
  }

  /** `length` pixels from `distance` before: lengths from 1, or 2 and 3 for the shorter parts. */
  lzReference(part: LzPart, length: number, distance: number): this {
    const count = length - lzBias[part];
    const back = distance - 1;
    const far = back >= farDistance;
    this.byte((Math.min(count, 7) << 5) | (far ? 31 : back >> 8));
    this.#moreOf(count);
    this.byte(far ? 255 : back);
    return far ? this.byte((back - farDistance) >> 8).byte(back - farDistance) : this;
  }

  /** `length` pixels from pixel `offset` of the picture `pictures` before; or of this one, `offset` pixels before, with 0. */
  glzReference(part: LzPart, length: number, pictures: number, offset: number): this {
    const count = length - lzBias[part];
    const from = pictures === 0 ? offset - 1 : offset;
    const long = from >= 1 << 12;
    const veryLong = from >= 1 << 17;
    this.byte((Math.min(count, 7) << 5) | (long ? 16 : 0) | (from & 15));
    this.#moreOf(count);
    this.byte(from >> 4);
    let rest = long ? pictures : pictures >> 6;
    const distance: number[] = [];
    for (; rest > 0; rest >>= 8) distance.push(rest & 0xff);
    this.byte((distance.length << 6) | (long ? (veryLong ? 0x20 : 0) | ((from >> 12) & 0x1f) : pictures & 0x3f));
    for (const byte of distance) this.byte(byte);
    return veryLong ? this.byte(from >> 17) : this;
  }

  #moreOf(count: number): void {
    if (count < 7) return;
    let more = count - 7;
    for (; more >= 255; more -= 255) this.byte(255);
    this.byte(more);
  }

  done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}
