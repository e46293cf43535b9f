/**
 * What the window can ask of the shell (Electron's main process) beside the engine's calls, and what the preload
 * exposes as `window.guesthouse`.
 */
import { z } from 'zod';
import type { CallInput, CallName, CallOutput } from './calls.ts';
import type { Result } from './errors.ts';
import type { ClientMessage, ServerMessage } from './events.ts';
import { guestKeyboard } from './guest-keyboard.ts';
import { type GuestId, guestId } from './ids.ts';

/**
 * Which byte stream a console wants. `spice` is opened once per SPICE channel; `moved` is the QEMU that the guest was moved to, of which the engine
 * knows where it is; `arriving` says that the guest is still on its way there. `folders` leads to what
 * the guest shares. A page names no socket, and neither does a guest's server.
 */
export const consoleTarget = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('spice'),
    guest: guestId,
    place: z.enum(['home', 'moved']).optional(),
    arriving: z.boolean().optional(),
  }),
  z.strictObject({ kind: z.literal('serial'), guest: guestId }),
  z.strictObject({ kind: z.literal('folders'), guest: guestId }),
  z.strictObject({
    kind: z.literal('ssh'),
    guest: guestId,
    user: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/),
    columns: z.number().int().min(2).max(1000),
    rows: z.number().int().min(1).max(1000),
  }),
]);
export type ConsoleTarget = z.infer<typeof consoleTarget>;

/**
 * What travels over a console's MessagePort. Data are `Uint8Array`s, transferred. `credit` returns bytes that were
 * consumed, in both directions, so that a slow window slows the guest's server and not the memory, and a slow server
 * slows a paste and not the memory. After `closed` nothing follows.
 */
export type ConsoleToPage =
  | { type: 'open' }
  | { type: 'data'; bytes: Uint8Array }
  | { type: 'credit'; bytes: number }
  | { type: 'closed'; reason: string; clean: boolean };
export type ConsoleFromPage =
  | { type: 'data'; bytes: Uint8Array }
  | { type: 'credit'; bytes: number }
  | { type: 'resize'; columns: number; rows: number }
  | { type: 'close' };

/**
 * A monitor's own window, which the page that has its connection opens with `window.open('about:blank', headWindowName(…))`: it is of the same
 * process, so that what is drawn there is not copied. The shell opens windows of no other name.
 */
export type HeadWindow = { guest: GuestId; head: number };

/** As many as a guest's display device may have. */
const headWindow = z.strictObject({ guest: guestId, head: z.number().int().min(0).max(15) });

export function headWindowName({ guest, head }: HeadWindow): string {
  return `head-${guest}-${head}`;
}

/** Null for any other name. */
export function parseHeadWindowName(name: string): HeadWindow | null {
  const [, guest, head] = /^head-([^-]+)-(\d{1,2})$/.exec(name) ?? [];
  const parsed = headWindow.safeParse({ guest, head: Number(head) });
  return parsed.success ? parsed.data : null;
}

/** One of this computer's displays. */
export type PhysicalDisplay = {
  /** Stays as it is while the display is plugged in, and mostly when it is plugged in again. */
  id: string;
  /** What the system calls it; may be empty. */
  label: string;
  /** Where it stands in the desktop, and how large it is, in the desktop's own units. */
  x: number;
  y: number;
  width: number;
  height: number;
  /** Physical pixels for each of those units. */
  scale: number;
};

/** Bytes that may be on the way, in each direction, before the receiver gives credit. A page that exceeds it is cut off. */
export const consoleWindowBytes = 4 * 1024 * 1024;
/** The shell gives credit when so much was written: of less, a page cannot know whether it was. */
export const writtenPortionBytes = 16 * 1024;

/** `primary` is what X11 pastes with the middle button; other desktops have none. */
const selection = z.enum(['clipboard', 'primary']);
const copiedKind = z.enum(['text', 'png']);
/** What is copied, as it travels between this computer and a guest: plain text or a PNG, and nothing else. */
const copied = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string().max(64 * 1024 * 1024) }),
  z.strictObject({ kind: z.literal('png'), png: z.instanceof(Uint8Array) }),
]);
/** `stamp` changes with what is copied, and tells nothing of it. */
const copiedKinds = z.strictObject({ stamp: z.string(), kinds: z.array(copiedKind) });

/** A second of a recording comes to far less. */
const largestRecordedPieceBytes = 64 * 1024 * 1024;

