/**
 * One connection to a SPICE server: opens its channels, and is what a page or a test talks to. Knows neither ports nor sockets nor a clock:
 * those are its host's.
 *
 * ```
 *   connecting ─ MARK or first drawing ─► connected ─► closed   final, from everywhere
 * ```
 * A session goes along with a guest that moves to another server (`open-channels.ts`, `migration.ts`).
 */

import type { ClipboardPolicy, FilesPolicy } from '../../../contract/guest-spec.ts';
import type { CopiedKind, Selection } from '../clipboard.ts';
import type { ConsoleDetails, ConsoleEnd, ConsoleInput, DesktopLook, MixerChoice, MonitorPlace, PixelSize } from '../console.ts';
import type { FileToSend } from '../files.ts';
import { Agent } from './agent/agent.ts';
import type { ChannelHandler } from './channels/channel.ts';
import { CursorChannel } from './channels/cursor-channel.ts';
import {
  DisplayChannel,
  type DisplayEvents,
  glzWindowPixels,
  type ImageCompression,
  pixmapCachePixels,
  type SharedDisplays,
} from './channels/display-channel.ts';
import { InputsChannel } from './channels/inputs-channel.ts';
import { MainChannel } from './channels/main-channel.ts';
import { PlaybackChannel, type PlaybackEvents } from './channels/playback-channel.ts';
import { PortChannel, type PortEvents } from './channels/port-channel.ts';
import { RecordChannel, type RecordEvents } from './channels/record-channel.ts';
import { GlzWindow } from './decoders/glz-window.ts';
import { ImageCache } from './decoders/image-cache.ts';
import { Heads, maxHeads } from './heads.ts';
import { OpenChannels } from './open-channels.ts';
import { channelType } from './protocol/constants.ts';
import { SpiceError } from './protocol/spice-error.ts';
import type { SessionHost, SoundHost } from './session-host.ts';
import { MultimediaClock } from './streams/multimedia-clock.ts';

/** Video goes with what is heard. So long after a packet came it is, while nothing better is known, and so much may be between the two. */
const likelySoundDelayMs = 40;
const soundSlackMs = 20;

/** A server that shows nothing of a guest that moved to it by then is not going to. */
const arrivalDeadlineMs = 20_000;

type OpenDisplay = { id: number; channel: DisplayChannel };

export type SessionOptions = {
  password?: string;
  /** How the server is asked to pack pictures. It does as it was started when nothing is asked. */
  compression?: ImageCompression;
};

/** INVARIANT: after `close`, or `ended`, nothing is sent, drawn or told any more (`session.test.ts`). */
export class SpiceSession {
  readonly #host: SessionHost;
  readonly #options: SessionOptions;
  readonly #channels: OpenChannels;
  readonly #main: MainChannel;
  readonly #inputs: InputsChannel;
  readonly #agent: Agent;
  readonly #clock: MultimediaClock;
  #displays: OpenDisplay[] = [];
  /** Those of the server that the guest came from, with what is still shown of them. */
  #displaysBefore: readonly OpenDisplay[] = [];
  readonly #heads = new Heads();
  /** What the monitors were asked to be, by their ids, and how many. */
  readonly #wantedSizes: (PixelSize | undefined)[] = [];
  #monitors = 1;
  #places: readonly MonitorPlace[] = [];
  #playback: PlaybackChannel | null = null;
  #record: RecordChannel | null = null;
  #folders: PortChannel | null = null;
  /** Channels are opened once for each server. */
  #listed = false;
  /** The session has begun again at another server, which has not shown anything yet. */
  #arriving = false;
  #stopArriving = () => {};
  #closed = false;
  /** The first display channel has a surface that cannot be looked at yet. */
  #waitsForPicture = false;
  #shown = false;
  #shared: SharedDisplays | null = null;
  #notice = '';

