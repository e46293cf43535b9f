/** The inputs channel: keys, lock keys, buttons and the pointer, no more of them than the server keeps up with. */
import type { ConsoleInput, ConsoleLocks, PointerButton } from '../../console.ts';
import { buildMessage } from '../protocol/build-message.ts';
import { inputsMessage, inputsRequest, motionAckBunch } from '../protocol/constants.ts';
import type { Reader } from '../protocol/reader.ts';
import type { Channel, ChannelHandler } from './channel.ts';
import { KeyPacing, type KeyPacingOptions } from './key-pacing.ts';

type Motion = Extract<ConsoleInput, { kind: 'position' | 'motion' }>;

/** SPICE_MOUSE_BUTTON_* */
const buttonNumber: Record<PointerButton, number> = { left: 1, middle: 2, right: 3, up: 4, down: 5, side: 6, extra: 7 };
/** SPICE_MOUSE_BUTTON_MASK_*: the wheel's notches are never held. */
const buttonMask: Record<PointerButton, number> = { left: 1, middle: 2, right: 4, up: 0, down: 0, side: 32, extra: 64 };
/** SPICE_KEYBOARD_MODIFIER_FLAGS_* */
const lockMask = { scroll: 1, num: 2, caps: 4 } as const;

/** Movements are held back, and joined, while so many are not acknowledged. */
const maxUnacknowledged = 2 * motionAckBunch;
/** How long a guest that moves may stand still. */
const standstillMs = 5000;
/** As many keys as anybody lets go in that time. An emulated PS/2 keyboard holds sixteen bytes: what comes beside more than these would be lost. */
const mostSaidAgain = 4;
/** Scancodes of both Ctrl, Shift, Alt and Meta keys: those that are held with others. */
const modifiers: ReadonlySet<string> = new Set(
  [[0x1d], [0x2a], [0x36], [0x38], [0xe0, 0x1d], [0xe0, 0x38], [0xe0, 0x5b], [0xe0, 0x5c]].map((code) => code.join(' ')),
);

export type InputsOptions = Pick<KeyPacingOptions, 'now' | 'after' | 'hasRead'> & {
  /** What the guest's lock keys show, at first and whenever that changes. */
  locks(locks: ConsoleLocks): void;
};

export class InputsChannel implements ChannelHandler {
  readonly kind = 'inputs';
  readonly capabilities = 0;
  readonly #now: () => number;
  readonly #locks: (locks: ConsoleLocks) => void;
  readonly #pacing: KeyPacing;
  #channel: Channel | undefined;
  #pointer: 'absolute' | 'relative' = 'relative';
  #held = 0;
  #waiting: Motion | null = null;
  /** Movements, without those that only ask. */
  #unacknowledged = 0;
  #bunch = { messages: 0, movements: 0 };
  /** Those that were complete at a time and are not acknowledged, and whether `KeyPacing` waits for it. */
  #bunches: { completeAt: number; movements: number; asks: boolean }[] = [];
  /** The server seems to have lost some: its next word is about all. */
  #miscounted = false;
  #latencyMs: number | null = null;
  /** Keys and buttons that were let go lately, by name. */
  readonly #released = new Map<string, { at: number; input: ConsoleInput }>();
  readonly #modifiersHeld = new Map<string, readonly number[]>();

  constructor({ now, locks, ...pacing }: InputsOptions) {
    this.#now = now;
    this.#locks = locks;
    this.#pacing = new KeyPacing({ ...pacing, now, send: (input) => this.#sendInput(input), ask: () => this.#ask() });
  }

  /** From sending keys or movements until they were acknowledged, the newest such time; null before there is one. */
  get latencyMs(): number | null {
    return this.#latencyMs;
  }

  opened(channel: Channel): void {
    this.#begin(channel, true);
  }

  moved(channel: Channel): void {
    this.#begin(channel, false);
  }

