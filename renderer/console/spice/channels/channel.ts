/**
 * One SPICE channel: link, ticket and messages over one byte stream. Knows no I/O and no clock: bytes are given to `receive` in pieces of any
 * length, and what must be sent comes out at `send`.
 *
 * ```
 *   linkHeader ─► linkReply ─(ticket)─► authReply ─► messages ─► closed   final, from everywhere
 * ```
 *
 * What all channels have in common (acknowledgements, pings, waiting for each other, notices) is answered here; the rest goes to the handler.
 */
import { asBytes, buildMessage } from '../protocol/build-message.ts';
import {
  baseMessage,
  baseMessageLast,
  baseRequest,
  type ChannelKind,
  channelType,
  linkErrors,
  migrateFlag,
  nameOf,
} from '../protocol/constants.ts';
import { authReplyBytes, buildLink, linkHeaderBytes, parseAuthReply, parseLinkHeader, parseLinkReply } from '../protocol/link.ts';
import { Reader } from '../protocol/reader.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { encryptTicket } from '../protocol/ticket.ts';

/** What is particular to a kind of channel. */
export interface ChannelHandler {
  readonly kind: ChannelKind;
  /** Bits of SPICE_DISPLAY_CAP_* and the like. */
  readonly capabilities: number;
  /** The server has accepted the channel. */
  opened(channel: Channel): void;
  /**
   * The body is good until this returns. A promise holds back all that follows on this channel, and with it the server. Types that are not
   * known are passed over. Throws {@link SpiceError}.
   */
  message(type: number, body: Reader): undefined | Promise<void>;
  /**
   * What was said on another channel goes on upon this one, at the server that the guest moved to: nothing begins anew, and what is to be sent goes
   * there. A server that knows nothing of it is given a handler that is only `opened`.
   */
  moved(channel: Channel): void;
}

export type ChannelOptions = {
  handler: ChannelHandler;
  channelId: number;
  sessionId: number;
  password: string;
  send(bytes: Uint8Array): void;
  /** Settles when that channel has handled its message of that number, at once when there is no such channel. */
  waitFor(kind: number, channelId: number, serial: bigint): undefined | Promise<void>;
  /** The server has something to say to whoever looks at the console. */
  notice(text: string): void;
  /** The server has said its last: the guest has moved, and its new server is owed `data`, if there are any. Throws {@link SpiceError}. */
  handedOn(data: Uint8Array | null): void;
};

const messageHeaderBytes = 6;

/** The largest body of a message. A raw picture of an 8K screen has 127 MiB. */
const maxBodyBytes: Record<ChannelKind, number> = {
  main: 1024 * 1024,
  display: 160 * 1024 * 1024,
  inputs: 64 * 1024,
  cursor: 4 * 1024 * 1024,
  // A packet is a hundredth of a second: 1920 bytes.
  playback: 64 * 1024,
  record: 4096,
  webdav: 1024 * 1024,
};
/** Beyond SPICE_MSG_*'s highest there is nothing. */
const maxMessageType = 500;
/** A screen of 2560 × 1600 uncompressed: memory for such a message is used again for the next, as making it anew takes longer than drawing. */
const keptBufferBytes = 17 * 1024 * 1024;
const headerRoomBytes = 256;
/** The first piece of memory for a message that comes in parts; then twice as much each time. */
const firstBufferBytes = 256 * 1024;
const maxNoticeBytes = 4096;
/** SPICE_NOTIFY_SEVERITY_ERROR. */
const notifyError = 2;
/** What is kept for the server that a guest moves to: much more than anybody types in that time. */
const maxKeptMessages = 1024;
const maxKeptBytes = 1024 * 1024;

type Stage = 'linkHeader' | 'linkReply' | 'authReply' | 'messages' | 'closed';

