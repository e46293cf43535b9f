/**
 * Inflates a zlib stream (RFC 1950, RFC 1951) whose size is known before. Ours, since it has to be synchronous, where the browser's
 * DecompressionStream is not, and has to stop at the end of what it was given room for, where a small library goes on to the end of the bomb.
 */
import { SpiceError } from '../protocol/spice-error.ts';
import { longCopy, repeatBack } from './lz-format.ts';

const longestCode = 15;
const endOfBlock = 256;
const lengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
  24577,
];
const distanceExtra = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const orderOfCodeLengths = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Codes of up to so many bits are read with one look into a table, which is small enough to be made anew for each block. */
const shortCode = 10;
const shortMask = (1 << shortCode) - 1;

/** A prefix code, as the lengths of its codes define it. */
class CodeTable {
  /** By the next bits, lowest first: `symbol << 4 | bits of its code`, or 0 where a longer code begins, or none. */
  readonly entries = new Uint16Array(1 << shortCode);
  /** By bits: how many codes have so many. */
  readonly #counts = new Uint16Array(longestCode + 1);
  /** In the order of their codes. */
  readonly #symbols = new Uint16Array(288);
  readonly #next = new Uint16Array(longestCode + 1);
  readonly #place = new Uint16Array(longestCode + 1);

