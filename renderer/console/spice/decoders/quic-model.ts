/** What QUIC learns while it reads: which Golomb parameter suits each bucket of values, how often to look, and how long runs are. */
import { SpiceError } from '../protocol/spice-error.ts';
import { mostBuckets, type QuicAlphabet, shortWordBits } from './quic-code.ts';

/** Pixels between two changes of how seldom the model is updated, and how often that changes. */
const pixelsPerLevel = 2048;
const lastLevel = 6;
/** By level: when the bits counted for a bucket exceed it, all of its counters are halved. */
const halveAbove = [110, 550, 900, 800, 550, 400, 350];
/** By state of the run coder: the expected length of a run, as a power of two. */
const runPowers = new Uint8Array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

/**
 * The format's fixed sequence of pseudo-random numbers (`tabrand_chaos`), of which never more than the lowest six bits are used: they say
 * how many pixels to skip until the model is updated again. Without that their regular rhythm could meet the picture's own.
 */
const skips = Uint8Array.from(
  (
    '02 17 13 15 07 12 28 0e 0c 20 2f 2c 24 06 12 0b 04 13 2a 1d 10 3f 39 33 10 03 05 0e 0f 1e 14 09 ' +
    '24 2d 03 39 3d 00 08 05 29 0e 2b 1b 2b 3b 1f 23 27 3c 2a 26 0d 36 3e 01 1a 03 0b 3d 34 22 07 30 ' +
    '04 3b 16 0c 16 08 32 04 0a 06 2c 08 0b 2e 1f 33 35 11 01 2b 2e 3c 24 36 0a 1b 27 2c 16 29 17 02 ' +
    '2c 00 28 35 28 30 10 2b 20 1c 21 0c 14 02 38 3e 37 3a 12 14 0d 37 26 1d 39 13 31 21 2f 3f 3b 00 ' +
    '23 3d 13 19 2e 26 3c 04 23 01 1a 28 1c 0a 05 0e 19 12 30 31 14 3b 3e 22 2e 07 21 34 22 3a 09 1d ' +
    '08 37 3e 3c 25 24 25 32 06 03 0a 1c 30 18 1a 3d 39 1e 0b 36 02 06 32 2f 07 11 23 35 20 0c 17 11 ' +
    '05 15 31 37 33 2d 34 1b 27 19 27 3f 16 18 2a 34 38 26 29 29 38 20 0d 18 1a 33 1b 38 3a 25 18 2a ' +
    '0f 1c 11 1e 1f 0f 10 17 19 36 21 22 01 1d 1f 32 35 15 31 0f 2f 09 00 3a 25 2d 1e 0d 09 2d 3f 15'
  )
    .split(' ')
    .map((two) => Number.parseInt(two, 16)),
);

export class QuicModel {
  #wordBits: Int32Array;
  /** By `sample << 3 | bucket`: the best parameter, shifted so that the next bits can be put below it. */
  readonly best: Uint16Array;
  /**
   * By `(sample << 3 | bucket) << 2 | parameter >> 1`: bits that two parameters would have cost, the even one in the lower half. The best gains
   * a bit each time and is halved above 900 at the latest, so no other comes to more than 2 × 900 × 27.
   */
  readonly #cost: Int32Array;
  #level = 0;
  #leftInLevel = pixelsPerLevel;
  #seed = 0;
  #runState = 0;
  /** Pixels until the model is updated next. */
  wait = 0;

  constructor(samples: number, alphabet: QuicAlphabet) {
    this.#wordBits = alphabet.wordBits;
    this.best = new Uint16Array(samples * mostBuckets);
    this.#cost = new Int32Array((samples * mostBuckets * mostBuckets) / 2);
    this.reset(alphabet);
  }

  reset(alphabet: QuicAlphabet): void {
    this.#wordBits = alphabet.wordBits;
    this.best.fill((alphabet.bits - 1) << shortWordBits);
    this.#cost.fill(0);
    this.#level = 0;
    this.#leftInLevel = pixelsPerLevel;
    this.#seed = 0xff;
    this.#runState = 0;
    this.wait = 0;
  }

