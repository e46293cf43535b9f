/** Makes new inputs of old ones, the same ones for the same seed. */

/** A generator of numbers (xorshift) that can be begun anew. */
export class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** A whole number from 0 to `below`, without it. */
  number(below: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % below;
  }

  of<One>(many: readonly One[]): One {
    return many[this.number(many.length)] as One;
  }
}

const interesting = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 200, 224, 239, 240, 254, 255];
const interesting32 = [0, 1, 255, 256, 16_384, 16_385, 65_535, 65_536, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fff0];
const longestInput = 4096;

/** A few changes to `input`, some of them taken from `other`. */
export function mutate(input: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  let bytes = input.slice();
  for (let change = 1 << chance.number(5); change > 0; change--) {
    if (bytes.length === 0) bytes = Uint8Array.of(chance.number(256));
    // Headers are short and at the beginning: half of the changes go there.
    const at = chance.number(2) === 0 ? chance.number(bytes.length) : chance.number(Math.min(bytes.length, 48));
    switch (chance.number(9)) {
      case 0:
        bytes[at] = (bytes[at] as number) ^ (1 << chance.number(8));
        break;
      case 1:
        bytes[at] = chance.of(interesting);
        break;
      case 2:
        bytes[at] = chance.number(256);
        break;
      case 3:
        bytes[at] = (bytes[at] as number) + chance.number(17) - 8;
        break;
      case 4:
        if (at + 4 <= bytes.length) new DataView(bytes.buffer).setUint32(at, chance.of(interesting32), chance.number(2) === 0);
        break;
      case 5:
        bytes = bytes.slice(0, at);
        break;
      case 6:
        bytes = join(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + chance.number(16))));
        break;
      case 7: {
        const from = chance.number(other.length + 1);
        bytes = join(bytes.subarray(0, at), other.subarray(from, from + chance.number(64)), bytes.subarray(at));
        break;
      }
      default:
        if (other.length > 0) bytes = join(bytes.subarray(0, at), other.subarray(Math.min(at, other.length)));
    }
  }
  return bytes.length > longestInput ? bytes.slice(0, longestInput) : bytes;
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