  /** Throws unless the lengths are those of a prefix code. One that lacks codes is allowed where it has one at most, as zlib does. */
  build(lengths: Uint8Array, from: number, to: number): void {
    const counts = this.#counts;
    counts.fill(0);
    for (let at = from; at < to; at++) (counts[lengths[at] as number] as number)++;
    counts[0] = 0;
    let code = 0;
    let place = 0;
    let used = 0;
    for (let bits = 1; bits <= longestCode; bits++) {
      code = (code + (counts[bits - 1] as number)) << 1;
      this.#next[bits] = code;
      this.#place[bits] = place;
      place += counts[bits] as number;
      used += (counts[bits] as number) << (longestCode - bits);
    }
    if (used > 1 << longestCode) throw new SpiceError('zlib: the lengths of its codes are impossible');
    if (used < 1 << longestCode && !(place === 0 || (place === 1 && counts[1] === 1)))
      throw new SpiceError('zlib: the lengths of its codes leave some out');
    this.entries.fill(0);
    for (let at = from; at < to; at++) {
      const bits = lengths[at] as number;
      if (bits === 0) continue;
      this.#symbols[(this.#place[bits] as number)++] = at - from;
      const own = (this.#next[bits] as number)++;
      if (bits > shortCode) continue;
      const entry = ((at - from) << 4) | bits;
      for (let index = reverse(own, bits); index < 1 << shortCode; index += 1 << bits) this.entries[index] = entry;
    }
  }

  /** A code of any length, bit by bit: `symbol << 4 | bits`, or 0 when there is none. */
  readLong(held: number): number {
    let code = 0;
    let first = 0;
    let place = 0;
    for (let bits = 1; bits <= longestCode; bits++) {
      code |= (held >>> (bits - 1)) & 1;
      const count = this.#counts[bits] as number;
      if (code - first < count) return ((this.#symbols[place + code - first] as number) << 4) | bits;
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return 0;
  }
}

function reverse(code: number, bits: number): number {
  let reversed = 0;
  for (let bit = 0; bit < bits; bit++) reversed |= ((code >>> bit) & 1) << (bits - 1 - bit);
  return reversed;
}

/** Keeps nothing but its tables. */
export class Inflater {
  readonly #literals = new CodeTable();
  readonly #distances = new CodeTable();
  readonly #lengths = new Uint8Array(320);
  #data: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bits that were taken from the data and not used yet, lowest first. */
  #held = 0;
  #heldBits = 0;

  /** Fills `out` exactly. Throws {@link SpiceError} when the stream is damaged, or holds less or more than that. */
  inflate(data: Uint8Array, out: Uint8Array): void {
    if (data.byteLength < 2) throw new SpiceError('zlib: cut short in its header');
    const header = ((data[0] as number) << 8) | (data[1] as number);
    if ((header & 0x0f00) !== 0x0800 || header % 31 !== 0 || (header & 0x20) !== 0)
      throw new SpiceError('zlib: does not begin as a zlib stream');
    this.#data = data;
    this.#at = 2;
    this.#held = 0;
    this.#heldBits = 0;
    let done = 0;
    let last: number;
    do {
      last = this.#take(1);
      const kind = this.#take(2);
      if (kind === 0) done = this.#copyStored(out, done);
      else {
        if (kind === 1) this.#setFixedCodes();
        else if (kind === 2) this.#readCodes();
        else throw new SpiceError('zlib: a block of no known kind');
        done = this.#decodeBlock(out, done);
      }
    } while (last === 0);
    if (done !== out.byteLength) throw new SpiceError(`zlib: ${done} bytes came out where ${out.byteLength} were to`);
  }

  #take(bits: number): number {
    while (this.#heldBits < bits) {
      if (this.#at >= this.#data.byteLength) throw cutShort();
      this.#held |= (this.#data[this.#at++] as number) << this.#heldBits;
      this.#heldBits += 8;
    }
    const value = this.#held & ((1 << bits) - 1);
    this.#held >>>= bits;
    this.#heldBits -= bits;
    return value;
  }

  #takeSymbol(table: CodeTable): number {
    while (this.#heldBits < longestCode && this.#at < this.#data.byteLength) {
      this.#held |= (this.#data[this.#at++] as number) << this.#heldBits;
      this.#heldBits += 8;
    }
    const entry = (table.entries[this.#held & shortMask] as number) || table.readLong(this.#held);
    const bits = entry & 15;
    if (bits === 0 || bits > this.#heldBits) throw bits === 0 ? noCode() : cutShort();
    this.#held >>>= bits;
    this.#heldBits -= bits;
    return entry >>> 4;
  }

  #copyStored(out: Uint8Array, done: number): number {
    // Whole bytes that are held were taken too early.
    this.#at -= this.#heldBits >>> 3;
    this.#held = 0;
    this.#heldBits = 0;
    const length = this.#take(16);
    if ((length ^ this.#take(16)) !== 0xffff) throw new SpiceError('zlib: a stored block has a damaged length');
    if (length > this.#data.byteLength - this.#at) throw cutShort();
    if (length > out.byteLength - done) throw tooMuch();
    out.set(this.#data.subarray(this.#at, this.#at + length), done);
    this.#at += length;
    return done + length;
  }

  #setFixedCodes(): void {
    const lengths = this.#lengths;
    lengths.fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288).fill(5, 288, 320);
    this.#literals.build(lengths, 0, 288);
    this.#distances.build(lengths, 288, 320);
  }

  #readCodes(): void {
    const literals = this.#take(5) + 257;
    const distances = this.#take(5) + 1;
    const codes = this.#take(4) + 4;
    if (literals > 286 || distances > 30) throw new SpiceError('zlib: has more codes than there can be');
    const lengths = this.#lengths;
    lengths.fill(0, 0, 19);
    for (let index = 0; index < codes; index++) lengths[orderOfCodeLengths[index] as number] = this.#take(3);
    this.#literals.build(lengths, 0, 19);
    const total = literals + distances;
    for (let at = 0; at < total; ) {
      const symbol = this.#takeSymbol(this.#literals);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw new SpiceError('zlib: repeats a length before the first');
      const value = symbol === 16 ? (lengths[at - 1] as number) : 0;
      const repeat = symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (at + repeat > total) throw new SpiceError('zlib: has more lengths than codes');
      lengths.fill(value, at, at + repeat);
      at += repeat;
    }
    if (lengths[endOfBlock] === 0) throw new SpiceError('zlib: a block cannot end');
    this.#literals.build(lengths, 0, literals);
    this.#distances.build(lengths, literals, total);
  }

  #decodeBlock(out: Uint8Array, done: number): number {
    const data = this.#data;
    const end = data.byteLength;
    const size = out.byteLength;
    const literals = this.#literals.entries;
    const distances = this.#distances.entries;
    let at = this.#at;
    let held = this.#held;
    let heldBits = this.#heldBits;
    for (;;) {
      // What follows takes 20 bits at most, a distance 15 and then 13: at least 25 are held before each, if there are so many.
      for (; heldBits <= 24 && at < end; heldBits += 8) held |= (data[at++] as number) << heldBits;
      let entry = literals[held & shortMask] as number;
      if (entry === 0) entry = this.#literals.readLong(held);
      let bits = entry & 15;
      if (bits === 0) throw noCode();
      if (bits > heldBits) throw cutShort();
      held >>>= bits;
      heldBits -= bits;
      const symbol = entry >>> 4;
      if (symbol < endOfBlock) {
        if (done >= size) throw tooMuch();
        out[done++] = symbol;
        continue;
      }
      if (symbol === endOfBlock) break;
      if (symbol > 285) throw noCode();
      bits = lengthExtra[symbol - 257] as number;
      const length = (lengthBase[symbol - 257] as number) + (held & ((1 << bits) - 1));
      if (bits > heldBits) throw cutShort();
      held >>>= bits;
      heldBits -= bits;

      for (; heldBits <= 24 && at < end; heldBits += 8) held |= (data[at++] as number) << heldBits;
      entry = distances[held & shortMask] as number;
      if (entry === 0) entry = this.#distances.readLong(held);
      bits = entry & 15;
      if (bits === 0 || entry >>> 4 > 29) throw noCode();
      if (bits > heldBits) throw cutShort();
      held >>>= bits;
      heldBits -= bits;
      for (; heldBits <= 24 && at < end; heldBits += 8) held |= (data[at++] as number) << heldBits;
      bits = distanceExtra[entry >>> 4] as number;
      if (bits > heldBits) throw cutShort();
      const distance = (distanceBase[entry >>> 4] as number) + (held & ((1 << bits) - 1));
      held >>>= bits;
      heldBits -= bits;

      if (distance > done) throw new SpiceError('zlib: a reference leads before the beginning');
      if (length > size - done) throw tooMuch();
      if (length < longCopy) for (const stop = done + length; done < stop; done++) out[done] = out[done - distance] as number;
      else {
        repeatBack(out, done, distance, length);
        done += length;
      }
    }
    this.#at = at;
    this.#held = held;
    this.#heldBits = heldBits;
    return done;
  }
}

const cutShort = () => new SpiceError('zlib: ends before its last block');
const noCode = () => new SpiceError('zlib: holds a code that it did not define');
const tooMuch = () => new SpiceError('zlib: holds more than was announced');
