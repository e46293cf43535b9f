/**
 * The channels of a session, each over a byte stream of its own, and the server that they are open to: the one where the guest began, or the one
 * that it moved to, with which they change places each time that it moves.
 */
import { Channel, type ChannelHandler } from './channels/channel.ts';
import { Migration } from './migration.ts';
import { buildMessage } from './protocol/build-message.ts';
import { type ChannelKind, channelType, mainRequest } from './protocol/constants.ts';
import { SpiceError } from './protocol/spice-error.ts';

/**
 * Where a guest's server is: where it began, or where it was moved to. What a server says of the place is never followed: the host has it from
 * elsewhere or does not know it.
 */
export type SpicePlace = 'home' | 'moved';

/** Byte streams to servers, as a host gives them. */
export type StreamHost = {
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls back once, at least that much later. The answer takes it back. */
  after(ms: number, run: () => void): () => void;
  /**
   * Another byte stream to the server there is wanted: `streamOpen` is to be called for it, or `streamClosed`, or `streamRefused`. `arriving`: the
   * guest is still on its way there.
   */
  openStream(stream: number, place: SpicePlace, arriving: boolean): void;
  send(stream: number, bytes: Uint8Array): void;
  closeStream(stream: number): void;
};

export type OpenChannelsOptions = {
  host: StreamHost;
  password: string;
  /** The server has something to say to whoever looks at the console. */
  notice(text: string): void;
  failed(error: unknown): void;
  /** All channels begin anew: what there was is let go of. */
  anew(): void;
  /** What a channel that begins anew is about. */
  handlerFor(channel: Channel): ChannelHandler;
  /** The guest has gone where no channel is open to: the session is to `follow` and to begin again there. */
  gone(): void;
  /** All channels are open to the server that the guest went to, or about to be. */
  moved(): void;
};

/** Whoever moves a guest so often does not move a guest: a server that sends its client to and fro is refused. */
export const maxMoves = 20;
export const maxMovesMs = 60_000;

export class OpenChannels {
  readonly #options: OpenChannelsOptions;
  /** Index: the stream's number. Those that were left are not there any more. */
  readonly #channels: (Channel | undefined)[] = [];
  #main: Channel | null = null;
  #place: SpicePlace = 'home';
  #migration: Migration | null = null;
  /** Streams that have been handed on. Their server closes all others with the main channel's, so none is left before all have been. */
  #handed: number[] = [];
  /** When the last moves began. */
  #movedAt: number[] = [];
  /** What the server knows this session by. */
  sessionId = 0;

  constructor(options: OpenChannelsOptions) {
    this.#options = options;
  }

  /** Those that are open to the server where the guest is. */
  get list(): readonly Channel[] {
    return this.#channels.filter((channel) => channel !== undefined && !this.#migration?.isTarget(channel)) as Channel[];
  }

  get main(): Channel | null {
    return this.#main;
  }

  /** The stream of the first channel of that kind; null while there is none. */
  streamOf(kind: ChannelKind): number | null {
    const channel = this.list.find((each) => each.kind === kind);
    return channel ? this.#channels.indexOf(channel) : null;
  }

  /** The first is the main channel. */
  add(handler: ChannelHandler, channelId: number): Channel {
    const channel = this.#open(handler, channelId, this.#place);
    this.#main ??= channel;
    return channel;
  }

  start(stream: number): void {
    this.#channels[stream]?.start();
  }

