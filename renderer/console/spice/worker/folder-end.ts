/** Where the guest's port for shared folders meets the byte stream to the engine, which alone reads and writes them. */
import { ByteStream } from '../../transport.ts';
import type { PortEvents } from '../channels/port-channel.ts';

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
/** The engine takes no longer message. */
const pieceBytes = 64 * 1024;

export class FolderEnd implements PortEvents {
  readonly #options: FolderEndOptions;
  #stream: ByteStream | null = null;
  #isOpen = false;
  /** Pending while a stream was asked for: until it stands, or there is none. */
  #asked: PromiseWithResolvers<void> | null = null;
  #stopWaiting = () => {};

  constructor(options: FolderEndOptions) {
    this.#options = options;
  }

  portOpened(): void {
    this.#isOpen = true;
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
      data: (bytes) => this.#options.send(bytes),
      closed: () => {
        if (this.#stream !== stream) return;
        this.#stream = null;
        this.refused();
      },
    });
    this.#stream = stream;
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
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) this.#stream?.send(bytes.subarray(at, at + pieceBytes));
    return this.#stream?.room(mostUnderWayBytes);
  }
}
