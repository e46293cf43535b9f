/**
 * One move of a guest to another server, as its client sees it: from the server's word that it begins until every channel goes on there, or
 * until it came to nothing. The channels to the new server are opened beside the old ones, so that everything goes on meanwhile.
 *
 * ```
 *   main opens ─(seamless: asked, answered)─► the others open ─► ready ─► taken one by one ─► done
 *      └──────────────── a stream ends, a wrong message, silence ────────────┴─► failed: the old channels go on
 * ```
 * With `seamless` the servers hand each other what each channel was about, and every channel changes over with its own MIGRATE. Otherwise all
 * change over with MIGRATE_END, and the new server begins anew.
 */
import type { Channel, ChannelHandler } from './channels/channel.ts';
import { buildMessage } from './protocol/build-message.ts';
import { mainCapability, mainMessage, mainRequest } from './protocol/constants.ts';
import { Reader } from './protocol/reader.ts';
import { SpiceError } from './protocol/spice-error.ts';

export type MigrationOptions = {
  /** What is open now, the main channel first. */
  channels: readonly Channel[];
  /** Of what the servers hand each other; null when they do not. */
  version: number | null;
  /** Opens a channel to the new server. */
  open(handler: ChannelHandler, channelId: number): Channel;
  leave(channel: Channel): void;
  /** Sends a message to the old server's main channel. */
  answer(message: Uint8Array): void;
  after(ms: number, run: () => void): () => void;
  /** Some channels have changed over and others have not, for so long that nothing will come any more. */
  stuck(): void;
};

/** The server waits for ten seconds, and then goes without us. */
const connectDeadlineMs = 9000;
/** How long the old server may take to hand on all channels, once it has begun to. */
const handOverDeadlineMs = 10_000;

/** Stands for a channel's handler at the new server until the guest is there. */
class Arrival implements ChannelHandler {
  readonly #events: { opened(): void; seamless(accepted: boolean): void };
  readonly #arrival = Promise.withResolvers<void>();
  #arrived = false;
  #handler: ChannelHandler;
  isOpen = false;

  constructor(handler: ChannelHandler, events: { opened(): void; seamless(accepted: boolean): void }) {
    this.#handler = handler;
    this.#events = events;
  }

  /** What the channel that goes on is about, however often it has moved. */
  get handler(): ChannelHandler {
    return this.#handler;
  }

  get kind() {
    return this.#handler.kind;
  }

  get capabilities() {
    return this.#handler.capabilities;
  }

  opened(): void {
    this.isOpen = true;
    this.#events.opened();
  }

  message(type: number, body: Reader): undefined | Promise<void> {
    if (this.#arrived) return this.#handler.message(type, body);
    if (this.kind === 'main' && type === mainMessage.MIGRATE_DST_SEAMLESS_ACK) this.#events.seamless(true);
    else if (this.kind === 'main' && type === mainMessage.MIGRATE_DST_SEAMLESS_NACK) this.#events.seamless(false);
    // What is said before the guest is there, as of sound, is heard when it is. The promise holds the rest back, and the server with it.
    else return this.#early(type, body.rest().slice());
    return undefined;
  }

  async #early(type: number, body: Uint8Array): Promise<void> {
    await this.#arrival.promise;
    await this.#handler.message(type, new Reader(body));
  }

  moved(channel: Channel): void {
    this.#handler.moved(channel);
    this.#settle();
  }

  /** The new server knows nothing of what was, and neither does this handler. */
  begin(handler: ChannelHandler, channel: Channel): void {
    this.#handler = handler;
    handler.opened(channel);
    this.#settle();
  }

  #settle(): void {
    this.#arrived = true;
    this.#arrival.resolve();
  }
}

/** INVARIANT: a move that fails, at any point before the guest has gone, leaves the session as it was (`migration.test.ts`). */
export class Migration {
  readonly #options: MigrationOptions;
  /** Key: the channel that is open now. */
  readonly #arrivals = new Map<Channel, { arrival: Arrival; channel: Channel }>();
  #phase: 'opening' | 'asking' | 'ready' | 'failed' = 'opening';
  #seamless = false;
  #stopWaiting = () => {};

  constructor(options: MigrationOptions) {
    this.#options = options;
  }