  receive(stream: number, bytes: Uint8Array): undefined | Promise<void> {
    const channel = this.#channels[stream];
    if (!channel) return undefined;
    try {
      return channel.receive(bytes)?.catch((error: unknown) => this.#failed(channel, error));
    } catch (error) {
      this.#failed(channel, error);
      return undefined;
    }
  }

  /** Whether a message has come on that stream of which the rest is on its way. */
  isInside(stream: number): boolean {
    return this.#channels[stream]?.isInside ?? false;
  }

  /** Whether the end of that stream is the end of the session. It is not when the guest is on its way, or has gone, to another server. */
  endsWith(stream: number): boolean {
    const channel = this.#channels[stream];
    if (!channel || this.#migration?.fails(channel)) return false;
    if (!this.#migration?.ready) return true;
    // Its old server may be ended as soon as the guest is at the new one.
    this.#options.gone();
    return false;
  }

  trim(): void {
    for (const channel of this.#channels) channel?.trim();
  }

  /** MIGRATE_BEGIN. Throws {@link SpiceError}. */
  beginMove(version: number | null): void {
    this.#countMove();
    this.cancelMove();
    this.#migration = new Migration({
      channels: this.list,
      version,
      open: (handler, channelId) => this.#open(handler, channelId, this.#otherPlace),
      leave: (channel) => this.#leave(channel),
      answer: (message) => void this.#main?.send(message),
      after: (ms, run) => this.#options.host.after(ms, run),
      stuck: () => this.#options.gone(),
    });
    this.#migration.begin();
  }

  /** The guest is on its way to a server that, as far as is known, is handed nothing of what is half said here. */
  get leavesNothing(): boolean {
    return this.#migration !== null && !(this.#migration.ready && this.#migration.seamless);
  }

  /** MIGRATE_CANCEL: the guest stays. */
  cancelMove(): void {
    this.#migration?.abandon();
    this.#endMigration();
  }

  /** MIGRATE_END: every channel begins anew at the server that it is already open to. */
  endMove(): void {
    const migration = this.#migration;
    const before = this.list;
    if (!migration?.ready || !before.every((channel) => migration.follows(channel))) {
      this.#options.gone();
      return;
    }
    this.#options.anew();
    for (const channel of before) this.#exchange(channel, migration.replace(channel, this.#options.handlerFor(channel)));
    this.#main?.send(buildMessage(mainRequest.MIGRATE_END, 0));
  }

  /** Leaves the server for the other one, where nothing is open yet. Throws {@link SpiceError}. */
  follow(): void {
    this.#countMove();
    this.leaveAll();
    this.#place = this.#otherPlace;
    this.sessionId = 0;
    this.#options.moved();
  }

  leaveAll(): void {
    this.cancelMove();
    for (const channel of this.#channels) this.#leave(channel);
    this.#main = null;
  }

  get #otherPlace(): SpicePlace {
    return this.#place === 'home' ? 'moved' : 'home';
  }

  #countMove(): void {
    const now = this.#options.host.now();
    this.#movedAt = [...this.#movedAt.filter((at) => now - at < maxMovesMs), now];
    if (this.#movedAt.length > maxMoves) throw new SpiceError(`a guest does not move more than ${maxMoves} times in a minute`);
  }

  #open(handler: ChannelHandler, channelId: number, place: SpicePlace): Channel {
    const { host, password, notice } = this.#options;
    const stream = this.#channels.length;
    const channel: Channel = new Channel({
      handler,
      channelId,
      sessionId: this.sessionId,
      password,
      send: (bytes) => {
        if (this.#channels[stream]) host.send(stream, bytes);
      },
      waitFor: (kind, id, serial) => this.list.find((other) => channelType[other.kind] === kind && other.channelId === id)?.handled(serial),
      notice,
      handedOn: (data) => this.#handedOn(channel, data),
    });
    this.#channels.push(channel);
    host.openStream(stream, place, place !== this.#place);
    return channel;
  }

  #leave(channel: Channel | undefined): void {
    const stream = this.#forget(channel);
    if (stream !== null) this.#options.host.closeStream(stream);
  }

  /** Nothing is heard of the channel any more. The answer is its stream, which is still there. */
  #forget(channel: Channel | undefined): number | null {
    const stream = channel ? this.#channels.indexOf(channel) : -1;
    if (!channel || stream < 0) return null;
    this.#channels[stream] = undefined;
    channel.close();
    return stream;
  }

  #failed(channel: Channel, error: unknown): void {
    // What a channel that was left still had to do is nobody's.
    if (!this.#channels.includes(channel) || this.#migration?.fails(channel)) return;
    this.#options.failed(error);
  }

  /** A channel goes on where its server left off. */
  #handedOn(channel: Channel, data: Uint8Array | null): void {
    const migration = this.#migration;
    if (migration?.isTarget(channel)) throw new SpiceError('comes from a server that the guest has not reached');
    if (migration?.ready && migration.seamless && migration.follows(channel)) this.#exchange(channel, migration.succeed(channel, data));
    else this.#options.gone();
  }

  #exchange(channel: Channel, next: Channel): void {
    if (channel === this.#main) this.#main = next;
    const stream = this.#forget(channel);
    if (stream !== null) this.#handed.push(stream);
    if (!this.#migration?.done) return;
    this.#place = this.#otherPlace;
    this.#endMigration();
    this.#options.moved();
  }

  #endMigration(): void {
    this.#migration = null;
    for (const stream of this.#handed.splice(0)) this.#options.host.closeStream(stream);
  }
}
