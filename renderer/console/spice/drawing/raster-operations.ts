/**
 * Bitwise operations of a source and what is there, in one form for all sixteen of them: `(d & ((s & a) ^ b)) ^ ((s & c) ^ e)` with four
 * words of ones and zeros. With a colour as source two words are left, `(d & a) ^ b`; with a pattern each bit of it picks its words.
 */

/**
 * The sixteen, numbered as X and SPICE number them: 1 is set for an operation that makes 1 of source 1 and destination 1, 2 for (1,0),
 * 4 for (0,1), 8 for (0,0).
 */
export const rop = {
  clear: 0,
  and: 1,
  andReverse: 2,
  copy: 3,
  andInverted: 4,
  noop: 5,
  xor: 6,
  or: 7,
  nor: 8,
  equiv: 9,
  invert: 10,
  orReverse: 11,
  copyInverted: 12,
  orInverted: 13,
  nand: 14,
  set: 15,
} as const;

/** SPICE_ROPD_* */
export const ropDescriptor = {
  inversSrc: 1,
  inversBrush: 2,
  inversDest: 4,
  put: 8,
  or: 16,
  and: 32,
  xor: 64,
  blackness: 128,
  whiteness: 256,
  invers: 512,
  inversRes: 1024,
} as const;

/**
 * The operation that a descriptor of a message means. `source` and `destination` say which of its flags invert what is drawn and what it is
 * drawn upon: a brush upon a picture is neither the message's source nor its destination.
 */
export function rasterOperation(
  descriptor: number,
  source: typeof ropDescriptor.inversSrc | typeof ropDescriptor.inversBrush,
  destination: typeof ropDescriptor.inversSrc | typeof ropDescriptor.inversDest,
): number {
  const invertSource = (descriptor & source) !== 0;
  const invertDestination = (descriptor & destination) !== 0;
  const invertResult = (descriptor & ropDescriptor.inversRes) !== 0;
  // The first of the flags in this order counts, should a message have several.
  if (descriptor & ropDescriptor.put) return invertSource === invertResult ? rop.copy : rop.copyInverted;
  let operation: number;
  if (descriptor & ropDescriptor.or) operation = rop.or;
  else if (descriptor & ropDescriptor.and) operation = rop.and;
  else if (descriptor & ropDescriptor.xor) operation = rop.xor;
  else if (descriptor & ropDescriptor.blackness) return rop.clear;
  else if (descriptor & ropDescriptor.whiteness) return rop.set;
  else if (descriptor & ropDescriptor.invers) return rop.invert;
  else return rop.copy;
  if (invertSource) operation = ((operation & 3) << 2) | (operation >> 2);
  if (invertDestination) operation = ((operation & 5) << 1) | ((operation >> 1) & 5);
  return invertResult ? ~operation & 15 : operation;
}

/** The four words of an operation, of a ROP3 under one bit of its pattern, or of a whole pattern. */
export type MergeWords = { sourceMask: number; sourceFlip: number; resultMask: number; resultFlip: number };

/** `into` becomes the words of an operation. */
export function mergeWords(operation: number, into: MergeWords): void {
  const both = -(operation & 1);
  const sourceOnly = -((operation >> 1) & 1);
  const destinationOnly = -((operation >> 2) & 1);
  const neither = -((operation >> 3) & 1);
  into.resultFlip = neither;
  into.resultMask = sourceOnly ^ neither;
  into.sourceFlip = destinationOnly ^ neither;
  into.sourceMask = both ^ sourceOnly ^ destinationOnly ^ neither;
}

const scratch: MergeWords = { sourceMask: 0, sourceFlip: 0, resultMask: 0, resultFlip: 0 };

/** Merges one colour into `pixels[start..end)`; only `bits` of them change, and `opaqueBits` are set. */
export function mergeColour(
  pixels: Uint32Array,
  start: number,
  end: number,
  colour: number,
  operation: number,
  bits: number,
  opaqueBits: number,
): void {
  mergeWords(operation, scratch);
  const kept = ((colour & scratch.sourceMask) ^ scratch.sourceFlip) | ~bits;
  const flipped = ((colour & scratch.resultMask) ^ scratch.resultFlip) & bits;
  // Bits that are to be set are set by what is flipped where nothing is kept.
  const keptBits = kept & ~opaqueBits;
  const flippedBits = flipped | opaqueBits;
  for (let at = start; at < end; at++) pixels[at] = ((pixels[at] as number) & keptBits) ^ flippedBits;
}

/** Merges a row of source pixels into a row; only `bits` change, and `opaqueBits` are set. */
export function mergeRow(
  pixels: Uint32Array,
  start: number,
  end: number,
  source: Uint32Array,
  sourceStart: number,
  operation: number,
  bits: number,
  opaqueBits: number,
): void {
  const ahead = sourceStart - start;
  const set = opaqueBits | 0;
  switch (operation) {
    case rop.xor:
      for (let at = start; at < end; at++) pixels[at] = ((pixels[at] as number) ^ ((source[at + ahead] as number) & bits)) | set;
      return;
    case rop.and:
      for (let at = start; at < end; at++) pixels[at] = ((pixels[at] as number) & ((source[at + ahead] as number) | ~bits)) | set;
      return;
    case rop.or:
      for (let at = start; at < end; at++) pixels[at] = (pixels[at] as number) | ((source[at + ahead] as number) & bits) | set;
      return;
    default: {
      mergeWords(operation, scratch);
      const { sourceMask, sourceFlip, resultMask, resultFlip } = scratch;
      for (let at = start; at < end; at++) {
        const from = source[at + ahead] as number;
        const kept = ((from & sourceMask) ^ sourceFlip) | ~bits;
        pixels[at] = (((pixels[at] as number) & kept) ^ (((from & resultMask) ^ resultFlip) & bits)) | set;
      }
    }
  }
}
