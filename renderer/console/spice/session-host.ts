/** What a session needs of the world and tells it: ports, sockets, a clock, and what shows, hears and speaks. */
import type { ClipboardHost } from '../clipboard.ts';
import type { ConsoleCursor, ConsoleEnd, ConsoleLocks, PixelSize } from '../console.ts';
import type { FileProgress } from '../files.ts';
import type { SettingsPossible } from './agent/agent.ts';
import type { FilesPossible } from './agent/file-sender.ts';
import type { PictureReader } from './agent/shared-clipboard.ts';
import type { MakeOpusDecoder } from './audio/opus-decoder.ts';
import type { MakeOpusEncoder } from './audio/opus-encoder.ts';
import type { DisplayEvents } from './channels/display-channel.ts';
import type { PlaybackEvents } from './channels/playback-channel.ts';
import type { PortEvents } from './channels/port-channel.ts';
import type { RecordEvents } from './channels/record-channel.ts';
import type { PlatformJpeg } from './decoders/jpeg.ts';
import type { Surface } from './drawing/surface.ts';
import type { Head } from './heads.ts';
import type { StreamHost } from './open-channels.ts';
import type { PlatformVideo } from './streams/video-decoder.ts';

/** What hears the guest, and speaks to it. */
export type SoundHost = Omit<PlaybackEvents, 'playbackFailed' | 'playbackTime'> &
  RecordEvents & {
    /** Null where Opus cannot be unpacked. */
    opus: MakeOpusDecoder | null;
    /** Null where Opus cannot be packed. */
    opusEncoder: MakeOpusEncoder | null;
    /** How long after it came the guest is heard now; null while it is not. */
    readonly delayMs: number | null;
  };

export type SessionHost = StreamHost & {
  /** As in {@link DisplayEvents}, of a display channel. */
  primary(surface: Surface | null, display: number): void;
  damaged(left: number, top: number, right: number, bottom: number, display: number): void;
  /** The guest has these monitors, in the order of their ids: told before one is shown, and whenever they have changed. */
  heads(heads: readonly Head[]): void;
  cursor(cursor: ConsoleCursor, display: number): void;
  cursorMoved(xPx: number, yPx: number, display: number): void;
  /** Decodes JPEGs. */
  jpeg: PlatformJpeg;
  /** Decodes videos. */
  video: PlatformVideo;
  /** A picture of a video has been drawn, at a time of its own and not while bytes were received. */
  settled(): void;
  /** The first monitor can be looked at: once, and whenever it is a new one. */
  picture(size: PixelSize): void;
  pointer(pointer: 'absolute' | 'relative'): void;
  /** The session has gone along with its guest to another server. */
  moved?(): void;
  agent(connected: boolean): void;
  /** Without it the channels of sound are not opened. */
  sound?: SoundHost;
  /** The port of shared folders. Without it it is left alone. */
  folders?: PortEvents;
  /** Whether the agent shares a clipboard; and this computer's. */
  clipboardPossible(possible: boolean): void;
  clipboard: ClipboardHost;
  /** Whether the agent takes files, and how far one is that it was sent. */
  filesPossible(possible: FilesPossible): void;
  /** Whether the agent sets the guest's volume, and the look of its desktop. */
  settingsPossible(possible: SettingsPossible): void;
  file(id: number, progress: FileProgress): void;
  /** Bytes that were sent on a stream and that the other end has not taken yet. */
  underWayBytes(stream: number): number;
  readPicture: PictureReader;
  /** How this computer ends a line. */
  lineEnd: 'lf' | 'crlf';
  /** Whether the guest has read all that its keyboard got; null when nobody knows. It never rejects. */
  keysRead?(): Promise<boolean | null>;
  /** What the guest's lock keys show. */
  locks(locks: ConsoleLocks): void;
  /** Last, once, and not when this side closed the session. */
  ended(end: ConsoleEnd): void;
};
