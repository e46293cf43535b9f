/**
 * A port of the guest that its own programs open: bytes both ways. Of the ports that there can be, the one of shared folders is known, at
 * which spice-webdavd listens.
 */
import { buildMessage } from '../protocol/build-message.ts';
import { portEvent, portMessage, portRequest } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import type { Channel, ChannelHandler } from './channel.ts';

export type PortEvents = {
  /** A program in the guest opened its end; from now on what is sent arrives. */
  portOpened(): void;
  /** The bytes are good until this returns, or until its promise is settled, which holds back the guest. */
  portData(bytes: Uint8Array): undefined | Promise<void>;
  portClosed(): void;
};

/** What QEMU's server reads at once; more may come, and is taken in such pieces. */
const pieceBytes = 64 * 1024;
const nameMaxBytes = 256;

export class PortChannel implements ChannelHandler {
  readonly kind = 'webdav';
  /** Data may come packed with LZ4 if that is asked for; on one computer it only costs time. */
  readonly capabilities = 0;
  readonly #events: PortEvents;
  #channel: Channel | undefined;
  #name: string | null = null;
  /** Once by each server. */
  #mayBeNamed = true;
  #open = false;

  constructor(events: PortEvents) {
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  opened(channel: Channel): void {
    this.#channel = channel;
  }

  /** The server there names it again, and the program in the guest goes on. */
  moved(channel: Channel): void {
    this.#channel = channel;
    this.#mayBeNamed = true;
  }

  /** Nothing comes from the guest any more. */
  close(): void {
    this.#event(portEvent.CLOSED);
  }

  message(type: number, body: Reader): undefined | Promise<void> {
    switch (type) {
      case portMessage.INIT:
        this.#init(body);
        break;
      case portMessage.EVENT:
        if (this.#name === null) throw new SpiceError('the port was opened before it was named');
        this.#event(body.u8());
        break;
      case portMessage.DATA:
        if (this.#name === null) throw new SpiceError('data came before the port was named');
        // What was under way when the guest closed its end is for nobody.
        return this.#open ? this.#events.portData(body.rest()) : undefined;
      case portMessage.COMPRESSED_DATA:
        throw new SpiceError('data came packed although that was not asked for');
    }
    return undefined;
  }

  /** To the program in the guest. Nothing goes to a port that it has not opened. */
  send(bytes: Uint8Array): void {
    if (!this.#open) return;
    for (let at = 0; at < bytes.byteLength; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      this.#channel?.send(
        buildMessage(portRequest.DATA, piece.byteLength, (body) => new Uint8Array(body.buffer, body.byteOffset).set(piece)),
      );
    }
  }

  /** SpiceMsgPortInit: the name stands where its offset says, with a zero at its end. */
  #init(body: Reader): void {
    if (!this.#mayBeNamed) throw new SpiceError('the port was named twice');
    this.#mayBeNamed = false;
    const length = body.count(body.u32(), 1, 'characters');
    if (length > nameMaxBytes) throw new SpiceError(`a port’s name has ${length} bytes`);
    const offset = body.u32();
    const open = body.u8() !== 0;
    body.seek(offset);
    this.#name = new TextDecoder().decode(body.bytesOf(length)).replace(/\0.*$/s, '');
    this.#event(open ? portEvent.OPENED : portEvent.CLOSED);
  }

  #event(event: number): void {
    if (event === portEvent.OPENED && !this.#open) {
      this.#open = true;
      this.#events.portOpened();
    } else if (event === portEvent.CLOSED && this.#open) {
      this.#open = false;
      this.#events.portClosed();
    }
  }
}
