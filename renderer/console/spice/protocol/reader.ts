/** Reads little-endian numbers in place out of one message, and never beyond its end. */
import { SpiceError } from './spice-error.ts';

/**
 * INVARIANT: no byte outside `[start, end)` is ever read, whatever counts and offsets a message holds (`reader.test.ts`).
 *
 * One reader is made for each channel and pointed at message after message with `reset`: reading allocates nothing but what `bytesOf` and
 * `u64` return.
 */
export class Reader {
  #bytes: Uint8Array;
  #start: number;
  #end: number;
  #at: number;

  /** Offsets count from `start`. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.byteLength) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = start;
  }

  reset(bytes: Uint8Array, start = 0, end = bytes.byteLength): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = start;
  }

  /** Bytes read or skipped so far. */
  get offset(): number {
    return this.#at - this.#start;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Where the next byte lies, for those who read many numbers in place. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get position(): number {
    return this.#at;
  }

  /** Goes on reading there: SPICE messages hold offsets from their own beginning. */
  seek(offset: number): void {
    if (offset < 0 || offset > this.#end - this.#start) throw new SpiceError(`byte ${offset} of ${this.length} is pointed to`);
    this.#at = this.#start + offset;
  }

  skip(count: number): void {
    this.#need(count);
    this.#at += count;
  }

  u8(): number {
    this.#need(1);
    return this.#bytes[this.#at++] as number;
  }

  u16(): number {
    this.#need(2);
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + 2;
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  }

  i16(): number {
    return (this.u16() << 16) >> 16;
  }

  i32(): number {
    this.#need(4);
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + 4;
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
  }

  u32(): number {
    return this.i32() >>> 0;
  }

  u64(): bigint {
    const low = this.u32();
    return (BigInt(this.u32()) << 32n) | BigInt(low);
  }

  /** The next `count` bytes, as a view that is good until the message is done with. */
  bytesOf(count: number): Uint8Array {
    this.#need(count);
    const view = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return view;
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    return this.bytesOf(this.remaining);
  }

  /** A count of things of `eachBytes` at least: refused when the message cannot hold so many. */
  count(number: number, eachBytes: number, what: string): number {
    if (number * eachBytes > this.remaining) throw new SpiceError(`${number} ${what} do not fit into ${this.remaining} bytes`);
    return number;
  }

  #need(count: number): void {
    if (count < 0 || count > this.#end - this.#at)
      throw new SpiceError(`cut short: ${count} bytes wanted at ${this.offset}, there are ${this.length}`);
  }
}
