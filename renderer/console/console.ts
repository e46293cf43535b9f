/**
 * The one interface behind which every console protocol stands. Nothing here knows SPICE, React or Electron.
 *
 * A console is one connection: it begins `idle`, is told to `connect` once, and ends `closed`. Whoever wants to connect again makes a new
 * one. `ConsoleSession` (session.ts) does that for a page.
 *
 * ```
 *   idle ─ connect ─► connecting ─ first picture ─► connected
 *     │                   │                            │
 *     └───────────────────┴────────── closed ◄─────────┘   final
 * ```
 */

import type { ClipboardPolicy, FilesPolicy } from '../../contract/guest-spec.ts';
import type { CopiedKind, Selection } from './clipboard.ts';
import type { FileProgress, FileToSend } from './files.ts';

/** Why a console ended. `asked`: this side closed it. */
export type ConsoleEnd = {
  cause: 'asked' | 'server' | 'silence' | 'protocol' | 'unavailable';
  /** Plain words for the page. */
  text: string;
  /** What exactly was wrong, for the details; empty when there is no more to say. */
  detail: string;
};

export type ConsoleState =
  | { phase: 'idle' }
  | { phase: 'connecting' }
  | { phase: 'connected'; size: PixelSize }
  | { phase: 'closed'; end: ConsoleEnd };

/** In the guest's own pixels. */
export type PixelSize = { widthPx: number; heightPx: number };

/** Where a monitor lies in the guest's desktop. */
export type MonitorPlace = { xPx: number; yPx: number };

/** One of the guest's monitors. */
export type ConsoleHead = PixelSize & {
  /** As the guest's agent counts them: 0 is the first, which is the console's `canvas`. */
  id: number;
  /** The display channel in whose picture it lies, and where. */
  display: number;
  xPx: number;
  yPx: number;
  canvas: HTMLCanvasElement;
};

/** Whether something may be called now, and if not why, in words for a tooltip. */
export type Possible = { possible: true } | { possible: false; reason: string };

/** What this console can do at the moment. A method whose capability is not possible does nothing. */
export type ConsoleCapabilities = {
  resizeGuest: Possible;
  /** `absolute`: the guest takes positions. `relative`: it takes movements, so the pointer must be locked. */
  pointer: 'absolute' | 'relative';
  clipboard: Possible;
  files: Possible;
  audio: Possible;
  /** Setting the guest's own volume. */
  guestVolume: Possible;
  /** Changing how the guest's desktop looks. */
  desktopLook: Possible;
};

/** A pointer's button as PC hardware numbers them; `up` and `down` are one notch of the wheel. */
export type PointerButton = 'left' | 'middle' | 'right' | 'side' | 'extra' | 'up' | 'down';

/** Which of the lock keys are on. */
export type ConsoleLocks = { scroll: boolean; num: boolean; caps: boolean };

export type ConsoleInput =
  /** One key of a PC keyboard, as bytes of scan code set 1: [0x1e] is A, [0xe0, 0x1d] the right Ctrl. */
  | { kind: 'key'; scancode: readonly number[]; down: boolean }
  /** The lock keys as the host's keyboard shows them. */
  | ({ kind: 'locks' } & ConsoleLocks)
  /** `display`: of a guest with several display channels the one whose picture is meant, else the first. */
  | { kind: 'position'; xPx: number; yPx: number; display?: number }
  | { kind: 'motion'; dxPx: number; dyPx: number }
  | { kind: 'button'; button: PointerButton; down: boolean };

/** What the guest's pointer looks like. `default`: the guest says nothing, the host's own arrow is shown. */
export type ConsoleCursor =
  | { kind: 'default' }
  | { kind: 'hidden' }
  | { kind: 'shape'; widthPx: number; heightPx: number; hotXPx: number; hotYPx: number; rgba: Uint8ClampedArray<ArrayBuffer> };

