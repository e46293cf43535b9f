/** A stream of bytes to a guest's console, whatever carries it. Knows neither Electron nor the page. */
import type { GuestId } from '../../contract/ids.ts';

export type TransportHandlers = {
  /** Told once, before any data. */
  open(): void;
  data(bytes: Uint8Array): void;
  /** Told once, last, and not when this side closed. `clean`: the other side ended it properly. */
  closed(reason: string, clean: boolean): void;
};

export type Transport = {
  /** `taken` is called once the bytes have left this process. */
  write(bytes: Uint8Array, taken: () => void): void;
  /** Between `pause` and `resume` hardly anything is read, so that the other side is slowed down. */
  pause(): void;
  resume(): void;
  /** Size of a terminal; transports without one ignore it. */
  resize(columns: number, rows: number): void;
  /** Idempotent; no handler is called afterwards. */
  close(): void;
};

export type OpenTransport = (handlers: TransportHandlers) => Transport;

/** Where the engine is and what it says of a guest's consoles. */
export type ConsoleDirectory = {
  /** Path of the guest's SPICE socket, where it began or where it was moved to. Throws `console/unavailable` when it has none now. */
  spiceSocketPath(guest: GuestId, place: 'home' | 'moved'): Promise<string>;
  openSerial(guest: GuestId): Promise<OpenTransport>;
  /** To the engine, which alone reads and writes the folders that a guest shares. */
  openFolders(guest: GuestId): Promise<OpenTransport>;
  /** Where ssh reaches the guest. Throws `console/unavailable` when nothing is known. */
  sshEndpoint(guest: GuestId): Promise<SshEndpoint>;
};

export type SshEndpoint = { address: string; port: number };

/** A transport's handlers, guarded: nothing follows `closed`, or the transport's own end. */
export class GuardedHandlers {
  readonly #handlers: TransportHandlers;
  #ended = false;

  constructor(handlers: TransportHandlers) {
    this.#handlers = handlers;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Returns false when it had ended already. */
  end(): boolean {
    const first = !this.#ended;
    this.#ended = true;
    return first;
  }

  open(): void {
    if (!this.#ended) this.#handlers.open();
  }

  data(bytes: Uint8Array): void {
    if (!this.#ended) this.#handlers.data(bytes);
  }

  closed(reason: string, clean: boolean): void {
    if (this.end()) this.#handlers.closed(reason, clean);
  }
}
