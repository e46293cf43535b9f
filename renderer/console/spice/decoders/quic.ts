/**
 * QUIC, SPICE's lossless codec for photographs and gradients: every sample is predicted from its neighbours to the left and above, the
 * difference is written as a Golomb word, and runs of equal pixels as their length.
 *
 * Stream: "QUIC" · version · type · width · height (32 bits each) · rows. All of it is read as one string of bits, of which each
 * little-endian 32-bit word holds the next 32, highest first.
 */
import { SpiceError } from '../protocol/spice-error.ts';
import { checkPictureSize, keptWorkBytes, type Picture } from './picture.ts';
import {
  alphabet5,
  alphabet8,
  type QuicAlphabet,
  readWord,
  shortWordBits,
  wordBucketShift,
  wordDifferenceShift,
  wordValueShift,
} from './quic-code.ts';
import { QuicModel } from './quic-model.ts';

const magic = 0x43495551;
const headerBytes = 20;
export const quicType = { gray: 1, rgb16: 2, rgb24: 3, rgb32: 4, rgba: 5 } as const;

/** What one pixel can take at most: four words, a run before it, and the word that is always read beyond. Zeros of so many follow the data. */
const spareWords = 8;
const tableShift = 32 - shortWordBits;
const opaque = 0xff000000 | 0;

/** Decodes picture after picture; keeps nothing but its working memory. */
export class QuicDecoder {
  #words = new Int32Array(0);
  #bit = 0;
  #lastBit = 0;
  readonly #colours = new QuicModel(3, alphabet8);
  readonly #plane = new QuicModel(1, alphabet8);
  /** By column: the buckets of the pixel's samples, three bits each. A run leaves those of the row above, as the format has it. */
  #buckets = new Uint16Array(0);
  #planeBuckets = new Uint8Array(0);

  /** `into` is filled if it is large enough. Throws {@link SpiceError}. */
  decode(data: Uint8Array, into?: Uint32Array): Picture {
    try {
      return this.#decode(data, into);
    } finally {
      if (this.#words.byteLength > keptWorkBytes) this.#words = new Int32Array(0);
    }
  }

  #decode(data: Uint8Array, into?: Uint32Array): Picture {
    if (data.byteLength < headerBytes) throw new SpiceError('QUIC: cut short in its header');
    this.#load(data);
    const words = this.#words;
    if (words[0] !== magic) throw new SpiceError('QUIC: does not begin with “QUIC”');
    if (words[1] !== 0) throw new SpiceError(`QUIC: version ${(words[1] as number) >>> 0} is not known`);
    const type = words[2] as number;
    const width = (words[3] as number) >>> 0;
    const height = (words[4] as number) >>> 0;
    checkPictureSize(width, height, 'QUIC picture');
    // A picture of one colour takes about a bit for 32 Ki pixels of each row, but a row takes two bits at least.
    if (height > data.byteLength * 8) throw new SpiceError(`QUIC: ${height} rows do not fit into ${data.byteLength} bytes`);
    this.#bit = headerBytes * 8;

    const count = width * height;
    const picture = into !== undefined && into.length >= count ? into.subarray(0, count) : new Uint32Array(count);
    // Signed, since the machine's integers are: the upper half of unsigned ones would be floating-point numbers in between.
    const pixels = new Int32Array(picture.buffer, picture.byteOffset, count);
    switch (type) {
      case quicType.rgb24:
      case quicType.rgb32:
        this.#decodeColours(pixels, width, height, alphabet8, null);
        break;
      case quicType.rgb16:
        this.#decodeColours(pixels, width, height, alphabet5, null);
        spreadFiveBits(pixels);
        break;
      case quicType.rgba: {
        const alpha = new Uint8Array(count);
        this.#decodeColours(pixels, width, height, alphabet8, alpha);
        for (let at = 0; at < count; at++) pixels[at] = ((pixels[at] as number) & 0xffffff) | ((alpha[at] as number) << 24);
        break;
      }
      case quicType.gray: {
        const gray = new Uint8Array(count);
        this.#preparePlane(width);
        for (let row = 0; row < height; row++) this.#decodePlaneRow(gray, row * width, width, row === 0);
        for (let at = 0; at < count; at++) pixels[at] = opaque | ((gray[at] as number) * 0x010101);
        break;
      }
      default:
        throw new SpiceError(`QUIC: there is no type ${type}`);
    }
    return { width, height, pixels: picture, opaque: type !== quicType.rgba };
  }

  #load(data: Uint8Array): void {
    const count = data.byteLength >>> 2;
    if (this.#words.length < count + spareWords) this.#words = new Int32Array(count + (count >> 2) + spareWords);
    const words = this.#words;
    // Through bytes, since a message lies at any address.
    new Uint8Array(words.buffer, 0, count << 2).set(data.subarray(0, count << 2));
    words.fill(0, count, count + spareWords);
    this.#lastBit = count << 5;
  }

