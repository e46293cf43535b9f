/**
 * Where messages begin and end in what spice-webdavd and the engine say to each other: `client (int64) · size (uint16) · data`, little-endian. A
 * message of no size says that its client is gone.
 */

const headerBytes = 10;

export class FolderMessages {
  readonly #begun: (client: bigint, sizeBytes: number) => void;
  readonly #header = new Uint8Array(headerBytes);
  #headerFilled = 0;
  #leftBytes = 0;

  /** `begun`: a message's header was read. */
  constructor(begun: (client: bigint, sizeBytes: number) => void) {
    this.#begun = begun;
  }

  /** Whether what was read so far ends with a whole message. */
  get isAtEnd(): boolean {
    return this.#headerFilled === 0 && this.#leftBytes === 0;
  }

  /** Reads on; how many of these bytes there are until the first and until the last message that ends in them. Null when none does. */
  read(bytes: Uint8Array): { first: number; last: number } | null {
    let first: number | null = null;
    let last = 0;
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#leftBytes > 0) {
        const count = Math.min(this.#leftBytes, bytes.byteLength - at);
        this.#leftBytes -= count;
        at += count;
      } else {
        const part = bytes.subarray(at, at + headerBytes - this.#headerFilled);
        this.#header.set(part, this.#headerFilled);
        this.#headerFilled += part.byteLength;
        at += part.byteLength;
        if (this.#headerFilled < headerBytes) break;
        this.#headerFilled = 0;
        const view = new DataView(this.#header.buffer);
        this.#leftBytes = view.getUint16(8, true);
        this.#begun(view.getBigInt64(0, true), this.#leftBytes);
      }
      if (this.#leftBytes > 0) continue;
      first ??= at;
      last = at;
    }
    return first === null ? null : { first, last };
  }
}

/** Tells the guest that nobody talks to this client any more. */
export function clientGone(client: bigint): Uint8Array {
  const message = new Uint8Array(headerBytes);
  new DataView(message.buffer).setBigInt64(0, client, true);
  return message;
}
