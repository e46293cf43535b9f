/**
 * Turns the keys of a page into the keys of a guest: which are down, what must be let go when the focus leaves, and the combination that
 * gives the keyboard back.
 */
import type { ConsoleInput, ConsoleLocks } from '../console.ts';
import { hasNoRelease, scancodeOf } from './scancodes.ts';

/** The part of a `KeyboardEvent` that matters. */
export type KeyEvent = {
  code: string;
  key: string;
  timeStamp: number;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  getModifierState(key: string): boolean;
};

const modifiers = {
  shift: ['ShiftLeft', 'ShiftRight'],
  ctrl: ['ControlLeft', 'ControlRight'],
  alt: ['AltLeft', 'AltRight'],
  meta: ['MetaLeft', 'MetaRight'],
} as const;
const modifierCodes: ReadonlySet<string> = new Set(Object.values(modifiers).flat());
const isOf = (modifier: keyof typeof modifiers, code: string) => (modifiers[modifier] as readonly string[]).includes(code);
const lockCodes: ReadonlySet<string> = new Set(['CapsLock', 'NumLock', 'ScrollLock']);

export type KeyboardOptions = {
  platform: 'linux' | 'darwin' | 'win32';
  send(input: ConsoleInput): void;
  /** Ctrl and Alt were pressed together and let go with no other key between. */
  release(): void;
};

/**
 * INVARIANT: a key that was pressed in the guest is let go in the guest, whatever happens to the window (`keyboard.test.ts`,
 * tests/e2e/console.test.ts).
 */
export class Keyboard {
  readonly #options: KeyboardOptions;
  readonly #down = new Map<string, readonly number[]>();
  /** Set while Ctrl+Alt is held and nothing else has been pressed since. */
  #releaseArmed = false;
  /** What this keyboard showed, and what the guest's did, when they were last compared. */
  #locksCompared: string | null = null;
  #guestLocks: ConsoleLocks | null = null;
  #ctrlPressedAt = Number.NEGATIVE_INFINITY;

  constructor(options: KeyboardOptions) {
    this.#options = options;
  }