/** INVARIANT: how the bytes are cut makes no difference (`channel.test.ts`). */
export class Channel {
  readonly #options: ChannelOptions;
  readonly #reader = new Reader(new Uint8Array(0));
  #stage: Stage = 'linkHeader';
  /** How long the piece is that is read next: a header, or a header with its body. */
  #wanted = linkHeaderBytes;
  /** The beginning of a piece that came in parts. Whole pieces are read where they lie. */
  #held = new Uint8Array(headerRoomBytes);
  #heldBytes = 0;
  /** Whether what is held has been longer than a header since `trim`. */
  #heldLong = false;
  #suspended: Promise<void> | null = null;
  #serial = 0n;
  #serialWaiters: { serial: bigint; resolve(): void }[] = [];
  #ackWindow = 0;
  #untilAck = 0;
  /** MIGRATE has announced MIGRATE_DATA. */
  #owesData = false;
  /** Set once the server takes nothing more, since the guest has gone: for its new server. */
  #kept: Uint8Array[] | null = null;
  #keptBytes = 0;
  #serverCapabilities = 0;

  constructor(options: ChannelOptions) {
    this.#options = options;
  }

  get kind(): ChannelKind {
    return this.#options.handler.kind;
  }

  get channelId(): number {
    return this.#options.channelId;
  }

  get handler(): ChannelHandler {
    return this.#options.handler;
  }

  /** Bits of what the server can do on this channel. */
  get serverCapabilities(): number {
    return this.#serverCapabilities;
  }

  get ready(): boolean {
    return this.#stage === 'messages';
  }

  /** Whether there is the beginning of a message, of which the rest is on its way. */
  get isInside(): boolean {
    return this.#heldBytes > 0;
  }

  /** The byte stream stands: the first word is the client's. */
  start(): void {
    const { handler, channelId, sessionId } = this.#options;
    this.#options.send(buildLink({ channel: handler.kind, channelId, sessionId, capabilities: handler.capabilities }));
  }

