/** What a page and its SPICE worker tell each other, by `postMessage`. */
import type { ConsoleCursor, ConsoleEnd, ConsoleInput, ConsoleStats, GuestSound, PixelSize } from '../console.ts';
import type { SoundFormat } from './audio/sound-format.ts';

export type ToWorker =
  /** First, once: where to draw. */
  | { type: 'start'; canvas: OffscreenCanvas }
  | { type: 'port'; id: number; port: MessagePort }
  | { type: 'noPort'; id: number; text: string }
  | { type: 'input'; input: ConsoleInput }
  | { type: 'resize'; size: PixelSize }
  /** Whether anybody can see the canvas. */
  | { type: 'visible'; visible: boolean }
  /** Where what the guest plays goes: a speaker's end, with `ToSpeaker` and `FromSpeaker`. */
  | { type: 'speaker'; port: MessagePort }
  /** Where the guest's recording comes from: `Int16Array`s, in the format that it asked for. */
  | { type: 'microphone'; port: MessagePort }
  | { type: 'stop' };

export type FromWorker =
  /** Another byte stream to the guest's SPICE server is wanted; SPICE has one for each channel. */
  | { type: 'needPort'; id: number }
  /** The picture has this size and something was drawn on it. */
  | { type: 'size'; size: PixelSize }
  | { type: 'pointer'; pointer: 'absolute' | 'relative' }
  | { type: 'agent'; connected: boolean }
  | { type: 'cursor'; cursor: ConsoleCursor }
  | { type: 'cursorMoved'; xPx: number; yPx: number }
  /** The guest has a sound card, which stands so. */
  | { type: 'sound'; sound: GuestSound }
  /** The guest records in this format from now on; null: it has ended. */
  | { type: 'recording'; format: SoundFormat | null }
  /** Once a second, also when nothing happens: it says that the worker is alive. */
  | { type: 'stats'; stats: ConsoleStats }
  /** Last. */
  | { type: 'ended'; end: ConsoleEnd };
