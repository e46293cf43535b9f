/**
 * Many connections over one port, as spice-webdavd in a guest speaks it: `client (int64) · size (uint16) · data`, little-endian, both ways.
 * A piece of no size says that the client is gone. Whoever sends is hostile.
 */
import { Duplex } from 'node:stream';

export type MultiplexerOptions = {
  /** Sends bytes to the guest; `taken` is called when they are on their way and memory for more is there. */
  send(bytes: Uint8Array, taken: () => void): void;
  /** Somebody in the guest connected. */
  connected(client: GuestClient): void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
};

const headerBytes = 10;
/** A client may fill a message, but others want to come in between. */
const pieceMaxBytes = 32 * 1024;
export const clientsMax = 64;
/** What a client has sent and nobody has read yet; then the port is not read, and the guest waits. */
const unreadMaxBytes = 128 * 1024;
const quietMaxMs = 5 * 60_000;
const requestHeaderMaxMs = 20_000;
/** Whoever does not take an answer keeps all others of the guest waiting. */
const unreadMaxMs = 30_000;

/** INVARIANT: how the bytes are cut makes no difference, and what waits is bounded (`multiplexer.test.ts`). */
export class Multiplexer {
  readonly #options: MultiplexerOptions;
  readonly #clients = new Map<bigint, GuestClient>();
  readonly #header = new Uint8Array(headerBytes);
  #headerFilled = 0;
  /** What the message that is being read still has, and for whom; null is for nobody. */
  #left = 0;
  #to: GuestClient | null = null;
  #closed = false;
  #room: PromiseWithResolvers<void> | null = null;

  constructor(options: MultiplexerOptions) {
    this.#options = options;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** The bytes are copied. A promise is settled when more may come. */
  receive(bytes: Uint8Array): undefined | Promise<void> {
    let at = 0;
    while (at < bytes.byteLength && !this.#closed) {
      if (this.#left > 0) {
        const piece = bytes.subarray(at, at + this.#left);
        at += piece.byteLength;
        this.#left -= piece.byteLength;
        this.#to?.receive(piece);
        continue;
      }
      const part = bytes.subarray(at, at + headerBytes - this.#headerFilled);
      this.#header.set(part, this.#headerFilled);
      this.#headerFilled += part.byteLength;
      at += part.byteLength;
      if (this.#headerFilled < headerBytes) break;
      this.#headerFilled = 0;
      this.#begin();
    }
    if (!this.#isFull()) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Ends clients that are silent, that never finish asking, and that do not take their answers: to be called every few seconds. */
  look(): void {
    const now = this.#options.now();
    for (const client of this.#clients.values()) if (client.isStuck(now)) client.destroy();
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.destroy();
    this.#clients.clear();
    this.#relieved();
  }

  #begin(): void {
    const view = new DataView(this.#header.buffer);
    const id = view.getBigInt64(0, true);
    const size = view.getUint16(8, true);
    const known = this.#clients.get(id);
    this.#left = size;
    this.#to = known ?? null;
    if (size === 0) known?.gone();
    else if (!known) this.#to = this.#connect(id);
  }

  #connect(id: bigint): GuestClient | null {
    if (this.#clients.size >= clientsMax) {
      this.#send(id, new Uint8Array(0), () => undefined);
      return null;
    }
    const client: GuestClient = new GuestClient({
      now: this.#options.now,
      send: (bytes, taken) => this.#send(id, bytes, taken),
      relieved: () => this.#relieved(),
      closed: (tellGuest) => {
        if (this.#to === client) this.#to = null;
        if (this.#clients.get(id) === client) this.#clients.delete(id);
        if (tellGuest) this.#send(id, new Uint8Array(0), () => undefined);
        this.#relieved();
      },
    });
    this.#clients.set(id, client);
    this.#options.connected(client);
    return client;
  }

  #send(id: bigint, bytes: Uint8Array, taken: () => void): void {
    if (this.#closed) return;
    const message = new Uint8Array(headerBytes + bytes.byteLength);
    const view = new DataView(message.buffer);
    view.setBigInt64(0, id, true);
    view.setUint16(8, bytes.byteLength, true);
    message.set(bytes, headerBytes);
    this.#options.send(message, taken);
  }

  #isFull(): boolean {
    return [...this.#clients.values()].some(({ unreadBytes }) => unreadBytes > unreadMaxBytes);
  }

  #relieved(): void {
    if (!this.#room || this.#isFull()) return;
    this.#room.resolve();
    this.#room = null;
  }
}

type ClientOptions = {
  now(): number;
  send(bytes: Uint8Array, taken: () => void): void;
  /** It has read something. */
  relieved(): void;
  closed(tellGuest: boolean): void;
};

/** One connection of a program in the guest. */
export class GuestClient extends Duplex {
  readonly #options: ClientOptions;
  #unread: Uint8Array[] = [];
  #wanted = false;
  #goneInGuest = false;
  #heardAt: number;
  /** Since when it sends the headers of a request; null while it does not. */
  #askingSince: number | null = null;
  #unreadSince: number | null = null;
  #answering = 0;
  unreadBytes = 0;

  constructor(options: ClientOptions) {
    super({ allowHalfOpen: false });
    this.#options = options;
    this.#heardAt = options.now();
  }

  receive(piece: Uint8Array): void {
    if (this.destroyed) return;
    this.#heardAt = this.#options.now();
    if (this.#answering === 0) this.#askingSince ??= this.#heardAt;
    this.#unread.push(Buffer.from(piece));
    this.unreadBytes += piece.byteLength;
    this.#unreadSince ??= this.#heardAt;
    if (this.#wanted) this.#hand();
  }

  /** The guest says that it is gone. */
  gone(): void {
    this.#goneInGuest = true;
    this.destroy();
  }

  /** A request's headers are there; and its answer is given. */
  requestBegan(): void {
    this.#answering++;
    this.#askingSince = null;
  }

  requestAnswered(): void {
    this.#answering--;
    this.#heardAt = this.#options.now();
  }

  isStuck(now: number): boolean {
    if (now - this.#heardAt > quietMaxMs) return true;
    if (this.#askingSince !== null && now - this.#askingSince > requestHeaderMaxMs) return true;
    return this.#unreadSince !== null && this.unreadBytes > unreadMaxBytes && now - this.#unreadSince > unreadMaxMs;
  }

  override _read(): void {
    this.#wanted = true;
    this.#hand();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: (error?: Error | null) => void): void {
    this.#sendFrom(chunk, 0, taken);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unread = [];
    this.unreadBytes = 0;
    this.#options.closed(!this.#goneInGuest);
    callback(error);
  }

  #sendFrom(chunk: Buffer, at: number, taken: () => void): void {
    if (this.destroyed) return;
    if (at >= chunk.length) {
      taken();
      return;
    }
    this.#options.send(chunk.subarray(at, at + pieceMaxBytes), () => {
      this.#heardAt = this.#options.now();
      this.#sendFrom(chunk, at + pieceMaxBytes, taken);
    });
  }

  #hand(): void {
    while (this.#wanted) {
      const piece = this.#unread.shift();
      if (!piece) break;
      this.unreadBytes -= piece.byteLength;
      this.#wanted = this.push(piece);
    }
    this.#unreadSince = this.#unread.length === 0 ? null : this.#options.now();
    this.#options.relieved();
  }
}
