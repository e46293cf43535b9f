/** Our SPICE client in Node: the same session as in the window's worker, over Unix sockets, without a canvas. */

import type { Transport } from '../../main/consoles/transport.ts';
import { unixSocketTransport } from '../../main/consoles/unix-socket-transport.ts';
import type { ConsoleCursor, ConsoleEnd, ConsoleLocks, PixelSize } from '../../renderer/console/console.ts';
import type { FileProgress } from '../../renderer/console/files.ts';
import type { FilesPossible } from '../../renderer/console/spice/agent/file-sender.ts';
import type { Source, Surface } from '../../renderer/console/spice/drawing/surface.ts';
import type { Head } from '../../renderer/console/spice/heads.ts';
import type { SpicePlace } from '../../renderer/console/spice/open-channels.ts';
import { channelType, mainRequest } from '../../renderer/console/spice/protocol/constants.ts';
import { type SessionOptions, SpiceSession } from '../../renderer/console/spice/session.ts';
import type { SessionHost, SoundHost } from '../../renderer/console/spice/session-host.ts';
import { noVideo } from '../../renderer/console/spice/streams/video-decoder.ts';
import type { Pixels } from './png.ts';
import { noSharing } from './scripted-spice.ts';

export type SpiceClient = {
  session: SpiceSession;
  /** The screen, or null before there is one. */
  readonly screen: Surface | null;
  readonly size: PixelSize | null;
  readonly pointer: 'absolute' | 'relative' | null;
  readonly cursor: ConsoleCursor | null;
  readonly agent: boolean;
  /** Whether the agent shares a clipboard. */
  readonly clipboard: boolean;
  /** Whether it takes files, and how far those are that were sent. */
  readonly filesPossible: FilesPossible;
  readonly files: ReadonlyMap<number, FileProgress>;
  /** What the guest's lock keys show. */
  readonly locks: ConsoleLocks | null;
  readonly end: ConsoleEnd | null;
  readonly heads: readonly Head[];
  /** The pictures of the display channels, by their ids. */
  readonly screens: readonly (Surface | null)[];
  /** Rectangles that were drawn upon. */
  readonly damages: number;
  /** Of each stream that was asked for, where. */
  readonly places: readonly SpicePlace[];
  /** How often it has told the server whether it reached where the guest goes. */
  readonly answers: number;
  close(): void;
};

/** Who decodes what Node does not, has the guest's port for shared folders, looks into its keyboard, and listens in to what is said on each stream. */
export type ClientParts = Partial<Pick<SessionHost, 'jpeg' | 'video' | 'folders' | 'keysRead'>> & {
  heard?(stream: number, bytes: Uint8Array): void;
  said?(stream: number, bytes: Uint8Array): void;
  /** The socket of the guest's server where it began and where it was moved to, as far as that is known. */
  pathAt?(place: SpicePlace): string | null;
};

const moveAnswers: ReadonlySet<number> = new Set([
  mainRequest.MIGRATE_CONNECTED,
  mainRequest.MIGRATE_CONNECTED_SEAMLESS,
  mainRequest.MIGRATE_CONNECT_ERROR,
]);

const isLink = (bytes: Uint8Array) => Buffer.from(bytes.subarray(0, 4)).toString() === 'REDQ';