  #decodeColours(pixels: Int32Array, width: number, height: number, alphabet: QuicAlphabet, alpha: Uint8Array | null): void {
    this.#colours.reset(alphabet);
    if (this.#buckets.length < width) this.#buckets = new Uint16Array(width);
    if (alpha !== null) this.#preparePlane(width);
    for (let row = 0; row < height; row++) {
      const start = row * width;
      let column = 0;
      while (column < width) {
        const end = column + this.#colours.takeSegment(width - column);
        if (row === 0) this.#firstColours(pixels, column, end, alphabet);
        else this.#nextColours(pixels, start, width, column, end, alphabet);
        column = end;
      }
      if (alpha !== null) this.#decodePlaneRow(alpha, start, width, row === 0);
    }
  }

  /** A segment of the first row: predicted from the pixel to the left alone, without runs. */
  #firstColours(pixels: Int32Array, from: number, to: number, alphabet: QuicAlphabet): void {
    const model = this.#colours;
    const { best } = model;
    const mask = (1 << alphabet.bits) - 1;
    for (let column = from; column < to; column++) {
      const before = column === 0 ? 0 : (this.#buckets[column - 1] as number);
      const left = column === 0 ? 0 : (pixels[column - 1] as number);
      const update = model.wait === 0;
      let pixel = opaque;
      let buckets = 0;
      for (let sample = 0; sample < 3; sample++) {
        const bucket = (before >>> (3 * sample)) & 7;
        const word = this.#readWord(alphabet, (best[(sample << 3) | bucket] as number) >>> shortWordBits);
        const value = (((left >>> (8 * sample)) & 0xff) + ((word >>> wordDifferenceShift) & 0xff)) & mask;
        pixel |= value << (8 * sample);
        buckets |= (word >>> wordBucketShift) << (3 * sample);
        if (update) model.update(sample, bucket, (word >>> wordValueShift) & 0xff);
      }
      pixels[column] = pixel;
      this.#buckets[column] = buckets;
      model.wait = update ? model.nextWait() : model.wait - 1;
    }
  }

  #readWord(alphabet: QuicAlphabet, parameter: number): number {
    const at = this.#bit;
    if (at > this.#lastBit) throw new SpiceError('QUIC: ends before its last pixel');
    const words = this.#words;
    const next = ((words[at >>> 5] as number) << at) | (((words[(at >>> 5) + 1] as number) >>> 1) >>> (~at & 31));
    const word = readWord(alphabet, parameter, next);
    this.#bit = at + (word & 31);
    return word;
  }

  /**
   * A segment of any other row. Nearly all time is spent here: the three samples are written out, the place in the bits is a local, and the
   * next 32 bits are put together anew for each pixel, which costs less than a branch that nobody can foresee.
   */
  #nextColours(pixels: Int32Array, start: number, width: number, from: number, to: number, alphabet: QuicAlphabet): void {
    const model = this.#colours;
    const { best } = model;
    const table = alphabet.shortWords;
    const mask = (1 << alphabet.bits) - 1;
    const words = this.#words;
    const buckets = this.#buckets;
    const lastBit = this.#lastBit;
    let bit = this.#bit;
    let wait = model.wait;
    let lastRun = 0;

    // To the left of the first pixel there is the one above it, and its buckets.
    let bucketsLeft = buckets[from === 0 ? 0 : from - 1] as number;
    let above = pixels[start + from - width] as number;
    let left = from === 0 ? above : (pixels[start + from - 1] as number);
    let aboveLeft = from === 0 ? ~above : (pixels[start + from - 1 - width] as number);
    let twoLeft = from < 2 ? ~left : (pixels[start + from - 2] as number);