  /** Sends a message, if the channel is open; while the guest moves, to the server that it moves to. */
  send(message: Uint8Array): boolean {
    if (this.#stage !== 'messages') return false;
    if (this.#kept) return this.#keep(this.#kept, message);
    this.#options.send(message);
    return true;
  }

  /** What a server of a moving guest cannot be asked any more is kept, as far as there is room. */
  #keep(kept: Uint8Array[], message: Uint8Array): boolean {
    if (kept.length >= maxKeptMessages || this.#keptBytes + message.byteLength > maxKeptBytes) return false;
    kept.push(message);
    this.#keptBytes += message.byteLength;
    return true;
  }

  /** An answer to this server, and to no other. */
  #reply(message: Uint8Array): void {
    if (this.#stage === 'messages' && !this.#kept) this.#options.send(message);
  }

  /** Nothing is sent, read or handled any more. */
  close(): void {
    this.#stage = 'closed';
    this.#held = new Uint8Array(0);
    this.#heldBytes = 0;
    for (const { resolve } of this.#serialWaiters.splice(0)) resolve();
  }

  /** Memory that is kept for messages that come in parts. */
  get bufferBytes(): number {
    return this.#held.byteLength;
  }

  /** Lets go of memory that was not needed since this was called last: to be called now and then. */
  trim(): void {
    if (!this.#heldLong && this.#heldBytes === 0 && this.#held.byteLength > headerRoomBytes) this.#held = new Uint8Array(headerRoomBytes);
    this.#heldLong = false;
  }

  /**
   * Handles what is whole and keeps the rest. The promise, if there is one, is settled when these bytes have been handled; they must stay as
   * they are until then. Throws {@link SpiceError}, or rejects with it; the channel is closed then.
   */
  receive(chunk: Uint8Array): undefined | Promise<void> {
    if (this.#stage === 'closed') return undefined;
    const waiting = this.#suspended ? this.#suspended.then(() => this.#guarded(chunk, 0)) : this.#guarded(chunk, 0);
    if (!waiting) return undefined;
    const settled = waiting.finally(() => {
      if (this.#suspended === settled) this.#suspended = null;
    });
    this.#suspended = settled;
    return settled;
  }

  /**
   * Goes on for a channel whose server has handed it on: counts messages from where that one was, as the server here does, and brings what the
   * server is owed, then what was to be sent meanwhile.
   */
  succeed(before: Channel, data: Uint8Array | null): void {
    // MIGRATE_DATA, which is being handled, counts as well.
    this.#serial = before.#serial + 1n;
    this.#serialWaiters.push(...before.#serialWaiters.splice(0));
    if (data) this.send(buildMessage(baseRequest.MIGRATE_DATA, data.byteLength, (body) => asBytes(body).set(data)));
    for (const message of before.#kept ?? []) this.send(message);
  }

  /** Settles when the message of this number has been handled. */
  handled(serial: bigint): undefined | Promise<void> {
    if (this.#serial >= serial || this.#stage === 'closed') return undefined;
    return new Promise((resolve) => this.#serialWaiters.push({ serial, resolve }));
  }

  #guarded(chunk: Uint8Array, from: number): undefined | Promise<void> {
    try {
      return this.#consume(chunk, from)?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    this.close();
    if (error instanceof SpiceError) throw error.within(this.kind);
    throw new SpiceError(error instanceof Error ? error.message : String(error), this.kind);
  }

  #consume(chunk: Uint8Array, from: number): undefined | Promise<void> {
    let at = from;
    while (this.#stage !== 'closed') {
      const missing = this.#wanted - this.#heldBytes;
      if (chunk.byteLength - at < missing) {
        this.#hold(chunk, at, chunk.byteLength);
        return undefined;
      }
      let bytes = chunk;
      let start = at;
      if (this.#heldBytes > 0) {
        this.#hold(chunk, at, at + missing);
        bytes = this.#held;
        start = 0;
      }
      at += missing;
      if (this.#stage === 'messages' && this.#wanted === messageHeaderBytes) {
        const size = this.#bodySize(bytes, start);
        if (size > 0) {
          this.#wanted += size;
          // Read again with its body, where it lies.
          if (bytes === chunk) at = start;
          continue;
        }
      }
      const wanted = this.#wanted;
      this.#heldBytes = 0;
      const waiting = this.#piece(bytes, start, wanted);
      if (this.#held.byteLength > keptBufferBytes) this.#held = new Uint8Array(headerRoomBytes);
      if (waiting) return waiting.then(() => this.#consume(chunk, at));
    }
    return undefined;
  }

  /** Grows with what has really come and not with what a header claims. */
  #hold(chunk: Uint8Array, from: number, to: number): void {
    const needed = this.#heldBytes + to - from;
    if (needed > this.#held.byteLength) {
      const larger = new Uint8Array(Math.max(needed, Math.min(this.#wanted, Math.max(this.#held.byteLength * 2, firstBufferBytes))));
      larger.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = larger;
    }
    if (needed > headerRoomBytes) this.#heldLong = true;
    this.#held.set(from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to), this.#heldBytes);
    this.#heldBytes = needed;
  }

  #bodySize(bytes: Uint8Array, start: number): number {
    const reader = this.#reader;
    reader.reset(bytes, start, start + messageHeaderBytes);
    const type = reader.u16();
    const size = reader.u32();
    if (type === 0 || type > maxMessageType) throw new SpiceError(`a message of type ${type} does not exist`);
    const limit = maxBodyBytes[this.kind];
    if (size > limit)
      throw new SpiceError(`${size} bytes are more than the ${limit} that are accepted`, this.kind, nameOf(this.kind, type));
    return size;
  }

  #piece(bytes: Uint8Array, start: number, length: number): undefined | Promise<void> {
    const reader = this.#reader;
    reader.reset(bytes, start, start + length);
    if (this.#stage === 'messages') {
      const type = reader.u16();
      reader.reset(bytes, start + messageHeaderBytes, start + length);
      return this.#message(type, reader);
    }
    if (this.#stage === 'linkHeader') {
      this.#wanted = parseLinkHeader(reader);
      this.#stage = 'linkReply';
      return undefined;
    }
    if (this.#stage === 'linkReply') {
      const { publicKey, capabilities } = parseLinkReply(reader);
      this.#serverCapabilities = capabilities;
      return this.#identify(publicKey);
    }
    parseAuthReply(reader);
    this.#stage = 'messages';
    this.#wanted = messageHeaderBytes;
    this.#options.handler.opened(this);
    return undefined;
  }

  async #identify(publicKey: Uint8Array): Promise<void> {
    const ticket = await encryptTicket(publicKey, this.#options.password);
    if (this.#stage === 'closed') return;
    this.#stage = 'authReply';
    this.#wanted = authReplyBytes;
    this.#options.send(ticket);
  }

  #message(type: number, body: Reader): undefined | Promise<void> {
    this.#wanted = messageHeaderBytes;
    try {
      const waiting = type <= baseMessageLast ? this.#base(type, body) : this.#options.handler.message(type, body);
      if (!waiting) {
        this.#done();
        return undefined;
      }
      return waiting.then(
        () => this.#done(),
        (error: unknown) => this.#blame(error, type),
      );
    } catch (error) {
      return this.#blame(error, type);
    }
  }

  #blame(error: unknown, type: number): never {
    const name = nameOf(this.kind, type);
    if (error instanceof SpiceError) throw error.within(this.kind, name);
    throw new SpiceError(error instanceof Error ? error.message : String(error), this.kind, name);
  }

  /** A message has been handled. */
  #done(): void {
    this.#serial++;
    if (this.#untilAck > 0 && --this.#untilAck === 0) {
      this.#untilAck = this.#ackWindow;
      this.#reply(buildMessage(baseRequest.ACK, 0));
    }
    if (this.#serialWaiters.length === 0) return;
    const due = this.#serialWaiters.filter(({ serial }) => serial <= this.#serial);
    this.#serialWaiters = this.#serialWaiters.filter(({ serial }) => serial > this.#serial);
    for (const { resolve } of due) resolve();
  }

  #base(type: number, body: Reader): undefined | Promise<void> {
    switch (type) {
      case baseMessage.SET_ACK: {
        const generation = body.u32();
        this.#ackWindow = body.u32();
        // This message itself does not count.
        this.#untilAck = this.#ackWindow === 0 ? 0 : this.#ackWindow + 1;
        this.#reply(buildMessage(baseRequest.ACK_SYNC, 4, (reply) => reply.setUint32(0, generation, true)));
        return undefined;
      }
      case baseMessage.PING: {
        const id = body.u32();
        const timestamp = body.u64();
        this.#reply(
          buildMessage(baseRequest.PONG, 12, (reply) => {
            reply.setUint32(0, id, true);
            reply.setBigUint64(4, timestamp, true);
          }),
        );
        return undefined;
      }
      case baseMessage.WAIT_FOR_CHANNELS:
        return this.waitForChannels(body);
      case baseMessage.DISCONNECTING: {
        body.skip(8);
        const reason = body.u32();
        // It closes the channel next, which ends the session.
        if (reason !== 0) this.#options.notice(`The server ends the connection: ${linkErrors[reason] ?? reason}.`);
        return undefined;
      }
      case baseMessage.NOTIFY: {
        // A time, visibility and a number are nothing that is made use of. Of all connections that are not encrypted there is a warning.
        body.skip(8);
        const severity = body.u32();
        body.skip(8);
        const length = body.count(body.u32(), 1, 'characters');
        const text = new TextDecoder().decode(body.bytesOf(Math.min(length, maxNoticeBytes))).replace(/\0.*$/s, '');
        if (severity === notifyError) this.#options.notice(text);
        return undefined;
      }
      case baseMessage.MIGRATE:
        this.#migrate(body.u32());
        return undefined;
      case baseMessage.MIGRATE_DATA:
        if (!this.#owesData) throw new SpiceError('comes without having been announced');
        this.#owesData = false;
        this.#options.handedOn(body.rest().slice());
        return undefined;
      default:
        return undefined;
    }
  }

  /** The mark tells the server that everything has been sent that was meant for it. */
  #migrate(flags: number): void {
    if (this.#kept) throw new SpiceError('comes a second time');
    if (flags & migrateFlag.NEED_FLUSH) this.#reply(buildMessage(baseRequest.MIGRATE_FLUSH_MARK, 0));
    this.#kept = [];
    this.#owesData = (flags & migrateFlag.NEED_DATA_TRANSFER) !== 0;
    if (!this.#owesData) this.#options.handedOn(null);
  }

  /** SpiceMsgWaitForChannels: this channel goes on when others have come as far. */
  waitForChannels(body: Reader): undefined | Promise<void> {
    const count = body.count(body.u8(), 10, 'channels to wait for');
    const waits: Promise<void>[] = [];
    for (let index = 0; index < count; index++) {
      const kind = body.u8();
      const channelId = body.u8();
      const serial = body.u64();
      if (kind === channelType[this.kind] && channelId === this.channelId) continue;
      const waiting = this.#options.waitFor(kind, channelId, serial);
      if (waiting) waits.push(waiting);
    }
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined);
  }
}
