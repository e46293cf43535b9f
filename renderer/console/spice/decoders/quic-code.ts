/**
 * QUIC's code: Golomb-Rice words whose parameter is learned, as in SFALIC (R. Starosolski, "Simple fast and adaptive lossless image
 * compression algorithm"). There are two alphabets, of 8-bit and of 5-bit samples, each with one word per parameter and value.
 */

/** No word is longer. */
export const longestWordBits = 26;
/** What a word is said to have with a parameter that the smaller alphabet lacks, so that it is never the best. */
const noWordBits = longestWordBits + 1;
/** Words of up to so many bits are read with one look into a table. */
export const shortWordBits = 10;
const shortWords = 1 << shortWordBits;

/** How a word that was read is packed: its length · the value it stands for · that value as a signed difference · the value's bucket. */
export const wordValueShift = 8;
export const wordDifferenceShift = 16;
export const wordBucketShift = 24;

/** Most buckets that values fall into; each has counters of its own. */
export const mostBuckets = 8;

export interface QuicAlphabet {
  readonly bits: 5 | 8;
  /** By `parameter << shortWordBits | the next bits`: the packed word, or 0 when it is longer. */
  readonly shortWords: Uint32Array;
  /** By `value << 2 | parameter >> 1`: bits of its word with two parameters, the even one in the lower half. */
  readonly wordBits: Int32Array;
  /** By parameter: zeros that begin the words of large values, which are then written plainly. */
  readonly plainPrefixBits: Uint8Array;
  readonly plainBits: Uint8Array;
  /** By parameter: the first value that is written plainly. */
  readonly firstPlain: Uint16Array;
  /** By value: 0, -1, 1, -2, … modulo the size of the alphabet. */
  readonly difference: Uint8Array;
  /** By value: 1, 2, 4, 8, … values share a bucket. */
  readonly bucket: Uint8Array;
}

function buildAlphabet(bits: 5 | 8): QuicAlphabet {
  const size = 1 << bits;
  const alphabet = {
    bits,
    shortWords: new Uint32Array(bits << shortWordBits),
    wordBits: new Int32Array(size << 2).fill(noWordBits | (noWordBits << 16)),
    plainPrefixBits: new Uint8Array(bits),
    plainBits: new Uint8Array(bits),
    firstPlain: new Uint16Array(bits),
    difference: new Uint8Array(size),
    bucket: new Uint8Array(size),
  };
  for (let value = 0; value < size; value++) {
    alphabet.difference[value] = (value & 1) === 1 ? size - 1 - (value >> 1) : value >> 1;
    alphabet.bucket[value] = Math.min(31 - Math.clz32(value + 1), bits - 1);
  }
  for (let parameter = 0; parameter < bits; parameter++) {
    const prefix = Math.min(longestWordBits - bits, (1 << (bits - parameter)) - 1);
    const firstPlain = prefix << parameter;
    const plainBits = 32 - Math.clz32(size - firstPlain - 1);
    alphabet.plainPrefixBits[parameter] = prefix;
    alphabet.plainBits[parameter] = plainBits;
    alphabet.firstPlain[parameter] = firstPlain;
    for (let value = 0; value < size; value++)
      setHalf(alphabet.wordBits, (value << 3) | parameter, value < firstPlain ? (value >> parameter) + parameter + 1 : prefix + plainBits);
    for (let next = 0; next < shortWords; next++) {
      const word = readWord(alphabet, parameter, next << (32 - shortWordBits));
      if ((word & 31) <= shortWordBits) alphabet.shortWords[(parameter << shortWordBits) | next] = word;
    }
  }
  return alphabet;
}

function setHalf(pairs: Int32Array, at: number, value: number): void {
  const both = pairs[at >> 1] as number;
  pairs[at >> 1] = (at & 1) === 0 ? (both & 0xffff0000) | value : (both & 0xffff) | (value << 16);
}

/** Any word, of any length, from the next 32 bits. */
export function readWord(alphabet: QuicAlphabet, parameter: number, next: number): number {
  const zeros = Math.clz32(next);
  const prefix = alphabet.plainPrefixBits[parameter] as number;
  let value: number;
  let length: number;
  if (zeros < prefix) {
    length = zeros + 1 + parameter;
    value = (zeros << parameter) | ((next >>> (32 - length)) & ((1 << parameter) - 1));
  } else {
    const plainBits = alphabet.plainBits[parameter] as number;
    length = prefix + plainBits;
    value = (alphabet.firstPlain[parameter] as number) + ((next >>> (32 - length)) & ((1 << plainBits) - 1));
  }
  value &= (1 << alphabet.bits) - 1;
  return (
    length |
    (value << wordValueShift) |
    ((alphabet.difference[value] as number) << wordDifferenceShift) |
    ((alphabet.bucket[value] as number) << wordBucketShift)
  );
}

export const alphabet8 = buildAlphabet(8);
export const alphabet5 = buildAlphabet(5);
