/**
 * One connection to a SPICE server: opens its channels, and is what a page or a test talks to. Knows neither ports nor sockets nor a clock:
 * those are its host's.
 *
 * ```
 *   connecting ─ MARK or first drawing ─► connected ─► closed   final, from everywhere
 * ```
 */

import type { ClipboardPolicy } from '../../../contract/guest-spec.ts';
import type { ClipboardHost, CopiedKind, Selection } from '../clipboard.ts';
import type { ConsoleEnd, ConsoleInput, ConsoleLocks, PixelSize } from '../console.ts';
import { Agent } from './agent/agent.ts';
import type { PictureReader } from './agent/shared-clipboard.ts';
import type { MakeOpusDecoder } from './audio/opus-decoder.ts';
import { Channel, type ChannelHandler } from './channels/channel.ts';
import { CursorChannel, type CursorEvents } from './channels/cursor-channel.ts';
import {
  DisplayChannel,
  type DisplayEvents,
  glzWindowPixels,
  type ImageCompression,
  pixmapCachePixels,
} from './channels/display-channel.ts';
import { InputsChannel } from './channels/inputs-channel.ts';
import { MainChannel } from './channels/main-channel.ts';
import { PlaybackChannel, type PlaybackEvents } from './channels/playback-channel.ts';
import { RecordChannel, type RecordEvents } from './channels/record-channel.ts';
import { GlzWindow } from './decoders/glz-window.ts';
import { ImageCache } from './decoders/image-cache.ts';
import type { PlatformJpeg } from './decoders/jpeg.ts';
import { channelType } from './protocol/constants.ts';
import { SpiceError } from './protocol/spice-error.ts';
import { MultimediaClock } from './streams/multimedia-clock.ts';
import type { PlatformVideo } from './streams/video-decoder.ts';

/** Video goes with what is heard: so long after a packet came it is, more or less, and so much may be between the two. */
const soundDelayMs = 40;
const soundSlackMs = 20;

/** What hears the guest, and speaks to it. */
export type SoundHost = Omit<PlaybackEvents, 'playbackFailed' | 'playbackTime'> &
  RecordEvents & {
    /** Null where Opus cannot be unpacked. */
    opus: MakeOpusDecoder | null;
  };

/** What a session needs of the world, and tells it. */
export type SessionHost = CursorEvents &
  Pick<DisplayEvents, 'primary' | 'damaged'> & {
    /** Milliseconds of a clock that never goes back. */
    now(): number;
    /** Another byte stream to the server is wanted: `streamOpen` is to be called for it, or `streamClosed`. */
    openStream(stream: number): void;
    send(stream: number, bytes: Uint8Array): void;
    /** Calls back once, at least that much later. The answer takes it back. */
    after(ms: number, run: () => void): () => void;
    /** Decodes JPEGs. */
    jpeg: PlatformJpeg;
    /** Decodes videos. */
    video: PlatformVideo;
    /** A picture of a video has been drawn, at a time of its own and not while bytes were received. */
    settled(): void;
    closeStream(stream: number): void;
    /** The screen can be looked at: once, and whenever there is a new one. */
    picture(size: PixelSize): void;
    pointer(pointer: 'absolute' | 'relative'): void;
    agent(connected: boolean): void;
    /** Without it the channels of sound are not opened. */
    sound?: SoundHost;
    /** Whether the agent shares a clipboard; and this computer's. */
    clipboardPossible(possible: boolean): void;
    clipboard: ClipboardHost;
    readPicture: PictureReader;
    /** How this computer ends a line. */
    lineEnd: 'lf' | 'crlf';
    /** What the guest's lock keys show. */
    locks(locks: ConsoleLocks): void;
    /** Last, once, and not when this side closed the session. */
    ended(end: ConsoleEnd): void;
  };

export type SessionOptions = {
  password?: string;
  /** How the server is asked to pack pictures. It does as it was started when nothing is asked. */
  compression?: ImageCompression;
};

/** INVARIANT: after `close`, or `ended`, nothing is sent, drawn or told any more (`session.test.ts`). */
export class SpiceSession {
  readonly #host: SessionHost;
  readonly #options: SessionOptions;
  /** Index: the stream's number. */
  readonly #channels: Channel[] = [];
  readonly #main: Channel;
  readonly #inputs: InputsChannel;
  readonly #agent: Agent;
  readonly #clock: MultimediaClock;
  #display: DisplayChannel | null = null;
  #playback: PlaybackChannel | null = null;
  #record: RecordChannel | null = null;
  #sessionId = 0;
  #closed = false;
  #size: PixelSize | null = null;
  #notice = '';