export type ConsoleStats = {
  /** Pictures drawn in the last second: several drawings within a sixtieth of it count as one. */
  framesPerSecond: number;
  bytesInPerSecond: number;
  bytesOutPerSecond: number;
  /**
   * From sending pointer movements until the server acknowledged them, the newest such measurement in milliseconds. Null until the
   * pointer has moved: a SPICE client can measure a round trip in no other way.
   */
  latencyMs: number | null;
};

export const noStats: ConsoleStats = { framesPerSecond: 0, bytesInPerSecond: 0, bytesOutPerSecond: 0, latencyMs: null };

/** How a guest's sound card stands. */
export type GuestSound = {
  playing: boolean;
  /** What the guest itself has set, 0 to 1, and whether it is silenced there. */
  volume: number;
  muted: boolean;
};

/**
 * How this computer's microphone stands to a guest. `idle`: the guest may hear it and does not record. `wanted`: the guest records and may not
 * hear it.
 */
export type MicrophoneState = 'off' | 'wanted' | 'idle' | 'heard' | 'missing' | 'refused';

/** How loud this computer plays what a guest plays, 0 to 1. */
export type SoundChoice = { volume: number; muted: boolean };
/** What the guest's own mixer is to be set to, 0 to 1; null leaves its volume as it is. */
export type MixerChoice = { volume: number | null; muted: boolean };

/** How a guest's desktop is to look. */
export type DesktopLook = {
  wallpaper: boolean;
  animations: boolean;
  fontSmoothing: boolean;
  /** Bits a pixel; null leaves it as the guest has it. */
  depth: 16 | 24 | 32 | null;
};

export const ownLook: DesktopLook = { wallpaper: true, animations: true, fontSmoothing: true, depth: null };

/** What a connection is made of and how it fares, for whoever wonders why it is slow. */
export type ConsoleDetails = {
  /** Names of the channels that are open, as the protocol calls them. */
  channels: readonly string[];
  /** What the pictures that came were packed with, since the connection stands; those packed with nothing are `bitmap`. */
  pictures: readonly { packing: string; count: number; bytes: number }[];
  /** The codecs of the videos that are played now, each once. */
  videos: readonly string[];
  /** Pictures of videos that came too late to be seen, since the connection stands. */
  droppedFrames: number;
  /** Memory of screens, kept pictures and dictionaries. */
  memoryBytes: number;
  /** Share of the last second that went into unpacking and drawing what came. */
  busy: number;
  /** What the guest's agent says that it can do, in the protocol's names; null while there is none. */
  agentCapabilities: readonly string[] | null;
};

export type ConsoleEvent =
  | { kind: 'state'; state: ConsoleState }
  | { kind: 'capabilities'; capabilities: ConsoleCapabilities }
  /** `display`: the display channel over whose picture that is so; over all without one. */
  | { kind: 'cursor'; cursor: ConsoleCursor; display?: number }
  /** The guest has moved to another server, and this connection with it. */
  | { kind: 'moved' }
  /** Where the guest has put its pointer, of guests that take movements. */
  | { kind: 'cursorMoved'; xPx: number; yPx: number; display?: number }
  | { kind: 'sound'; sound: GuestSound }
  | { kind: 'microphone'; microphone: MicrophoneState }
  /** Whether a program in the guest shows the folders that it shares. */
  | { kind: 'folders'; used: boolean }
  /** What the guest's lock keys show. */
  | { kind: 'locks'; locks: ConsoleLocks }
  /** How far a file is that was sent. */
  | { kind: 'file'; id: number; progress: FileProgress }
  /** Monitors came, went, or have another size or place. */
  | { kind: 'heads'; heads: readonly ConsoleHead[] }
  | { kind: 'stats'; stats: ConsoleStats }
  /** Once a second, after the figures. Protocols that know nothing of the kind say nothing. */
  | { kind: 'details'; details: ConsoleDetails };

/**
 * One connection to a guest's screen, keyboard and pointer.
 *
 * INVARIANT: after `closed` nothing is sent, drawn or reported any more (`console.test.ts`, tests/e2e/console.test.ts).
 */