  get pressed(): readonly string[] {
    return [...this.#down.keys()];
  }

  keyDown(event: KeyEvent): void {
    this.#reconcile(event);
    this.#sendLocks(event);
    if (event.code === 'AltRight' && this.#isFakeControl(event)) this.#up('ControlLeft');
    if (event.code === 'ControlLeft') this.#ctrlPressedAt = event.timeStamp;
    const scancode = scancodeOf(event.code);
    if (!scancode) return;
    // macOS reports a lock key once when it goes on and once when it goes off; the guest wants a whole keystroke for each.
    if (this.#options.platform === 'darwin' && event.code === 'CapsLock') {
      this.#stroke(scancode);
      return;
    }
    if (hasNoRelease(scancode)) {
      this.#options.send({ kind: 'key', scancode, down: true });
      return;
    }
    this.#down.set(event.code, scancode);
    // A key that is held repeats, as it does on a real keyboard.
    this.#options.send({ kind: 'key', scancode, down: true });
    const ctrlAlt = this.#holds('ctrl') && this.#holds('alt');
    this.#releaseArmed = ctrlAlt && [...this.#down.keys()].every((code) => isOf('ctrl', code) || isOf('alt', code));
  }

  keyUp(event: KeyEvent): void {
    if (this.#options.platform === 'darwin' && event.code === 'CapsLock') {
      const scancode = scancodeOf('CapsLock');
      if (scancode) this.#stroke(scancode);
      return;
    }
    this.#up(event.code);
    // macOS says nothing of keys that are let go while Command is held.
    if (this.#options.platform === 'darwin' && isOf('meta', event.code)) this.releaseAll();
    this.#reconcile(event);
    if (!this.#releaseArmed || !modifierCodes.has(event.code)) return;
    this.#releaseArmed = false;
    this.releaseAll();
    this.#options.release();
  }

  /** Lets go of every key: the focus left, or the window did. */
  releaseAll(): void {
    this.#releaseArmed = false;
    for (const code of [...this.#down.keys()].reverse()) this.#up(code);
  }

  /** Presses keys together and lets them go in the reverse order: Ctrl+Alt+Delete and the like. */
  chord(codes: readonly string[]): void {
    this.releaseAll();
    const scancodes = codes.map(scancodeOf).filter((scancode) => scancode !== null);
    for (const scancode of scancodes) this.#options.send({ kind: 'key', scancode, down: true });
    for (const scancode of scancodes.toReversed()) if (!hasNoRelease(scancode)) this.#options.send({ kind: 'key', scancode, down: false });
  }

  /** The lock keys are told again at the next key: the guest may have started anew. */
  forgetLocks(): void {
    this.#locksCompared = null;
  }

  /** What the guest's own lock keys show now; null for a guest that has not said. */
  guestLocks(locks: ConsoleLocks | null): void {
    this.#guestLocks = locks;
  }

  /** Makes the guest's lock keys show what this computer's do. For events that are no key. */
  syncLocks(event: Pick<KeyEvent, 'getModifierState'>): void {
    const locks: ConsoleLocks = {
      scroll: event.getModifierState('ScrollLock'),
      num: event.getModifierState('NumLock'),
      caps: event.getModifierState('CapsLock'),
    };
    const guest = this.#guestLocks;
    // The same difference is told once: a guest that does not take it is not pressed again and again.
    const compared = JSON.stringify([locks, guest]);
    if (compared === this.#locksCompared) return;
    this.#locksCompared = compared;
    const equal = guest && guest.scroll === locks.scroll && guest.num === locks.num && guest.caps === locks.caps;
    if (!equal) this.#options.send({ kind: 'locks', ...locks });
  }

  #holds(modifier: keyof typeof modifiers): boolean {
    return modifiers[modifier].some((code) => this.#down.has(code));
  }

  #up(code: string): void {
    const scancode = this.#down.get(code);
    if (!scancode) return;
    this.#down.delete(code);
    this.#options.send({ kind: 'key', scancode, down: false });
  }

  #stroke(scancode: readonly number[]): void {
    this.#options.send({ kind: 'key', scancode, down: true });
    this.#options.send({ kind: 'key', scancode, down: false });
  }

  /** Windows says Ctrl and AltRight at the same instant when AltGr is pressed; the guest must see AltGr alone. */
  #isFakeControl(event: KeyEvent): boolean {
    return this.#options.platform === 'win32' && this.#down.has('ControlLeft') && event.timeStamp - this.#ctrlPressedAt < 2;
  }

  /**
   * Every event says which modifiers are held. One that is held here and not there was let go where this page could not see it; one that is
   * held there and not here was pressed before the console had the focus.
   */
  #reconcile(event: KeyEvent): void {
    if (modifierCodes.has(event.code)) return;
    const altGraph = event.getModifierState('AltGraph');
    const held = { shift: event.shiftKey, ctrl: event.ctrlKey, alt: event.altKey, meta: event.metaKey };
    for (const modifier of ['shift', 'ctrl', 'alt', 'meta'] as const) {
      if (held[modifier] === this.#holds(modifier)) continue;
      // AltGr shows as AltGraph, or as Ctrl and Alt together, and never as what it is.
      if (altGraph && (modifier === 'alt' || modifier === 'ctrl')) continue;
      if (!held[modifier]) {
        for (const code of modifiers[modifier]) this.#up(code);
        continue;
      }
      const code = modifiers[modifier][0];
      const scancode = scancodeOf(code);
      if (!scancode) continue;
      this.#down.set(code, scancode);
      this.#options.send({ kind: 'key', scancode, down: true });
    }
  }

  #sendLocks(event: KeyEvent): void {
    if (lockCodes.has(event.code)) {
      // The key itself tells the guest, and the browser may report the state before or after it.
      this.#locksCompared = null;
      return;
    }
    this.syncLocks(event);
  }
}