  /** How many of the next `width` pixels belong to the present level; goes on to the next level when that is done. */
  takeSegment(width: number): number {
    while (this.#level < lastLevel && this.#leftInLevel === 0) {
      this.#level++;
      this.#leftInLevel = pixelsPerLevel;
    }
    if (this.#level === lastLevel) return width;
    const count = Math.min(width, this.#leftInLevel);
    this.#leftInLevel -= count;
    return count;
  }

  /** Pixels to skip before the next update. */
  nextWait(): number {
    this.#seed = (this.#seed + 1) & 0xff;
    return (skips[this.#seed] as number) & ((1 << this.#level) - 1);
  }

  /**
   * Counts what `value` would have cost with each parameter, and remembers the best for its bucket (which is that of the sample before).
   *
   * Photographs spend half of their time here as long as they are small: nothing is repeated in a loop, and the lowest cost and, of equal ones,
   * the highest parameter are found as one number, so that no branch has to be foreseen.
   */
  update(sample: number, bucket: number, value: number): void {
    const wordBits = this.#wordBits;
    const cost = this.#cost;
    const at = (sample << 3) | bucket;
    const first = at << 2;
    const word = value << 2;
    const cost01 = (cost[first] as number) + (wordBits[word] as number);
    const cost23 = (cost[first + 1] as number) + (wordBits[word + 1] as number);
    const cost45 = (cost[first + 2] as number) + (wordBits[word + 2] as number);
    const cost67 = (cost[first + 3] as number) + (wordBits[word + 3] as number);
    const lowest = Math.min(
      Math.min(((cost01 & 0xffff) << 3) | 7, ((cost01 >>> 16) << 3) | 6, ((cost23 & 0xffff) << 3) | 5, ((cost23 >>> 16) << 3) | 4),
      Math.min(((cost45 & 0xffff) << 3) | 3, ((cost45 >>> 16) << 3) | 2, ((cost67 & 0xffff) << 3) | 1, (cost67 >>> 16) << 3),
    );
    this.best[at] = (7 - (lowest & 7)) << shortWordBits;
    if (lowest >> 3 > (halveAbove[this.#level] as number)) {
      cost[first] = (cost01 >>> 1) & 0x7fff7fff;
      cost[first + 1] = (cost23 >>> 1) & 0x7fff7fff;
      cost[first + 2] = (cost45 >>> 1) & 0x7fff7fff;
      cost[first + 3] = (cost67 >>> 1) & 0x7fff7fff;
      return;
    }
    cost[first] = cost01;
    cost[first + 1] = cost23;
    cost[first + 2] = cost45;
    cost[first + 3] = cost67;
  }

  /**
   * Reads the length of a run that begins at bit `at`, and leaves the number of bits it took in `runBits`. Throws when the run is longer
   * than `most` pixels.
   */
  readRun(words: Int32Array, at: number, most: number): number {
    const begin = at;
    let length = 0;
    for (;;) {
      const next = (((words[at >>> 5] as number) << at) | (((words[(at >>> 5) + 1] as number) >>> 1) >>> (~at & 31))) >>> 24;
      const ones = Math.clz32(((~next & 0xff) << 24) | 0x800000);
      for (let hit = 0; hit < ones; hit++) {
        length += 1 << (runPowers[this.#runState] as number);
        if (this.#runState < runPowers.length - 1) this.#runState++;
      }
      // Every one bit stands for a pixel at least, so this also ends the loop.
      if (length > most) throw new SpiceError(`QUIC: a run is longer than its row`);
      if (ones < 8) {
        at += ones + 1;
        break;
      }
      at += 8;
    }
    const power = runPowers[this.#runState] as number;
    if (power > 0) {
      const next = ((words[at >>> 5] as number) << at) | (((words[(at >>> 5) + 1] as number) >>> 1) >>> (~at & 31));
      length += next >>> (32 - power);
      at += power;
    }
    if (this.#runState > 0) this.#runState--;
    if (length > most) throw new SpiceError(`QUIC: a run is longer than its row`);
    this.runBits = at - begin;
    return length;
  }

  runBits = 0;
}
