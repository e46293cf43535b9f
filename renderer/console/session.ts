/**
 * Keeps a page connected to one guest's console for as long as it wants to be: makes a new `Console` after each that ended, when there is
 * something to connect to, and keeps the last picture of the one before.
 */
import {
  type Console,
  type ConsoleCapabilities,
  type ConsoleEnd,
  type ConsoleEvent,
  type ConsoleHead,
  type ConsoleStats,
  type GuestSound,
  type MicrophoneState,
  noStats,
  type PixelSize,
} from './console.ts';
import { type Clock, Reconnect, systemClock } from './reconnect.ts';
import { steadyStats } from './steady-stats.ts';

export type SessionView = {
  /** `waiting`: there is nothing to connect to, or nobody wants it. `retrying`: an attempt is planned. */
  phase: 'waiting' | 'connecting' | 'connected' | 'retrying';
  console: Console | null;
  size: PixelSize | null;
  /** Why the last connection ended, until the next one stands. */
  end: ConsoleEnd | null;
  /** The live console shows the guest in another QEMU than that which the engine watches. */
  moved: boolean;
  /** The last picture, while there is no live one. */
  frame: HTMLCanvasElement | null;
  /** The guest's monitors, once they are known; while there is no live console, with their last pictures. */
  heads: readonly ConsoleHead[];
  capabilities: ConsoleCapabilities | null;
  /** Of the live console's guest; null as long as it has no sound card. */
  sound: GuestSound | null;
  microphone: MicrophoneState;
  /** Whether a program in the guest shows the folders that it shares. */
  foldersUsed: boolean;
};

/** What is so while there is no connection. */
const unconnected = {
  console: null,
  moved: false,
  capabilities: null,
  sound: null,
  microphone: 'off',
  foldersUsed: false,
} satisfies Partial<SessionView>;

const nothing: SessionView = { ...unconnected, phase: 'waiting', size: null, end: null, frame: null, heads: [] };

export class ConsoleSession {
  readonly #make: () => Console;
  readonly #reconnect: Reconnect;
  readonly #listeners = new Set<() => void>();
  readonly #statsListeners = new Set<() => void>();
  #stats = noStats;
  #view = nothing;
  #wanted = false;
  #over = false;
  #movedAway = false;
  #stopListening = () => {};

  /** `make` gives a console that has not been connected yet. */
  constructor(make: () => Console, clock: Clock = systemClock) {
    this.#make = make;
    this.#reconnect = new Reconnect(clock, () => this.#connect());
  }

  get view(): SessionView {
    return this.#view;
  }

  /** How long until the next attempt, or null. */
  get retryInMs(): number | null {
    return this.#reconnect.dueInMs;
  }

  /** For React's `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly getView = (): SessionView => this.#view;

  /** The figures of the live console as they are shown. Apart from the view, as they change every second and concern few. */
  readonly subscribeToStats = (listener: () => void): (() => void) => {
    this.#statsListeners.add(listener);
    return () => this.#statsListeners.delete(listener);
  };
  readonly getStats = (): ConsoleStats => this.#stats;

  /** Whether there should be a connection: the guest runs, and this window is the one that shows it. */
  setWanted(wanted: boolean): void {
    if (this.#over || wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) {
      this.#reconnect.hurry();
      return;
    }
    this.#reconnect.stop();
    this.#drop();
    this.#set({ phase: 'waiting', end: null });
  }

  /** Whether the guest is in another QEMU now: what is connected from here on is connected to that one. */
  setMovedAway(movedAway: boolean): void {
    this.#movedAway = movedAway;
  }

  /** Does not wait for the planned attempt. */
  retryNow(): void {
    if (this.#wanted && this.#view.phase === 'retrying') this.#reconnect.hurry();
  }

  /** Lets go of the live console and connects anew, at once: there is another place to connect to. */
  connectAnew(): void {
    if (!this.#wanted) return;
    this.#drop();
    this.#reconnect.hurry();
  }

  /** Ends the session for good. */
  close(): void {
    this.#over = true;
    this.#wanted = false;
    this.#reconnect.stop();
    this.#drop();
    this.#listeners.clear();
    this.#statsListeners.clear();
  }

  #connect(): void {
    if (!this.#wanted || this.#view.console) return;
    const next = this.#make();
    this.#stopListening = next.listen((event) => this.#hear(next, event));
    this.#set({ phase: 'connecting', console: next, capabilities: next.capabilities, moved: this.#movedAway });
    next.connect();
  }

  #hear(from: Console, event: ConsoleEvent): void {
    if (from !== this.#view.console) return;
    switch (event.kind) {
      case 'state':
        if (event.state.phase === 'connected') {
          if (this.#view.phase !== 'connected') this.#reconnect.connected();
          this.#set({ phase: 'connected', size: event.state.size, frame: null, heads: from.heads, end: null });
        } else if (event.state.phase === 'closed') {
          this.#keepFrame();
          this.#reconnect.lost();
          this.#set({
            phase: 'retrying',
            ...unconnected,
            end: event.state.end,
          });
          this.#setStats(noStats);
        }
        break;
      case 'capabilities':
        this.#set({ capabilities: event.capabilities });
        break;
      case 'heads':
        // Until there is a picture of them, those before are what there is to see.
        if (this.#view.phase === 'connected') this.#set({ heads: event.heads });
        break;
      case 'moved':
        this.#set({ moved: true });
        break;
      case 'sound':
        this.#set({ sound: event.sound });
        break;
      case 'microphone':
        this.#set({ microphone: event.microphone });
        break;
      case 'folders':
        this.#set({ foldersUsed: event.used });
        break;
      case 'stats':
        this.#setStats(steadyStats(this.#stats, event.stats));
        break;
      case 'cursor':
      case 'cursorMoved':
      case 'locks':
      case 'file':
      case 'details':
        break;
    }
  }

  /** Lets go of the live console, keeping what it showed. */
  #drop(): void {
    const live = this.#view.console;
    if (!live) return;
    this.#keepFrame();
    this.#stopListening();
    live.close();
    this.#set(unconnected);
    this.#setStats(noStats);
  }

  #setStats(stats: ConsoleStats): void {
    if (stats === this.#stats) return;
    this.#stats = stats;
    for (const listener of [...this.#statsListeners]) listener();
  }

  #keepFrame(): void {
    const { console: live, phase } = this.#view;
    if (!live || phase !== 'connected') return;
    const frame = copyCanvas(live.canvas);
    const heads = this.#view.heads.map((head) => ({ ...head, canvas: head.id === 0 ? frame : copyCanvas(head.canvas) }));
    this.#view = { ...this.#view, frame, heads };
  }

  #set(change: Partial<SessionView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A copy that stays when the canvas is gone. */
export function copyCanvas(canvas: HTMLCanvasElement): HTMLCanvasElement {
  const copy = document.createElement('canvas');
  copy.width = canvas.width;
  copy.height = canvas.height;
  if (canvas.width > 0 && canvas.height > 0) copy.getContext('2d', { alpha: false })?.drawImage(canvas, 0, 0);
  return copy;
}

/** What a canvas shows, as PNG in the guest's own pixels. */
export async function pngOf(canvas: HTMLCanvasElement): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  copy.getContext('2d', { alpha: false })?.drawImage(canvas, 0, 0);
  return new Uint8Array(await (await copy.convertToBlob({ type: 'image/png' })).arrayBuffer());
}