/** Files that are still to get to a guest, in the order in which they go. */
export const unsentFiles = z.strictObject({
  guest: guestId,
  guestName: z.string().max(1000),
  /** The first of them, as they were dropped or chosen: "Photos/2024/a.jpg". */
  files: z.array(z.string().max(4096)).max(20),
  count: z.number().int().min(0),
});
export type UnsentFiles = z.infer<typeof unsentFiles>;

export const shellCalls = {
  /** A dialog to choose an ISO, a disk image or a machine of another product; null when it was dismissed. */
  'shell.chooseMedium': { input: z.strictObject({ kind: z.enum(['iso', 'disk', 'any', 'machine']) }), output: z.string().nullable() },
  /** A dialog to choose where an export goes; null when it was dismissed. Nothing is written. */
  'shell.chooseExport': { input: z.strictObject({ suggestedName: z.string().max(200) }), output: z.string().nullable() },
  /** A dialog to choose where a PNG goes, then writes it; null when it was dismissed. */
  'shell.savePng': {
    input: z.strictObject({ suggestedName: z.string().max(200), png: z.instanceof(Uint8Array) }),
    output: z.string().nullable(),
  },
  /** A dialog to choose where a recording goes, then begins it: what names it to the calls below; null when it was dismissed. */
  'shell.beginRecording': { input: z.strictObject({ suggestedName: z.string().max(200) }), output: z.string().nullable() },
  /** Adds the next bytes of its WebM. */
  'shell.addToRecording': {
    input: z.strictObject({
      recording: z.string().max(40),
      bytes: z.instanceof(Uint8Array).refine((bytes) => bytes.byteLength <= largestRecordedPieceBytes, 'too much at once'),
    }),
    output: z.null(),
  },
  /** Its path; null when nothing was added. The recordings of a page that is gone are finished by themselves. */
  'shell.finishRecording': { input: z.strictObject({ recording: z.string().max(40) }), output: z.string().nullable() },
  'shell.copyPng': { input: z.strictObject({ png: z.instanceof(Uint8Array) }), output: z.null() },
  'shell.copyText': { input: z.strictObject({ text: z.string().max(1_000_000) }), output: z.null() },
  /** The text on the clipboard, to be typed into a guest; empty when there is none. Read only when somebody asks for it. */
  'shell.readText': { input: z.strictObject({}), output: z.string() },
  /** Of which kinds the things on the clipboard and in the primary selection are; null for a selection that this desktop does not have. */
  'shell.copiedKinds': {
    input: z.strictObject({}),
    output: z.strictObject({ clipboard: copiedKinds, primary: copiedKinds.nullable() }),
  },
  /** What a guest asks for when somebody pastes in it; null when there is nothing of that kind. */
  'shell.readCopied': { input: z.strictObject({ selection, kind: copiedKind }), output: copied.nullable() },
  /** Puts there what a guest copied, and says the stamp that it has then. */
  'shell.writeCopied': { input: z.strictObject({ selection, copied }), output: z.string() },
  'shell.showFile': { input: z.strictObject({ path: z.string() }), output: z.null() },
  /** Opens the console of a guest in a window of its own, or brings that window to the front. */
  'shell.detachConsole': { input: z.strictObject({ guest: guestId }), output: z.null() },
  /** Brings the console back into the main window and closes its own. */
  'shell.attachConsole': { input: z.strictObject({ guest: guestId }), output: z.null() },
  /**
   * Of the window that asks, or of that monitor's window, which it has opened; on that display, or where the window is. One that was brought to
   * another display goes back to its place when it leaves.
   */
  'shell.setFullScreen': {
    input: z.strictObject({
      on: z.boolean(),
      window: headWindow.nullable().default(null),
      display: z.string().max(40).nullable().default(null),
    }),
    output: z.null(),
  },
  /** While a console grabs the keyboard the menu's shortcuts are off, but for `localKeys`. */
  'shell.setKeyboardGrab': {
    input: z.strictObject({ on: z.boolean(), localKeys: guestKeyboard.shape.localKeys, window: headWindow.nullable().default(null) }),
    output: z.null(),
  },
  /**
   * Whether this window may open the microphone for a guest; the answer says whether it may now. Turning it on asks the user, once for each
   * guest until the app ends.
   */
  'shell.setMicrophone': { input: z.strictObject({ guest: guestId, on: z.boolean() }), output: z.boolean() },
  /** What this window still has to send to a guest; a count of 0 ends it. Closing asks about it, and what a crash or a kill leaves of it is told. */
  'shell.setSendingFiles': { input: unsentFiles, output: z.null() },
  /** The answer to the quit dialog; `cancel` also stops waiting after another answer. */
  'shell.quit': {
    input: z.strictObject({ guests: z.enum(['keep-running', 'suspend', 'shutdown', 'cancel']), remember: z.boolean() }),
    output: z.null(),
  },
  'shell.restartEngine': { input: z.strictObject({}), output: z.null() },
  'shell.openLogs': { input: z.strictObject({}), output: z.null() },
} as const satisfies Record<`shell.${string}`, { input: z.ZodType; output: z.ZodType }>;

