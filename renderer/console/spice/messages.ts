/** What a page and its SPICE worker tell each other, by `postMessage`. */
import type { ClipboardPolicy, FilesPolicy } from '../../../contract/guest-spec.ts';
import type { Copied, CopiedKind, Selection } from '../clipboard.ts';
import type {
  ConsoleCursor,
  ConsoleDetails,
  ConsoleEnd,
  ConsoleInput,
  ConsoleLocks,
  ConsoleStats,
  DesktopLook,
  GuestSound,
  MixerChoice,
  MonitorPlace,
  PixelSize,
} from '../console.ts';
import type { FileProgress, FileToSend } from '../files.ts';
import type { SettingsPossible } from './agent/agent.ts';
import type { FilesPossible } from './agent/file-sender.ts';
import type { SoundFormat } from './audio/sound-format.ts';
import type { Head } from './heads.ts';

export type ToWorker =
  /** First, once: where to draw. */
  | { type: 'start'; canvas: OffscreenCanvas; lineEnd: 'lf' | 'crlf' }
  | { type: 'port'; id: number; port: MessagePort }
  | { type: 'noPort'; id: number; text: string }
  | { type: 'input'; input: ConsoleInput }
  /** Where to draw a monitor that is not the first. */
  | { type: 'canvas'; head: number; canvas: OffscreenCanvas }
  /** Where to draw that monitor as small as it is shown, beside its own canvas. */
  | { type: 'shrunkenCanvas'; head: number; canvas: OffscreenCanvas }
  /** How small that is, in physical pixels; null while it is not smaller than it is. */
  | { type: 'shownSize'; head: number; size: PixelSize | null }
  | { type: 'resize'; size: PixelSize; head: number }
  | { type: 'monitors'; count: number; places: readonly MonitorPlace[] }
  /** Whether anybody can see the canvas of that monitor. */
  | { type: 'visible'; head: number; visible: boolean }
  /** Where what the guest plays goes: a speaker's end, with `ToSpeaker` and `FromSpeaker`. */
  | { type: 'speaker'; port: MessagePort }
  /** Where the guest's recording comes from: `Int16Array`s, in the format that it asked for. */
  | { type: 'microphone'; port: MessagePort }
  | { type: 'clipboard'; policy: ClipboardPolicy; inUse: boolean }
  | { type: 'offerCopied'; selection: Selection; kinds: readonly CopiedKind[] }
  /** The answer to `readCopied` and, with null, to `writeCopied`. */
  | { type: 'clipboardAnswer'; id: number; copied: Copied | null }
  /** The answer to `lookAtKeys`: whether the guest has read all that its keyboard got, or null when nobody knows. */
  | { type: 'keysRead'; id: number; read: boolean | null }
  | { type: 'files'; policy: FilesPolicy }
  | { type: 'sendFile'; file: FileToSend }
  | { type: 'cancelFile'; id: number }
  /** A way to the folders that the guest shares, as `needFolders` asked for; or why there is none. */
  | { type: 'folders'; port: MessagePort }
  | { type: 'noFolders' }
  | { type: 'guestVolume'; choice: MixerChoice }
  | { type: 'look'; look: DesktopLook }
  | { type: 'stop' };

export type FromWorker =
  /** Another byte stream to the guest's SPICE server is wanted, where the guest began or where it was moved to; SPICE has one for each channel. */
  | { type: 'needPort'; id: number; place: 'home' | 'moved'; arriving: boolean }
  /** The picture has this size and something was drawn on it. */
  | { type: 'size'; size: PixelSize }
  /** The guest has these monitors; those that have no canvas yet want one. */
  | { type: 'heads'; heads: readonly Head[] }
  | { type: 'pointer'; pointer: 'absolute' | 'relative' }
  /** The guest has moved to another QEMU, and the connection with it. */
  | { type: 'moved' }
  | { type: 'agent'; connected: boolean }
  | { type: 'clipboardPossible'; possible: boolean }
  /** What the guest copied, for this computer's clipboard; and the guest wants what is on it. Each is answered. */
  | { type: 'writeCopied'; id: number; selection: Selection; copied: Copied }
  | { type: 'readCopied'; id: number; selection: Selection; kind: CopiedKind }
  | { type: 'filesPossible'; possible: FilesPossible }
  | { type: 'settingsPossible'; possible: SettingsPossible }
  | { type: 'file'; id: number; progress: FileProgress }
  /** A program in the guest waits for the folders that it shares; and whether one does. */
  | { type: 'needFolders' }
  | { type: 'foldersUsed'; used: boolean }
  | { type: 'locks'; locks: ConsoleLocks }
  | { type: 'lookAtKeys'; id: number }
  | { type: 'cursor'; cursor: ConsoleCursor; display?: number }
  | { type: 'cursorMoved'; xPx: number; yPx: number; display?: number }
  /** The guest has a sound card, which stands so. */
  | { type: 'sound'; sound: GuestSound }
  /** The guest records in this format from now on; null: it has ended. */
  | { type: 'recording'; format: SoundFormat | null }
  /** Once a second, also when nothing happens: it says that the worker is alive. */
  | { type: 'stats'; stats: ConsoleStats }
  | { type: 'details'; details: ConsoleDetails }
  /** Last. */
  | { type: 'ended'; end: ConsoleEnd };