export interface Console {
  /** "SPICE", as the status strip shows it. */
  readonly protocol: string;
  /** Where the guest's first monitor is drawn, one canvas pixel for each of its pixels. */
  readonly canvas: HTMLCanvasElement;
  readonly state: ConsoleState;
  readonly capabilities: ConsoleCapabilities;
  connect(): void;
  /** The guest's monitors in the order of their ids; empty before they are known. */
  readonly heads: readonly ConsoleHead[];
  /** Asks the guest to take on this size, on its first monitor or on that one. */
  resize(size: PixelSize, head?: number): void;
  /** Asks the guest for so many monitors, where `places` says in its pixels; side by side without them. By the ids of the heads. */
  setMonitors(count: number, places?: readonly MonitorPlace[]): void;
  /** Whether anybody can see that monitor: one that nobody sees is drawn now and then only. */
  setSeen(seen: boolean, head?: number): void;
  /**
   * Draws that monitor on another canvas as well, made smaller, and no longer on the one that was given before. Of a protocol that cannot, the canvas
   * stays empty, and what lies under it is seen.
   */
  shrinkOnto(canvas: HTMLCanvasElement, head?: number): void;
  /** How small somebody sees that monitor, in physical pixels; null while it is not smaller than it is. */
  setShownSize(size: PixelSize | null, head?: number): void;
  input(input: ConsoleInput): void;
  /** When somebody last typed or pointed there, as `performance.now()` says it; negative infinity for never. */
  readonly usedAt: number;
  /** Takes effect at once, also on what the guest plays later. */
  setSound(choice: SoundChoice): void;
  /** Gives what the guest plays, as loud as the guest has it, to a node of the page's sound output as well, until the answer is called. */
  connectSound(to: AudioNode): () => void;
  /** Sets what the guest itself has set: what it makes of that comes back as its sound. */
  setGuestVolume(choice: MixerChoice): void;
  /** Holds for this guest's agents until something else is said. */
  setDesktopLook(look: DesktopLook): void;
  /** Whether the guest may hear this computer's microphone: not before this was called, and only while it records. */
  setMicrophone(allowed: boolean): void;
  /** Which way what is copied goes, and whether somebody uses this console. Nothing goes before this is said. */
  setClipboard(policy: ClipboardPolicy, inUse: boolean): void;
  /** This computer's clipboard has something new, of these kinds; none when there is nothing that can be given. */
  offerCopied(selection: Selection, kinds: readonly CopiedKind[]): void;
  /** Whether files go to the guest. None does before this is said; those on their way stop. */
  setFiles(policy: FilesPolicy): void;
  /** Sends a file after those before it. */
  sendFile(file: FileToSend): void;
  cancelFile(id: number): void;
  /** Ends the connection; idempotent. */
  close(): void;
  /** Returns how to stop listening. */
  listen(listener: (event: ConsoleEvent) => void): () => void;
}

/** The one writer of a console's state; protocols hold it and never write the state themselves. */
export class ConsoleLifecycle {
  #state: ConsoleState = { phase: 'idle' };
  readonly #listeners = new Set<(event: ConsoleEvent) => void>();

  get state(): ConsoleState {
    return this.#state;
  }

  /** Whether the change was made: closed is final, and nothing returns to an earlier phase. */
  advance(next: ConsoleState): boolean {
    const order = { idle: 0, connecting: 1, connected: 2, closed: 3 } as const;
    const now = this.#state;
    if (now.phase === 'closed' || order[next.phase] < order[now.phase]) return false;
    // A connected console may change its size; every other phase is entered once.
    if (now.phase === next.phase && next.phase !== 'connected') return false;
    this.#state = next;
    this.emit({ kind: 'state', state: next }, true);
    if (next.phase === 'closed') this.#listeners.clear();
    return true;
  }

  /** Tells the listeners; nothing but the closing itself is told of a closed console. */
  emit(event: ConsoleEvent, closing = false): void {
    if (this.#state.phase === 'closed' && !closing) return;
    for (const listener of [...this.#listeners]) listener(event);
  }

  listen(listener: (event: ConsoleEvent) => void): () => void {
    if (this.#state.phase === 'closed') return () => undefined;
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