export type ShellCallName = keyof typeof shellCalls;
export type ShellCallInput<Name extends ShellCallName> = z.input<(typeof shellCalls)[Name]['input']>;
/** The input after parsing, as a handler receives it. */
export type ShellCallParsed<Name extends ShellCallName> = z.output<(typeof shellCalls)[Name]['input']>;
export type ShellCallOutput<Name extends ShellCallName> = z.output<(typeof shellCalls)[Name]['output']>;

export function isShellCallName(name: string): name is ShellCallName {
  return Object.hasOwn(shellCalls, name);
}

/** Where the engine stands, as the shell sees it. */
export type EngineConnection =
  | { state: 'starting' }
  | { state: 'connected' }
  | { state: 'lost'; text: string; retryInMs: number }
  | { state: 'failed'; text: string; hint: string | null; code: string };

export type ShellInfo = {
  version: string;
  platform: 'linux' | 'darwin' | 'win32';
  electronVersion: string;
  /** Set when the runtime is not what users get, with what it is instead. */
  developmentRuntime: string | null;
  /** Which page this window shows: the library, or one guest's console alone. */
  window: { kind: 'main' } | { kind: 'console'; guest: string };
  username: string;
};

/** What main tells the page. */
export type ShellEvent =
  | { type: 'engine'; connection: EngineConnection }
  | { type: 'navigate'; path: string }
  /** A menu item or shortcut that the page carries out: "palette", "new", "find". */
  | { type: 'command'; command: string }
  /** Names of the guests that run: what shall become of them? Answered by `shell.quit`. */
  | { type: 'askQuit'; running: string[] }
  /** The app ends once these guests are off or suspended; null when it was called off. `failed` says why it will not end by itself. */
  | { type: 'quitting'; progress: { guests: 'suspend' | 'shutdown'; waitingFor: string[]; failed: string | null } | null }
  /** A file was opened, or a link followed, that Guesthouse cannot use: what and why, for a message in the window. */
  | { type: 'notice'; text: string; hint: string | null }
  /**
   * A recording ended without its page; `cutOff`: by a crash, of this app or of the one before. `problem`: why it could not be made whole and has the
   * name that it had while it grew.
   */
  | { type: 'recordingKept'; path: string; cutOff: boolean; problem: string | null }
  /** These files did not get to their guest, since the app ended before, or since the page that was sending them did. */
  | { type: 'filesNotSent'; unsent: UnsentFiles; cause: 'app' | 'window' }
  | { type: 'displays'; displays: PhysicalDisplay[] }
  /** Of the page's own window, or of a monitor's that it has opened. */
  | { type: 'fullScreen'; on: boolean; window?: HeadWindow };

/** `window.guesthouse`: all that a page has beyond the web. */
export type GuesthouseBridge = {
  info: ShellInfo;
  call<Name extends CallName>(name: Name, input: CallInput<Name>): Promise<Result<CallOutput<Name>>>;
  shell<Name extends ShellCallName>(name: Name, input: ShellCallInput<Name>): Promise<Result<ShellCallOutput<Name>>>;
  /** The engine's events; the first message is a snapshot, and so is the first after every reconnection. Returns how to stop. */
  subscribe(listener: (message: ServerMessage) => void): () => void;
  watch(message: ClientMessage): void;
  onShellEvent(listener: (event: ShellEvent) => void): () => void;
  /** Opens a byte stream. The port arrives by `window.postMessage` as `{type:'guesthouse-console', token}` with one port. */
  openConsole(target: ConsoleTarget, token: string): Promise<Result<null>>;
  /** The path of a `File` that was dropped on the page; empty when it has none. */
  pathOfFile(file: object): string;
};