  constructor(host: SessionHost, options: SessionOptions = {}) {
    this.#host = host;
    this.#options = options;
    this.#clock = new MultimediaClock(() => host.now());
    this.#inputs = new InputsChannel({
      now: () => host.now(),
      after: (ms, run) => host.after(ms, () => this.#tell(run)),
      locks: (locks) => this.#tell(() => host.locks(locks)),
      ...(host.keysRead ? { hasRead: () => host.keysRead?.() ?? Promise.resolve(null) } : {}),
    });
    this.#agent = new Agent({
      send: (message) => this.#channels.main?.send(message),
      agent: (connected) => this.#tell(() => host.agent(connected)),
      clipboard: (possible) => this.#tell(() => host.clipboardPossible(possible)),
      files: (possible) => this.#tell(() => host.filesPossible(possible)),
      file: (id, progress) => this.#tell(() => host.file(id, progress)),
      settings: (possible) => this.#tell(() => host.settingsPossible(possible)),
      underWayBytes: () => host.underWayBytes(this.#channels.streamOf('main') ?? 0),
      leaves: () => this.#channels.leavesNothing,
      after: (ms, run) => host.after(ms, () => this.#tell(run)),
      now: () => host.now(),
      host: host.clipboard,
      readPicture: host.readPicture,
      lineEnd: host.lineEnd,
    });
    this.#channels = new OpenChannels({
      host,
      password: options.password ?? '',
      notice: (text) => {
        this.#notice = text;
      },
      failed: (error) => this.fail(error),
      anew: () => {
        this.#letGo();
        this.#agent.moved();
        this.#main.restart(false);
      },
      handlerFor: ({ kind, channelId, handler }) =>
        kind === 'main' ? this.#main : (this.#handlerOf(channelType[kind], channelId) ?? handler),
      gone: () => this.#follow(),
      moved: () => this.#tell(() => host.moved?.()),
    });
    this.#main = new MainChannel({
      session: (sessionId) => {
        this.#channels.sessionId = sessionId;
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
      moveBegins: (version) => this.#channels.beginMove(version),
      moveCancelled: () => this.#channels.cancelMove(),
      moveEnds: () => this.#channels.endMove(),
      movedTo: (place) => {
        this.#notice = `Its server said that it went to ${place}.`;
        this.#follow();
      },
    });
    this.#channels.add(this.#main, 0);
  }

  get latencyMs(): number | null {
    return this.#inputs.latencyMs;
  }

  /** All of {@link ConsoleDetails} that a session knows by itself. */
  get details(): Omit<ConsoleDetails, 'busy'> {
    return {
      channels: this.#channels.list.map((channel) => channel.kind),
      pictures: addUp(this.#displays.flatMap(({ channel }) => channel.pictures)),
      videos: [...new Set(this.#displays.flatMap(({ channel }) => channel.videos.codecs))],
      droppedFrames: this.#displays.reduce((sum, { channel }) => sum + channel.videos.dropped, 0),
      // Counted for all of them together.
      memoryBytes: (this.#displays[0]?.channel.pixels ?? 0) * 4,
      agentCapabilities: this.#agent.capabilities,
    };
  }

  streamOpen(stream: number): void {
    if (!this.#closed) this.#channels.start(stream);
  }

  /** The promise, if there is one, is settled when the bytes have been handled; they must stay as they are until then. */
  receive(stream: number, bytes: Uint8Array): undefined | Promise<void> {
    return this.#closed ? undefined : this.#channels.receive(stream, bytes);
  }

  /** Whether a message has come on that stream of which the rest is on its way. */
  isInside(stream: number): boolean {
    return this.#channels.isInside(stream);
  }

  streamClosed(stream: number, reason: string, clean: boolean): void {
    if (this.#closed || !this.#channels.endsWith(stream)) return;
    this.#endStream(clean ? 'The guest closed its console.' : 'The connection to the console broke.', 'server', reason);
  }

  streamRefused(stream: number, text: string): void {
    if (this.#closed || !this.#channels.endsWith(stream)) return;
    this.#endStream(text, 'unavailable', '');
  }

  input(input: ConsoleInput): void {
    if (!this.#closed) this.#inputs.input(input);
  }

  /** Asks for a monitor of that size. The others stay as they were asked to be. */
  resize(size: PixelSize, head = 0): void {
    if (head >= maxHeads) return;
    this.#wantedSizes[head] = size;
    this.#askForMonitors();
  }

  /** Asks for so many monitors, where `places` says if it does so for all of them: those that nobody gave a size are as large as the first. */
  setMonitors(count: number, places: readonly MonitorPlace[] = []): void {
    this.#monitors = Math.max(1, Math.min(count, maxHeads));
    this.#places = places;
    this.#askForMonitors();
  }

  /** Samples for a guest that records, in the format that it asked for. */
  speak(samples: Uint8Array): void {
    if (!this.#closed) this.#record?.send(samples);
  }

  /** Bytes to the program in the guest that serves shared folders there, if it listens. */
  sendToFolders(bytes: Uint8Array): void {
    if (!this.#closed) this.#folders?.send(bytes);
  }

  /** Which stream that goes over; null while there is none. */
  get foldersStream(): number | null {
    return this.#channels.streamOf('webdav');
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

  setGuestVolume(choice: MixerChoice): void {
    if (!this.#closed) this.#agent.setVolume(choice);
  }

  setDesktopLook(look: DesktopLook): void {
    if (!this.#closed) this.#agent.setLook(look);
  }

  /** Whether files go to the guest. */
  setFilesPolicy(policy: FilesPolicy): void {
    if (!this.#closed) this.#agent.setFilesPolicy(policy);
  }

  /** Sends it after those before it; how far it is, its host is told. */
  sendFile(file: FileToSend): void {
    if (!this.#closed) this.#agent.sendFile(file);
  }

  cancelFile(id: number): void {
    if (!this.#closed) this.#agent.cancelFile(id);
  }

  /** Something went wrong in what a server sent, or in the handling of it. */
  fail(error: unknown): void {
    const detail = error instanceof Error ? error.message : String(error);
    this.#end({ cause: 'protocol', text: failureText(error), detail });
  }

  /** Lets go of memory that is not in use: to be called now and then. */
  trim(): void {
    this.#channels.trim();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopArriving();
    this.#agent.closed();
    this.#letGo();
    this.#displaysBefore = [];
    this.#channels.leaveAll();
  }

  /** The guest has gone where no channel is open to: the session begins again there. What is shown stays until there is something new. */
  #follow(): void {
    if (this.#closed) return;
    try {
      this.#channels.follow();
    } catch (error) {
      this.fail(error);
      return;
    }
    this.#letGo();
    this.#agent.moved();
    this.#listed = false;
    this.#arriving = true;
    this.#stopArriving();
    this.#stopArriving = this.#host.after(arrivalDeadlineMs, () => this.#endStream('The server there shows nothing.', 'silence', ''));
    this.#main.restart(true);
    this.#channels.add(this.#main, 0);
  }

  /** Of what a server has said nothing is of use to the next, but what is shown. */
  #letGo(): void {
    for (const { channel } of this.#displays) channel.close();
    this.#displaysBefore = this.#displays;
    this.#displays = [];
    this.#shared?.cache.close();
    this.#shared?.glzWindow.clear();
    this.#shared = null;
    this.#playback?.close();
    this.#playback = null;
    this.#record?.close();
    this.#record = null;
    this.#folders?.close();
    this.#folders = null;
  }

  #endStream(text: string, cause: 'server' | 'unavailable' | 'silence', reason: string): void {
    const detail = (...parts: string[]) => parts.filter((part) => part !== '').join(' ');
    if (this.#arriving)
      this.#end({
        cause: 'unavailable',
        text: 'The guest has moved to another QEMU, and its console cannot be reached there.',
        detail: detail(this.#notice, text, reason),
      });
    else this.#end({ cause, text, detail: detail(this.#notice, reason) });
  }

  #end(end: ConsoleEnd): void {
    if (this.#closed) return;
    this.close();
    this.#host.ended(end);
  }

  #tell(action: () => void): void {
    if (!this.#closed) action();
  }

  /** The list says how large all are: also those that are off, where a card has a channel for each or the agent knows of such. */
  #askForMonitors(): void {
    if (this.#closed) return;
    const first = this.#wantedSizes[0] ?? this.#heads.list[0] ?? { widthPx: 1024, heightPx: 768 };
    const sizes = Array.from({ length: this.#monitors }, (_, head) => this.#wantedSizes[head] ?? first);
    if (this.#displays.length > 1 || this.#agent.can('SPARSE_MONITORS_CONFIG'))
      while (sizes.length < this.#heads.most) sizes.push({ widthPx: 0, heightPx: 0 });
    this.#agent.setMonitors(sizes, this.#places.length >= this.#monitors ? this.#places : null);
  }

  /** Of those that the server has the ones that are known here, each once. */
  #openChannels(list: readonly { kind: number; channelId: number }[]): void {
    if (this.#listed) return;
    this.#listed = true;
    const ids = (kind: number) =>
      [...new Set(list.filter((channel) => channel.kind === kind && channel.channelId < maxHeads).map(({ channelId }) => channelId))].sort(
        (one, other) => one - other,
      );
    const { display, inputs, cursor, playback, record, webdav } = channelType;
    if (this.#heads.keepOnly(ids(display))) this.#tell(() => this.#host.heads(this.#heads.list));
    for (const kind of [display, inputs, cursor, playback, record, webdav])
      for (const id of ids(kind)) {
        const handler = this.#handlerOf(kind, id);
        if (handler) this.#channels.add(handler, id);
      }
  }

  /** What a channel is about; null where it is not of use here. */
  #handlerOf(kind: number, id: number): ChannelHandler | null {
    const host = this.#host;
    const { sound } = host;
    switch (kind) {
      case channelType.display:
        return this.#displayOf(id);
      case channelType.cursor:
        return new CursorChannel({
          cursor: (cursor) => this.#tell(() => host.cursor(cursor, id)),
          cursorMoved: (xPx, yPx) => this.#tell(() => host.cursorMoved(xPx, yPx, id)),
        });
      case channelType.inputs:
        return id === 0 ? this.#inputs : null;
      case channelType.playback:
        if (!sound || id !== 0) return null;
        this.#playback = new PlaybackChannel(this.#heard(sound), sound.opus);
        return this.#playback;
      case channelType.record:
        if (!sound || id !== 0) return null;
        this.#record = new RecordChannel(this.#recorded(sound), () => host.now(), sound.opusEncoder);
        return this.#record;
      case channelType.webdav:
        return host.folders && id === 0 ? this.#foldersOf(host.folders) : null;
      default:
        return null;
    }
  }

  /** Nothing comes of a port whose other end this computer does not know. */
  #foldersOf(events: PortEvents): PortChannel {
    this.#folders = new PortChannel({
      portOpened: () => this.#tell(() => events.portOpened()),
      portData: (bytes) => (this.#closed ? undefined : events.portData(bytes)),
      portClosed: () => this.#tell(() => events.portClosed()),
    });
    return this.#folders;
  }

  #displayOf(id: number): DisplayChannel {
    const host = this.#host;
    this.#shared ??= {
      cache: new ImageCache(pixmapCachePixels * 2),
      glzWindow: new GlzWindow(glzWindowPixels * 2),
      jpeg: host.jpeg,
      // With one display channel, what it refers to it has brought itself.
      mayWait: () => this.#displays.length > 1,
      surfacePixels: 0,
    };
    const before = this.#displaysBefore.find((known) => known.id === id)?.channel.shown ?? null;
    const video = {
      clock: this.#clock,
      now: () => host.now(),
      after: (ms: number, run: () => void) => host.after(ms, run),
      video: host.video,
      settled: () => this.#tell(() => host.settled()),
      failed: (error: unknown) => this.fail(error instanceof SpiceError ? error.within('display', 'STREAM_DATA') : error),
    };
    const channel = new DisplayChannel(this.#displayEvents(id), this.#shared, this.#options.compression ?? null, video, before);
    this.#displays.push({ id, channel });
    return channel;
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
        const heardAt = (time - Math.round(sound.delayMs ?? likelySoundDelayMs)) >>> 0;
        if (Math.abs(this.#clock.until(heardAt)) > soundSlackMs) this.#clock.set(heardAt);
      },
      playbackStopped: () => this.#tell(() => sound.playbackStopped()),
      playbackVolume: (gains) => this.#tell(() => sound.playbackVolume(gains)),
      playbackMuted: (muted) => this.#tell(() => sound.playbackMuted(muted)),
      playbackLatency: (leastMs) => this.#tell(() => sound.playbackLatency(leastMs)),
      playbackFailed: (error) => this.fail(error),
    };
  }

  #displayEvents(display: number): DisplayEvents {
    const show = () => {
      const waiting = this.#waitsForPicture;
      if (display !== 0 || !waiting) return;
      this.#waitsForPicture = false;
      this.#tellPicture();
    };
    return {
      primary: (surface) => {
        if (display === 0) this.#waitsForPicture = surface !== null;
        const changed = this.#heads.picture(display, surface && { widthPx: surface.width, heightPx: surface.height });
        this.#tell(() => this.#host.primary(surface, display));
        if (changed) this.#tell(() => this.#host.heads(this.#heads.list));
      },
      monitors: (monitors) => {
        if (!this.#heads.monitors(display, monitors)) return;
        this.#tell(() => this.#host.heads(this.#heads.list));
        if (this.#shown && !this.#waitsForPicture) this.#tellPicture();
      },
      mark: show,
      damaged: (left, top, right, bottom) => {
        if (this.#closed) return;
        this.#host.damaged(left, top, right, bottom, display);
        show();
      },
    };
  }

  #tellPicture(): void {
    const first = this.#heads.list[0];
    if (!first) return;
    this.#shown = true;
    if (this.#arriving) {
      this.#arriving = false;
      this.#notice = '';
      this.#stopArriving();
    }
    this.#tell(() => this.#host.picture({ widthPx: first.widthPx, heightPx: first.heightPx }));
  }
}

/** The counts of several display channels as those of one. */
function addUp(all: ConsoleDetails['pictures']): ConsoleDetails['pictures'] {
  const sums = new Map<string, ConsoleDetails['pictures'][number]>();
  for (const { packing, count, bytes } of all) {
    const before = sums.get(packing) ?? { count: 0, bytes: 0 };
    sums.set(packing, { packing, count: before.count + count, bytes: before.bytes + bytes });
  }
  return [...sums.values()];
}

function failureText(error: unknown): string {
  if (!(error instanceof SpiceError)) return 'The connection to the console failed.';
  return error.refused
    ? `The guest’s console cannot be used: ${error.reason}.`
    : 'The console server sent something that cannot be right, so the connection was ended.';
}