  /** Whatever the server before was about to acknowledge, the one here counts for itself. */
  #begin(channel: Channel, anew: boolean): void {
    this.#channel = channel;
    this.#bunch = { messages: 0, movements: 0 };
    this.#bunches = [];
    this.#unacknowledged = 0;
    this.#miscounted = false;
    this.#pacing.moved(anew);
    this.#sayAgain();
  }

  /**
   * What came in the instant in which a moving guest stood still its old server threw away. Keys and buttons that were let go then are let go
   * again, so that none is stuck, and keys that are held with others are pressed again: neither is anything to a guest that knows it.
   */
  #sayAgain(): void {
    const released = [...this.#released.values()].slice(-mostSaidAgain);
    this.#released.clear();
    for (const { at, input } of released) if (this.#now() - at < standstillMs) this.input(input);
    for (const scancode of this.#modifiersHeld.values()) this.#pacing.input({ kind: 'key', scancode, down: true });
    this.#sendMotion(false);
  }

  message(type: number, body: Reader): undefined {
    if (type === inputsMessage.INIT || type === inputsMessage.KEY_MODIFIERS) {
      const mask = body.u16();
      this.#locks({ scroll: (mask & lockMask.scroll) !== 0, num: (mask & lockMask.num) !== 0, caps: (mask & lockMask.caps) !== 0 });
      return undefined;
    }
    if (type !== inputsMessage.MOUSE_MOTION_ACK) return undefined;
    const acknowledged = this.#bunches.splice(0, this.#miscounted ? this.#bunches.length : 1);
    this.#miscounted = false;
    for (const { movements } of acknowledged) this.#unacknowledged -= movements;
    const [first] = acknowledged;
    if (first) this.#latencyMs = this.#now() - first.completeAt;
    if (acknowledged.some(({ asks }) => asks)) this.#pacing.answered();
    this.#sendMotion(false);
    return undefined;
  }

  /**
   * The server acknowledges movements, also those that are not for the way in which its guest takes the pointer now and which it passes over: such
   * ones complete the bunch.
   */
  #ask(): void {
    const one = this.#pointer === 'absolute' ? this.#movement(0, 0) : this.#position(0, 0, 0);
    const all = new Uint8Array(one.byteLength * (motionAckBunch - this.#bunch.messages));
    for (let at = 0; at < all.byteLength; at += one.byteLength) all.set(one, at);
    this.#miscounted = this.#bunches.some(({ asks }) => asks);
    if (!this.#channel?.send(all)) return;
    this.#bunch.messages = motionAckBunch;
    this.#completeBunch(true);
  }

  #completeBunch(asks: boolean): void {
    if (this.#bunch.messages < motionAckBunch) return;
    this.#bunches.push({ completeAt: this.#now(), movements: this.#bunch.movements, asks });
    this.#bunch = { messages: 0, movements: 0 };
  }

  /** How the guest takes the pointer from now on. */
  setPointer(pointer: 'absolute' | 'relative'): void {
    this.#pointer = pointer;
    this.#waiting = null;
  }

  /** What is typed before the channel stands is lost, as on a PC that is not on yet. */
  input(input: ConsoleInput): void {
    if (input.kind === 'key') this.#rememberKey(input.scancode.join(' '), input);
    else if (input.kind === 'button') this.#remember(input.button, input);
    if (this.#channel?.ready) this.#pacing.input(input);
    else this.#sendInput(input);
  }

  #sendInput(input: ConsoleInput): void {
    switch (input.kind) {
      case 'key':
        this.#sendKey(input.scancode, input.down);
        break;
      case 'locks': {
        const mask = (input.scroll ? lockMask.scroll : 0) | (input.num ? lockMask.num : 0) | (input.caps ? lockMask.caps : 0);
        this.#send(inputsRequest.KEY_MODIFIERS, 2, (body) => body.setUint16(0, mask, true));
        break;
      }
      case 'button': {
        // The press belongs where the pointer is now, also when the server is behind with acknowledging.
        this.#sendMotion(true);
        const mask = buttonMask[input.button];
        this.#held = input.down ? this.#held | mask : this.#held & ~mask;
        this.#send(input.down ? inputsRequest.MOUSE_PRESS : inputsRequest.MOUSE_RELEASE, 3, (body) => {
          body.setUint8(0, buttonNumber[input.button]);
          body.setUint16(1, this.#held, true);
        });
        break;
      }
      default: {
        const waiting = this.#waiting;
        this.#waiting =
          input.kind === 'motion' && waiting?.kind === 'motion'
            ? { kind: 'motion', dxPx: waiting.dxPx + input.dxPx, dyPx: waiting.dyPx + input.dyPx }
            : input;
        this.#sendMotion(false);
      }
    }
  }

  #rememberKey(name: string, input: Extract<ConsoleInput, { kind: 'key' }>): void {
    this.#remember(`key ${name}`, input);
    if (!input.down) this.#modifiersHeld.delete(name);
    else if (modifiers.has(name)) this.#modifiersHeld.set(name, input.scancode);
  }

  #remember(name: string, input: ConsoleInput & { down: boolean }): void {
    if (input.down || !this.#channel?.ready) this.#released.delete(name);
    else this.#released.set(name, { at: this.#now(), input });
  }

  /**
   * The server passes the bytes of a code on one after the other, the lowest first, until it meets a zero; a release sets the high bit of the
   * last. A sequence of more than three bytes (Pause) is two messages.
   */
  #sendKey(scancode: readonly number[], down: boolean): void {
    const bytes = down ? scancode : scancode.map((byte, index) => (index === scancode.length - 1 ? byte | 0x80 : byte));
    for (let at = 0; at < bytes.length; at += 3) {
      const code = bytes.slice(at, at + 3).reduce((sum, byte, index) => sum | (byte << (8 * index)), 0);
      this.#send(down ? inputsRequest.KEY_DOWN : inputsRequest.KEY_UP, 4, (body) => body.setUint32(0, code, true));
    }
  }

  #sendMotion(always: boolean): void {
    const motion = this.#waiting;
    if (!motion || (motion.kind === 'position') !== (this.#pointer === 'absolute')) return;
    if (!always && this.#unacknowledged >= maxUnacknowledged) return;
    this.#waiting = null;
    const message =
      motion.kind === 'position' ? this.#position(motion.xPx, motion.yPx, motion.display ?? 0) : this.#movement(motion.dxPx, motion.dyPx);
    if (!this.#channel?.send(message)) return;
    this.#unacknowledged++;
    this.#bunch.movements++;
    this.#bunch.messages++;
    this.#completeBunch(false);
  }

  #position(xPx: number, yPx: number, display: number): Uint8Array {
    return buildMessage(inputsRequest.MOUSE_POSITION, 11, (body) => {
      body.setUint32(0, xPx, true);
      body.setUint32(4, yPx, true);
      body.setUint16(8, this.#held, true);
      body.setUint8(10, display);
    });
  }

  #movement(dxPx: number, dyPx: number): Uint8Array {
    return buildMessage(inputsRequest.MOUSE_MOTION, 10, (body) => {
      body.setInt32(0, dxPx, true);
      body.setInt32(4, dyPx, true);
      body.setUint16(8, this.#held, true);
    });
  }

  #send(type: number, bodyBytes: number, write: (body: DataView) => void): void {
    this.#channel?.send(buildMessage(type, bodyBytes, write));
  }
}