/** Opens a session; it is the caller's to close. `sound` hears the guest. */
export function openSpiceClient(socketPath: string, options: SessionOptions = {}, sound?: SoundHost, parts: ClientParts = {}): SpiceClient {
  const streams: Transport[] = [];
  const mains = new Set<number>();
  const state = {
    screen: null as Surface | null,
    size: null as PixelSize | null,
    pointer: null as 'absolute' | 'relative' | null,
    cursor: null as ConsoleCursor | null,
    agent: false,
    clipboard: false,
    filesPossible: 'no-agent' as FilesPossible,
    files: new Map<number, FileProgress>(),
    locks: null as ConsoleLocks | null,
    end: null as ConsoleEnd | null,
    heads: [] as readonly Head[],
    screens: [] as (Surface | null)[],
    damages: 0,
    places: [] as SpicePlace[],
    answers: 0,
  };
  // The session asks for its first stream while it is made; nothing is connected before the next turn of the event loop.
  let session: SpiceSession | undefined;
  const host: SessionHost = {
    now: () => performance.now(),
    openStream(stream, place, arriving) {
      state.places.push(place);
      const path = parts.pathAt ? parts.pathAt(place) : place === 'home' ? socketPath : null;
      if (path === null) {
        setImmediate(() => session?.streamRefused(stream, 'Where the guest was moved to is not known here.'));
        return;
      }
      streams[stream] = unixSocketTransport(
        path,
        arriving,
      )({
        open: () => session?.streamOpen(stream),
        data: (bytes) => {
          parts.heard?.(stream, bytes);
          void session?.receive(stream, bytes);
        },
        closed: (reason, clean) => session?.streamClosed(stream, reason, clean),
      });
    },
    send: (stream, bytes) => {
      parts.said?.(stream, bytes);
      if (isLink(bytes) && bytes[20] === channelType.main) mains.add(stream);
      else if (mains.has(stream) && moveAnswers.has(new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, true))) state.answers++;
      streams[stream]?.write(bytes, () => undefined);
    },
    closeStream: (stream) => streams[stream]?.close(),
    jpeg: parts.jpeg ?? (() => Promise.reject(new Error('Node decodes no JPEG.'))),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    video: parts.video ?? noVideo,
    settled: () => undefined,
    primary: (screen, display) => {
      state.screens[display] = screen;
      if (display === 0) state.screen = screen;
    },
    damaged: () => {
      state.damages++;
    },
    heads: (heads) => {
      state.heads = heads;
    },
    picture: (size) => {
      state.size = size;
    },
    pointer: (pointer) => {
      state.pointer = pointer;
    },
    cursor: (cursor) => {
      state.cursor = cursor;
    },
    cursorMoved: () => undefined,
    agent: (connected) => {
      state.agent = connected;
    },
    clipboardPossible: (possible) => {
      state.clipboard = possible;
    },
    clipboard: noSharing.clipboard,
    filesPossible: (possible) => {
      state.filesPossible = possible;
    },
    file: (id, progress) => void state.files.set(id, progress),
    settingsPossible: noSharing.settingsPossible,
    underWayBytes: () => 0,
    // What the browser does in a worker: here the picture stays the file that it was.
    readPicture: (picture) => Promise.resolve(picture),
    lineEnd: 'lf',
    locks: (locks) => {
      state.locks = locks;
    },
    ended: (end) => {
      state.end = end;
    },
    ...(sound ? { sound } : {}),
    ...(parts.keysRead ? { keysRead: parts.keysRead } : {}),
    ...(parts.folders ? { folders: parts.folders } : {}),
  };
  session = new SpiceSession(host, options);
  return Object.assign(state, { session, close: () => session?.close() });
}

/** A picture, or a part of it, as it would be shown. */
export function pixelsOf(
  picture: Source,
  { xPx, yPx, widthPx, heightPx }: Pick<Head, 'xPx' | 'yPx' | 'widthPx' | 'heightPx'> = {
    xPx: 0,
    yPx: 0,
    widthPx: picture.width,
    heightPx: picture.height,
  },
): Pixels {
  const rgb = new Uint8Array(widthPx * heightPx * 3);
  for (let y = 0, at = 0; y < heightPx; y++)
    for (let x = 0; x < widthPx; x++, at += 3) {
      const pixel = picture.pixels[(yPx + y) * picture.width + xPx + x] ?? 0;
      rgb[at] = pixel & 255;
      rgb[at + 1] = (pixel >> 8) & 255;
      rgb[at + 2] = (pixel >> 16) & 255;
    }
  return { widthPx, heightPx, rgb };
}
