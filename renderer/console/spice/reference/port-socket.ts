/**
 * What spice-html5 takes for a WebSocket: one SPICE channel over one MessagePort to the shell, with the pieces cut to what the decoder asks
 * for next.
 */
import { ByteStream } from '../../transport.ts';
import { Framing } from './framing.ts';

export type ChannelHost = {
  /** Asks the page for another byte stream. */
  requestPort(socket: PortSocket): void;
  /** The channel ended; the console ends with it. */
  channelClosed(socket: PortSocket, reason: string, clean: boolean): void;
  /** Something in these bytes, or in the decoder's handling of them, was wrong. */
  channelFailed(socket: PortSocket, error: unknown): void;
};

type Listener = (this: PortSocket, event: { data?: ArrayBuffer; target: PortSocket }) => void;

export class PortSocket {
  readonly url: string;
  binaryType = 'arraybuffer';
  /** WebSocket's numbers: connecting, open, closed. */
  readyState: 0 | 1 | 3 = 0;
  /** Set by the package: the channel that this socket carries. */
  parent: { type: number } | undefined;

  readonly #host: ChannelHost;
  readonly #listeners = new Map<string, Listener[]>();
  #stream: ByteStream | undefined;

  constructor(host: ChannelHost, url: string) {
    this.#host = host;
    this.url = url;
    host.requestPort(this);
  }

  get channelType(): number {
    return this.parent?.type ?? 0;
  }

  get bytesIn(): number {
    return this.#stream?.bytesIn ?? 0;
  }

  get bytesOut(): number {
    return this.#stream?.bytesOut ?? 0;
  }

  attach(port: MessagePort): void {
    if (this.readyState !== 0) {
      port.close();
      return;
    }
    const framing = new Framing(
      () => this.channelType,
      (piece) => this.#dispatch('message', piece),
    );
    this.#stream = new ByteStream(port, {
      open: () => {
        this.readyState = 1;
        this.#guard(() => this.#dispatch('open'));
      },
      data: (bytes) => this.#guard(() => framing.feed(bytes)),
      closed: (reason, clean) => {
        this.readyState = 3;
        this.#host.channelClosed(this, reason, clean);
      },
    });
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  send(bytes: ArrayBuffer): void {
    this.#stream?.send(new Uint8Array(bytes));
  }

  close(): void {
    this.readyState = 3;
    this.#stream?.close();
  }

  #dispatch(type: 'open' | 'message', data?: ArrayBuffer): void {
    for (const listener of this.#listeners.get(type) ?? []) listener.call(this, { target: this, ...(data ? { data } : {}) });
  }

  /** After a failure nothing more is fed: the decoder's state is unknown. */
  #guard(action: () => void): void {
    if (this.readyState === 3) return;
    try {
      action();
    } catch (error) {
      this.readyState = 3;
      this.#host.channelFailed(this, error);
    }
  }
}
