/**
 * Cuts the bytes of one SPICE channel into the pieces that the protocol defines, and refuses those that no honest server sends, before any
 * of them reaches the decoder.
 *
 * Layout (spice-protocol, link.h and the mini header of protocol.h): link header (16 bytes: "REDQ", major, minor, size) · link reply of
 * that size · authentication result (4 bytes) · messages: type (2 bytes), size (4 bytes), body.
 */

export class ProtocolError extends Error {
  override name = 'ProtocolError';
}

/** SPICE_CHANNEL_*, those that are opened here. */
export const channelType = { main: 1, display: 2, inputs: 3, cursor: 4 } as const;

const linkHeaderBytes = 16;
const authReplyBytes = 4;
const messageHeaderBytes = 6;
/** A real link reply has 178 bytes and a few capabilities. */
const linkReplyMaxBytes = 4096;

/** The largest body of a message. A raw picture of an 8K screen has 127 MiB. */
const bodyMaxBytes: Record<number, number> = {
  [channelType.main]: 1024 * 1024,
  [channelType.display]: 160 * 1024 * 1024,
  [channelType.inputs]: 64 * 1024,
  [channelType.cursor]: 4 * 1024 * 1024,
};

type Stage = 'linkHeader' | 'linkReply' | 'authReply' | 'messageHeader' | 'messageBody';

/** Hands on pieces of exactly the length that the decoder asks for next, so that it never has to join or cut buffers itself. */
export class Framing {
  readonly #channel: () => number;
  readonly #emit: (piece: ArrayBuffer) => void;
  #stage: Stage = 'linkHeader';
  #piece = new Uint8Array(linkHeaderBytes);
  #filled = 0;

  /** `channel` is asked when the first body comes: the type is not known before. */
  constructor(channel: () => number, emit: (piece: ArrayBuffer) => void) {
    this.#channel = channel;
    this.#emit = emit;
  }

  /** Throws {@link ProtocolError}; nothing may be fed after that. */
  feed(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength) {
      const count = Math.min(this.#piece.byteLength - this.#filled, chunk.byteLength - at);
      this.#piece.set(chunk.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === this.#piece.byteLength) this.#complete();
    }
  }

  #complete(): void {
    const piece = this.#piece.buffer;
    const view = new DataView(piece);
    const stage = this.#stage;
    if (stage === 'linkHeader') {
      const size = view.getUint32(12, true);
      if (view.getUint32(0, true) !== 0x51444552) throw new ProtocolError('The server does not speak SPICE.');
      if (view.getUint32(4, true) !== 2)
        throw new ProtocolError(`The server speaks SPICE ${view.getUint32(4, true)}, which is not known here.`);
      if (size < 178 || size > linkReplyMaxBytes) throw new ProtocolError(`A link reply of ${size} bytes is not possible.`);
      this.#expect('linkReply', size);
    } else if (stage === 'linkReply') this.#expect('authReply', authReplyBytes);
    else if (stage === 'authReply') this.#expect('messageHeader', messageHeaderBytes);
    else if (stage === 'messageHeader') {
      const type = view.getUint16(0, true);
      const size = view.getUint32(2, true);
      const limit = bodyMaxBytes[this.#channel()] ?? 64 * 1024;
      if (type === 0 || type > 500) throw new ProtocolError(`A message of type ${type} does not exist.`);
      if (size > limit)
        throw new ProtocolError(`A message of type ${type} with ${size} bytes is larger than the ${limit} that are accepted.`);
      if (size > 0) this.#expect('messageBody', size);
      else this.#expect('messageHeader', messageHeaderBytes);
    } else this.#expect('messageHeader', messageHeaderBytes);
    this.#emit(piece);
  }

  #expect(stage: Stage, bytes: number): void {
    this.#stage = stage;
    this.#piece = new Uint8Array(bytes);
    this.#filled = 0;
  }
}