    for (let column = from; column < to; ) {
      const at = start + column;
      above = pixels[at - width] as number;
      if (above === aboveLeft && left === twoLeft && lastRun !== column && column > 2) {
        const length = model.readRun(words, bit, to - column);
        bit += model.runBits;
        if (bit > lastBit) throw new SpiceError('QUIC: ends before its last pixel');
        lastRun = column;
        if (length > 0) {
          pixels.fill(left, at, at + length);
          column += length;
          twoLeft = left;
          aboveLeft = pixels[at + length - 1 - width] as number;
          bucketsLeft = buckets[column - 1] as number;
        }
        continue;
      }

      // Of 32 bits that are put together, three short words take 30: only after a long one they have to be put together anew.
      let next = ((words[bit >>> 5] as number) << bit) | (((words[(bit >>> 5) + 1] as number) >>> 1) >>> (~bit & 31));
      const bucketRed = bucketsLeft & 7;
      let parameter = best[bucketRed] as number;
      let red = table[parameter | (next >>> tableShift)] as number;
      if (red === 0) {
        red = readWord(alphabet, parameter >>> shortWordBits, next);
        bit += red & 31;
        next = ((words[bit >>> 5] as number) << bit) | (((words[(bit >>> 5) + 1] as number) >>> 1) >>> (~bit & 31));
      } else {
        bit += red & 31;
        next <<= red;
      }

      const bucketGreen = ((bucketsLeft >>> 3) & 7) | 8;
      parameter = best[bucketGreen] as number;
      let green = table[parameter | (next >>> tableShift)] as number;
      if (green === 0) {
        next = ((words[bit >>> 5] as number) << bit) | (((words[(bit >>> 5) + 1] as number) >>> 1) >>> (~bit & 31));
        green = readWord(alphabet, parameter >>> shortWordBits, next);
        bit += green & 31;
        next = ((words[bit >>> 5] as number) << bit) | (((words[(bit >>> 5) + 1] as number) >>> 1) >>> (~bit & 31));
      } else {
        bit += green & 31;
        next <<= green;
      }

      const bucketBlue = (bucketsLeft >>> 6) | 16;
      parameter = best[bucketBlue] as number;
      let blue = table[parameter | (next >>> tableShift)] as number;
      if (blue === 0) {
        next = ((words[bit >>> 5] as number) << bit) | (((words[(bit >>> 5) + 1] as number) >>> 1) >>> (~bit & 31));
        blue = readWord(alphabet, parameter >>> shortWordBits, next);
      }
      bit += blue & 31;
      if (bit > lastBit) throw new SpiceError('QUIC: ends before its last pixel');

      const sumRed = (((left & 0xff) + (above & 0xff)) >>> 1) + ((red >>> wordDifferenceShift) & 0xff);
      const sumGreen = ((((left >>> 8) & 0xff) + ((above >>> 8) & 0xff)) >>> 1) + ((green >>> wordDifferenceShift) & 0xff);
      const sumBlue = ((((left >>> 16) & 0xff) + ((above >>> 16) & 0xff)) >>> 1) + ((blue >>> wordDifferenceShift) & 0xff);
      twoLeft = left;
      aboveLeft = above;
      left = opaque | ((sumBlue & mask) << 16) | ((sumGreen & mask) << 8) | (sumRed & mask);
      pixels[at] = left;
      if (wait === 0) {
        model.update(0, bucketRed, (red >>> wordValueShift) & 0xff);
        model.update(1, bucketGreen & 7, (green >>> wordValueShift) & 0xff);
        model.update(2, bucketBlue & 7, (blue >>> wordValueShift) & 0xff);
        wait = model.nextWait();
      } else wait--;
      bucketsLeft = (red >>> wordBucketShift) | ((green >>> wordBucketShift) << 3) | ((blue >>> wordBucketShift) << 6);
      buckets[column] = bucketsLeft;
      column++;
    }
    model.wait = wait;
    this.#bit = bit;
  }

  #preparePlane(width: number): void {
    this.#plane.reset(alphabet8);
    if (this.#planeBuckets.length < width) this.#planeBuckets = new Uint8Array(width);
  }

  /** A row of one plane alone: gray, or alpha. */
  #decodePlaneRow(plane: Uint8Array, start: number, width: number, first: boolean): void {
    let column = 0;
    while (column < width) {
      const end = column + this.#plane.takeSegment(width - column);
      this.#decodePlaneSegment(plane, start, width, column, end, first);
      column = end;
    }
  }

  #decodePlaneSegment(plane: Uint8Array, start: number, width: number, from: number, to: number, first: boolean): void {
    const model = this.#plane;
    const buckets = this.#planeBuckets;
    let lastRun = 0;
    for (let column = from; column < to; ) {
      const at = start + column;
      const left = column === 0 ? (first ? 0 : (plane[at - width] as number)) : (plane[at - 1] as number);
      const above = first ? left : (plane[at - width] as number);
      if (!first && column > 2 && lastRun !== column && above === plane[at - width - 1] && left === plane[at - 2]) {
        const length = model.readRun(this.#words, this.#bit, to - column);
        this.#bit += model.runBits;
        if (this.#bit > this.#lastBit) throw new SpiceError('QUIC: ends before its last pixel');
        lastRun = column;
        plane.fill(left, at, at + length);
        column += length;
        continue;
      }
      const bucket = column === 0 ? (first ? 0 : (buckets[0] as number)) : (buckets[column - 1] as number);
      const word = this.#readWord(alphabet8, (model.best[bucket] as number) >>> shortWordBits);
      plane[at] = ((left + above) >>> 1) + ((word >>> wordDifferenceShift) & 0xff);
      if (model.wait === 0) {
        model.update(0, bucket, (word >>> wordValueShift) & 0xff);
        model.wait = model.nextWait();
      } else model.wait--;
      buckets[column] = word >>> wordBucketShift;
      column++;
    }
  }
}

/** Five bits a sample become eight, of which the highest three repeat as the lowest. */
function spreadFiveBits(pixels: Int32Array): void {
  for (let at = 0; at < pixels.length; at++) {
    const five = pixels[at] as number;
    pixels[at] = opaque | ((five & 0x1f1f1f) << 3) | ((five >>> 2) & 0x070707);
  }
}