  get ready(): boolean {
    return this.#phase === 'ready';
  }

  get seamless(): boolean {
    return this.#seamless;
  }

  begin(): void {
    const [main] = this.#options.channels;
    if (!main || !this.#options.channels.every(({ ready }) => ready)) {
      this.#fail();
      return;
    }
    this.#stopWaiting = this.#options.after(connectDeadlineMs, () => this.#fail());
    this.#open(main);
  }

  follows(channel: Channel): boolean {
    return this.#arrivals.has(channel);
  }

  isTarget(channel: Channel): boolean {
    return [...this.#arrivals.values()].some((each) => each.channel === channel);
  }

  /** Whether this was a channel to the new server: then the move has failed, and nothing else. */
  fails(channel: Channel): boolean {
    if (!this.isTarget(channel)) return false;
    this.#fail();
    return true;
  }

  /** The channel goes on where its server left off, upon the one that this answers. */
  succeed(channel: Channel, data: Uint8Array | null): Channel {
    const { arrival, channel: next } = this.#take(channel);
    next.succeed(channel, data);
    arrival.moved(next);
    return next;
  }

  /** The channel begins anew at the new server, with this handler. */
  replace(channel: Channel, handler: ChannelHandler): Channel {
    const { arrival, channel: next } = this.#take(channel);
    arrival.begin(handler, next);
    return next;
  }

  /** All have been taken. */
  get done(): boolean {
    return this.#arrivals.size === 0;
  }

  /** Lets go of what was opened. */
  abandon(): void {
    this.#stopWaiting();
    this.#phase = 'failed';
    for (const { channel } of this.#arrivals.values()) this.#options.leave(channel);
    this.#arrivals.clear();
  }

  #take(channel: Channel): { arrival: Arrival; channel: Channel } {
    const found = this.#arrivals.get(channel);
    if (!found) throw new SpiceError('has not been opened at the new server');
    this.#arrivals.delete(channel);
    this.#stopWaiting();
    if (!this.done) this.#stopWaiting = this.#options.after(handOverDeadlineMs, () => this.#options.stuck());
    return found;
  }

  #fail(): void {
    const awaited = this.#phase !== 'ready' && this.#phase !== 'failed';
    this.abandon();
    if (awaited) this.#options.answer(buildMessage(mainRequest.MIGRATE_CONNECT_ERROR, 0));
  }

  #open(channel: Channel): void {
    const handler = channel.handler instanceof Arrival ? channel.handler.handler : channel.handler;
    const arrival = new Arrival(handler, {
      opened: () => this.#opened(channel),
      seamless: (accepted) => this.#answered(accepted),
    });
    this.#arrivals.set(channel, { arrival, channel: this.#options.open(arrival, channel.channelId) });
  }

  #opened(channel: Channel): void {
    const target = this.#arrivals.get(channel)?.channel;
    if (!target) return;
    if (channel !== this.#options.channels[0]) this.#look();
    else if (this.#options.version !== null && target.serverCapabilities & (1 << mainCapability.SEAMLESS_MIGRATE)) {
      const { version } = this.#options;
      this.#phase = 'asking';
      target.send(buildMessage(mainRequest.MIGRATE_DST_DO_SEAMLESS, 4, (body) => body.setUint32(0, version, true)));
    } else this.#openOthers();
  }

  #answered(accepted: boolean): void {
    if (this.#phase !== 'asking') throw new SpiceError('comes without having been asked for');
    this.#phase = 'opening';
    this.#seamless = accepted;
    this.#openOthers();
  }

  #openOthers(): void {
    for (const channel of this.#options.channels.slice(1)) if (this.#phase === 'opening') this.#open(channel);
    this.#look();
  }

  #look(): void {
    const all = [...this.#arrivals.values()];
    if (this.#phase !== 'opening' || all.length < this.#options.channels.length || !all.every(({ arrival }) => arrival.isOpen)) return;
    this.#phase = 'ready';
    this.#stopWaiting();
    this.#options.answer(buildMessage(this.#seamless ? mainRequest.MIGRATE_CONNECTED_SEAMLESS : mainRequest.MIGRATE_CONNECTED, 0));
  }
}
