/**
 * Where the guest's port for shared folders meets the byte stream to the engine, which alone reads and writes them. A stream may end in the middle of
 * a message, of either side, and the port goes on: so the guest is given whole messages alone, and the next stream begins with one.
 */
import { ByteStream } from '../../transport.ts';
import type { PortEvents } from '../channels/port-channel.ts';
import { clientGone, FolderMessages } from './folder-messages.ts';

export type FolderEndOptions = {
  /** A stream is wanted: `attach` is to be called, or `refused`. */
  needed(): void;
  /** Whether a program in the guest has the port open. */
  used(used: boolean): void;
  after(ms: number, run: () => void): () => void;
  /** To the guest. The promise is settled when there is room for more. */
  send(bytes: Uint8Array): undefined | Promise<void>;
};

/** The engine starts again within seconds, and what is shared can change at any time. */
const againAfterMs = 2_000;
const mostUnderWayBytes = 1024 * 1024;
/** The engine serves no more of a guest's at once. */
const mostClients = 64;
/** The engine takes no longer message. */
const pieceBytes = 64 * 1024;

export class FolderEnd implements PortEvents {
  readonly #options: FolderEndOptions;
  #stream: ByteStream | null = null;
  #isOpen = false;
  /** Pending while a stream was asked for: until it stands, or there is none. */
  #asked: PromiseWithResolvers<void> | null = null;
  #stopWaiting = () => {};
  /** Of those that talk to the engine in the guest. */
  readonly #clients = new Set<bigint>();
  #fromGuest = this.#readFromGuest();
  #toGuest = this.#readToGuest();
  /** Pending while the guest takes what it was given. */
  #room: Promise<void> | null = null;
  /** What has come for the guest of a message that is not whole. */
  #rest: Uint8Array[] = [];
  /** The guest is in the middle of a message that another stream had the beginning of. */
  #skips = false;

  constructor(options: FolderEndOptions) {
    this.#options = options;
  }

  portOpened(): void {
    this.#isOpen = true;
    this.#clients.clear();
    this.#fromGuest = this.#readFromGuest();
    this.#skips = false;
    this.#options.used(true);
    this.#ask();
  }

  portClosed(): void {
    this.#options.used(false);
    this.close();
  }

  /** What the guest says before the stream stands waits, and the guest with it. What is said to nobody is lost; its programs ask again. */
  portData(bytes: Uint8Array): undefined | Promise<void> {
    return this.#asked ? this.#asked.promise.then(() => this.#forward(bytes)) : this.#forward(bytes);
  }

  attach(port: MessagePort): void {
    if (!this.#isOpen || this.#stream) {
      port.close();
      return;
    }
    const stream = new ByteStream(port, {
      open: () => this.#answered(),
      data: (bytes) => this.#giveInTurn(stream, bytes),
      closed: () => {
        if (this.#stream !== stream) return;
        this.#stream = null;
        // The next stream knows nothing of them.
        for (const client of this.#clients) void this.#options.send(clientGone(client));
        this.#clients.clear();
        this.refused();
      },
    });
    this.#stream = stream;
    this.#skips = !this.#fromGuest.isAtEnd;
    this.#toGuest = this.#readToGuest();
    this.#rest = [];
  }

  /** There is nothing to connect to now. */
  refused(): void {
    this.#answered();
    this.#stopWaiting();
    if (this.#isOpen) this.#stopWaiting = this.#options.after(againAfterMs, () => this.#ask());
  }

  close(): void {
    this.#isOpen = false;
    this.#stopWaiting();
    this.#answered();
    this.#stream?.close();
    this.#stream = null;
  }

  #ask(): void {
    if (this.#asked || this.#stream) return;
    this.#asked = Promise.withResolvers();
    this.#options.needed();
  }

  #answered(): void {
    this.#asked?.resolve();
    this.#asked = null;
  }

  #forward(bytes: Uint8Array): undefined | Promise<void> {
    const ends = this.#fromGuest.read(bytes);
    let at = 0;
    if (this.#skips) {
      at = ends?.first ?? bytes.byteLength;
      this.#skips = ends === null;
    }
    for (; at < bytes.byteLength; at += pieceBytes) this.#stream?.send(bytes.subarray(at, at + pieceBytes));
    return this.#stream?.room(mostUnderWayBytes);
  }

  /**
   * One piece after the other, each when there is room for it: the engine is let send as much as a stream may have under way, and a stream to the guest
   * that is given all of that, and more, is ended.
   */
  #giveInTurn(stream: ByteStream, bytes: Uint8Array): undefined | Promise<void> {
    const given = this.#room ? this.#room.then(() => (this.#stream === stream ? this.#give(bytes) : undefined)) : this.#give(bytes);
    if (!given) return undefined;
    this.#room = given;
    void given.then(() => {
      if (this.#room === given) this.#room = null;
    });
    return given;
  }

  /** Gives the guest what is whole. */
  #give(bytes: Uint8Array): undefined | Promise<void> {
    const last = this.#toGuest.read(bytes)?.last ?? 0;
    if (last === bytes.byteLength && this.#rest.length === 0) return this.#options.send(bytes);
    if (last === 0) {
      this.#rest.push(bytes);
      return undefined;
    }
    const whole = join([...this.#rest, bytes.subarray(0, last)]);
    this.#rest = last < bytes.byteLength ? [bytes.slice(last)] : [];
    return this.#options.send(whole);
  }

  #readFromGuest(): FolderMessages {
    return new FolderMessages((client, sizeBytes) => {
      if (sizeBytes === 0) this.#clients.delete(client);
      else if (this.#stream && !this.#skips && this.#clients.size < mostClients) this.#clients.add(client);
    });
  }

  #readToGuest(): FolderMessages {
    return new FolderMessages((client, sizeBytes) => {
      if (sizeBytes === 0) this.#clients.delete(client);
    });
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}