  constructor(host: SessionHost, options: SessionOptions = {}) {
    this.#host = host;
    this.#options = options;
    this.#clock = new MultimediaClock(() => host.now());
    this.#inputs = new InputsChannel(
      () => host.now(),
      (locks) => this.#tell(() => host.locks(locks)),
    );
    this.#agent = new Agent({
      send: (message) => this.#main.send(message),
      agent: (connected) => this.#tell(() => host.agent(connected)),
      clipboard: (possible) => this.#tell(() => host.clipboardPossible(possible)),
      now: () => host.now(),
      host: host.clipboard,
      readPicture: host.readPicture,
      lineEnd: host.lineEnd,
    });
    this.#main = this.#add(
      new MainChannel({
        session: (sessionId) => {
          this.#sessionId = sessionId;
        },
        channels: (list) => this.#openChannels(list),
        multimediaTime: (time) => this.#clock.set(time),
        pointer: (pointer) => {
          this.#inputs.setPointer(pointer);
          this.#tell(() => host.pointer(pointer));
        },
        agentConnected: (tokens) => this.#agent.connected(tokens),
        agentDisconnected: () => this.#agent.disconnected(),
        agentTokens: (more) => this.#agent.tokens(more),
        agentData: (piece) => this.#agent.data(piece),
        movedTo: (address) => {
          this.#notice = `The guest moved to ${address}.`;
        },
      }),
      0,
    );
  }

  get latencyMs(): number | null {
    return this.#inputs.latencyMs;
  }

  streamOpen(stream: number): void {
    if (!this.#closed) this.#channels[stream]?.start();
  }

  /** The promise, if there is one, is settled when the bytes have been handled; they must stay as they are until then. */
  receive(stream: number, bytes: Uint8Array): undefined | Promise<void> {
    if (this.#closed) return undefined;
    try {
      return this.#channels[stream]?.receive(bytes)?.catch((error: unknown) => this.fail(error));
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  streamClosed(_stream: number, reason: string, clean: boolean): void {
    this.#end({
      cause: 'server',
      text: clean ? 'The guest closed its console.' : 'The connection to the console broke.',
      detail: [this.#notice, reason].filter((part) => part !== '').join(' '),
    });
  }

  streamRefused(text: string): void {
    this.#end({ cause: 'unavailable', text, detail: '' });
  }

  input(input: ConsoleInput): void {
    if (!this.#closed) this.#inputs.input(input);
  }

  resize(size: PixelSize): void {
    if (!this.#closed) this.#agent.setMonitors([size]);
  }

  /** Samples for a guest that records, in the format that it asked for. */
  speak(samples: Uint8Array): void {
    if (!this.#closed) this.#record?.send(samples);
  }

  setClipboardPolicy(policy: ClipboardPolicy): void {
    if (!this.#closed) this.#agent.setClipboardPolicy(policy);
  }

  /** Whether somebody uses this console: it has the keyboard, and its window the focus. */
  setInUse(inUse: boolean): void {
    if (!this.#closed) this.#agent.setInUse(inUse);
  }

  /** This computer's clipboard has something new, of these kinds. */
  offerCopied(selection: Selection, kinds: readonly CopiedKind[]): void {
    if (!this.#closed) this.#agent.offerCopied(selection, kinds);
  }

  /** Something went wrong in what a server sent, or in the handling of it. */
  fail(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    const text =
      error instanceof SpiceError
        ? 'The console server sent something that cannot be right, so the connection was ended.'
        : 'The connection to the console failed.';
    this.#end({ cause: 'protocol', text, detail });
  }

  /** Lets go of memory that is not in use: to be called now and then. */
  trim(): void {
    for (const channel of this.#channels) channel.trim();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#agent.closed();
    this.#display?.close();
    this.#playback?.close();
    for (const [stream, channel] of this.#channels.entries()) {
      channel.close();
      this.#host.closeStream(stream);
    }
  }

  #end(end: ConsoleEnd): void {
    if (this.#closed) return;
    this.close();
    this.#host.ended(end);
  }

  #tell(action: () => void): void {
    if (!this.#closed) action();
  }

  #add(handler: ChannelHandler, channelId: number): Channel {
    const stream = this.#channels.length;
    const channel = new Channel({
      handler,
      channelId,
      sessionId: this.#sessionId,
      password: this.#options.password ?? '',
      send: (bytes) => this.#tell(() => this.#host.send(stream, bytes)),
      waitFor: (kind, id, serial) =>
        this.#channels.find((other) => channelType[other.kind] === kind && other.channelId === id)?.handled(serial),
      notice: (text) => {
        this.#notice = text;
      },
    });
    this.#channels.push(channel);
    this.#host.openStream(stream);
    return channel;
  }

  /** Of those that the server has the ones that are known here, each once. */
  #openChannels(list: readonly { kind: number; channelId: number }[]): void {
    if (this.#channels.length > 1) return;
    const has = (kind: number) => list.some((channel) => channel.kind === kind && channel.channelId === 0);
    if (has(channelType.display)) {
      const shared = {
        cache: new ImageCache(pixmapCachePixels * 2),
        glzWindow: new GlzWindow(glzWindowPixels * 2),
        jpeg: this.#host.jpeg,
        // There is one display channel: what it refers to it has brought itself.
        mayWait: () => false,
      };
      const host = this.#host;
      this.#display = new DisplayChannel(this.#displayEvents(), shared, this.#options.compression ?? null, {
        clock: this.#clock,
        now: () => host.now(),
        after: (ms, run) => host.after(ms, run),
        video: host.video,
        settled: () => this.#tell(() => host.settled()),
        failed: (error) => this.fail(error instanceof SpiceError ? error.within('display', 'STREAM_DATA') : error),
      });
      this.#add(this.#display, 0);
    }
    if (has(channelType.inputs)) this.#add(this.#inputs, 0);
    if (has(channelType.cursor))
      this.#add(
        new CursorChannel({
          cursor: (cursor) => this.#tell(() => this.#host.cursor(cursor)),
          cursorMoved: (xPx, yPx) => this.#tell(() => this.#host.cursorMoved(xPx, yPx)),
        }),
        0,
      );
    const { sound } = this.#host;
    if (sound && has(channelType.playback)) {
      this.#playback = new PlaybackChannel(this.#heard(sound), sound.opus);
      this.#add(this.#playback, 0);
    }
    if (sound && has(channelType.record)) {
      this.#record = new RecordChannel(this.#recorded(sound), () => this.#host.now());
      this.#add(this.#record, 0);
    }
  }

  #recorded(sound: SoundHost): RecordEvents {
    return {
      recordStarted: (format) => this.#tell(() => sound.recordStarted(format)),
      recordStopped: () => this.#tell(() => sound.recordStopped()),
      recordVolume: (gains) => this.#tell(() => sound.recordVolume(gains)),
      recordMuted: (muted) => this.#tell(() => sound.recordMuted(muted)),
    };
  }

  #heard(sound: SoundHost): PlaybackEvents {
    return {
      playbackOpened: () => this.#tell(() => sound.playbackOpened()),
      playbackStarted: (format) => this.#tell(() => sound.playbackStarted(format)),
      played: (samples) => this.#tell(() => sound.played(samples)),
      playbackTime: (time) => {
        const heardAt = (time - soundDelayMs) >>> 0;
        if (Math.abs(this.#clock.until(heardAt)) > soundSlackMs) this.#clock.set(heardAt);
      },
      playbackStopped: () => this.#tell(() => sound.playbackStopped()),
      playbackVolume: (gains) => this.#tell(() => sound.playbackVolume(gains)),
      playbackMuted: (muted) => this.#tell(() => sound.playbackMuted(muted)),
      playbackFailed: (error) => this.fail(error),
    };
  }

  #displayEvents(): DisplayEvents {
    const show = () => {
      const size = this.#size;
      this.#size = null;
      if (size) this.#tell(() => this.#host.picture(size));
    };
    return {
      primary: (surface) => {
        this.#size = surface ? { widthPx: surface.width, heightPx: surface.height } : null;
        this.#tell(() => this.#host.primary(surface));
      },
      mark: show,
      damaged: (left, top, right, bottom) => {
        if (this.#closed) return;
        this.#host.damaged(left, top, right, bottom);
        if (this.#size) show();
      },
    };
  }
}
