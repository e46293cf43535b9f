/** Cuts the beginning of a SPICE channel into its parts, for those who stand between or opposite: recorder, replay server, bare client. */

export const linkMagic = 0x51444552;
export const linkHeaderBytes = 16;

/** Collects bytes until there are as many as are asked for. */
export class Pieces {
  #held: Buffer = Buffer.alloc(0);
  readonly #steps: { bytes(): number; take(piece: Buffer): void }[];
  readonly #rest: (bytes: Buffer) => void;

  /** `steps` are done one after the other; what comes after them goes to `rest`. */
  constructor(steps: { bytes(): number; take(piece: Buffer): void }[], rest: (bytes: Buffer) => void) {
    this.#steps = steps;
    this.#rest = rest;
  }

  feed(chunk: Buffer): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    while (this.#steps[0] !== undefined && this.#held.length >= this.#steps[0].bytes()) {
      const step = this.#steps.shift();
      const count = step?.bytes() ?? 0;
      const piece = this.#held.subarray(0, count);
      this.#held = this.#held.subarray(count);
      step?.take(piece);
    }
    if (this.#steps.length > 0 || this.#held.length === 0) return;
    const all = this.#held;
    this.#held = Buffer.alloc(0);
    this.#rest(all);
  }
}

/** The two steps of a link message or reply: its header, and the body whose length that tells. */
export function linkSteps(take: (body: Buffer) => void): { bytes(): number; take(piece: Buffer): void }[] {
  let size = 0;
  return [
    {
      bytes: () => linkHeaderBytes,
      take: (header) => {
        if (header.readUInt32LE(0) !== linkMagic) throw new Error('This is no SPICE.');
        size = header.readUInt32LE(12);
        if (size > 4096) throw new Error(`A link of ${size} bytes is not possible.`);
      },
    },
    { bytes: () => size, take },
  ];
}

export function buildLink(body: Buffer): Buffer {
  const header = Buffer.alloc(linkHeaderBytes);
  header.writeUInt32LE(linkMagic, 0);
  header.writeUInt32LE(2, 4);
  header.writeUInt32LE(2, 8);
  header.writeUInt32LE(body.length, 12);
  return Buffer.concat([header, body]);
}
