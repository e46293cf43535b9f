/**
 * Turns the keys of a page into the keys of a guest: which are down, what must be let go when the focus leaves, and the combination that
 * gives the keyboard back.
 */
import { combinationOf } from '../../../contract/guest-keyboard.ts';
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

function afterTimeout(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export type KeyboardOptions = {
  platform: 'linux' | 'darwin' | 'win32';
  send(input: ConsoleInput): void;
  /** Ctrl and Alt were pressed together and let go with no other key between. */
  release(): void;
  /** Runs later, unless what it returns is called before. */
  after?(ms: number, run: () => void): () => void;
};

/** Windows says the Ctrl of AltGr and its Alt at one instant, in two events; a hand takes longer. */
const altGraphMs = 15;

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
  /** On Windows, a Ctrl that may yet turn out to be part of AltGr: the guest has not seen it. */
  #heldBack: { at: number; forget: () => void } | null = null;

  #localKeys: ReadonlySet<string> = new Set();
  /** Keys of such combinations that are held. */
  readonly #kept = new Set<string>();

  constructor(options: KeyboardOptions) {
    this.#options = options;
  }

  get pressed(): readonly string[] {
    return [...this.#down.keys()];
  }

  /** Combinations that stay with this computer, as `contract/guest-keyboard.ts` writes them. */
  setLocalKeys(combinations: readonly string[]): void {
    this.#localKeys = new Set(combinations);
  }

  /** Whether the key was the guest's; else it is the page's. */
  keyDown(event: KeyEvent): boolean {
    this.#settleControl(event);
    if (this.#kept.has(event.code) || this.#localKeys.has(combinationOf(event))) {
      // The guest has seen the modifiers of what is not for it.
      this.releaseAll();
      this.#kept.add(event.code);
      return false;
    }
    this.#reconcile(event);
    this.#sendLocks(event);
    if (this.#options.platform === 'win32' && event.code === 'ControlLeft' && !this.#down.has('ControlLeft')) {
      this.#holdBack(event.timeStamp);
      return true;
    }
    this.#press(event.code);
    return true;
  }

  #press(code: string): void {
    const scancode = scancodeOf(code);
    if (!scancode) return;
    // macOS reports a lock key once when it goes on and once when it goes off; the guest wants a whole keystroke for each.
    if (this.#options.platform === 'darwin' && code === 'CapsLock') {
      this.#stroke(scancode);
      return;
    }
    if (hasNoRelease(scancode)) {
      this.#options.send({ kind: 'key', scancode, down: true });
      return;
    }
    this.#down.set(code, scancode);
    // A key that is held repeats, as it does on a real keyboard.
    this.#options.send({ kind: 'key', scancode, down: true });
    const ctrlAlt = this.#holds('ctrl') && this.#holds('alt');
    this.#releaseArmed = ctrlAlt && [...this.#down.keys()].every((held) => isOf('ctrl', held) || isOf('alt', held));
  }

  keyUp(event: KeyEvent): boolean {
    this.#settleControl(event);
    if (this.#kept.delete(event.code)) return false;
    // Windows keeps the press of this key for itself and tells of its release alone.
    if (this.#options.platform === 'win32' && event.code === 'PrintScreen' && !this.#down.has('PrintScreen')) this.#press('PrintScreen');
    if (this.#options.platform === 'darwin' && event.code === 'CapsLock') {
      const scancode = scancodeOf('CapsLock');
      if (scancode) this.#stroke(scancode);
      return true;
    }
    this.#up(event.code);
    // macOS says nothing of keys that are let go while Command is held.
    if (this.#options.platform === 'darwin' && isOf('meta', event.code)) this.releaseAll();
    this.#reconcile(event);
    if (!this.#releaseArmed || !modifierCodes.has(event.code)) return true;
    this.#releaseArmed = false;
    this.releaseAll();
    this.#options.release();
    return true;
  }

  /** Lets go of every key: the focus left, or the window did. */
  releaseAll(): void {
    this.#releaseArmed = false;
    this.#kept.clear();
    // What the guest has not seen need not be let go.
    this.#heldBack?.forget();
    this.#heldBack = null;
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

  #holdBack(at: number): void {
    this.#heldBack?.forget();
    const later = this.#options.after ?? afterTimeout;
    const forget = later(altGraphMs, () => {
      this.#heldBack = null;
      this.#press('ControlLeft');
    });
    this.#heldBack = { at, forget };
  }

  /** The Ctrl that comes with AltGr is nobody's and is dropped; every other goes to the guest before what comes after it. */
  #settleControl(event: KeyEvent): void {
    if (!this.#heldBack) return;
    const { at, forget } = this.#heldBack;
    forget();
    this.#heldBack = null;
    if (event.code !== 'AltRight' || event.timeStamp - at >= altGraphMs) this.#press('ControlLeft');
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
