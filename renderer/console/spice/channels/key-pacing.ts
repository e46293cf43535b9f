/**
 * Types no faster than a server hands on. An emulated PS/2 keyboard holds sixteen bytes until its guest reads them, and forgets what comes beside
 * those: all that is typed while a QEMU stands still would reach it in one turn of its main loop, before its guest runs again. So no more goes out
 * than there is room for, until the server says that it came that far, and the guest has read it: so says whoever can look into its keyboard, or
 * else it is taken to have done so a little later.
 *
 * ```
 *   sent, not asked about ─ask─► asked about ─answered─► being read ─hasRead, or some 20 ms─► read
 * ```
 * Knows no I/O and no clock. What comes while nothing is held goes out at once; whoever types by hand never fills the room of a server that answers.
 */
import type { ConsoleInput } from '../../console.ts';
import { hasNoRelease } from '../../keyboard/scancodes.ts';

/**
 * So many bytes may be unread. The others of the sixteen are for what a keyboard answers to its guest, and for releases, which are longer where the
 * guest wants the codes as a keyboard makes them: ten bytes here are five keys, and fifteen bytes there.
 */
export const mostUnreadBytes = 10;
/** An emulated guest reads a byte in a tenth of a millisecond, if it runs. */
const leastReadingMs = 20;
/** The guest of a QEMU that answered late may have to wait for its turn as well. */
const mostReadingMs = 100;
/** A server that has never answered in that time is not going to. */
export const patienceMs = 5_000;
/** Of little that was sent the server is asked a little later, when what it has to say of the key has been seen: a question beside it makes that late. */
const askLaterMs = 40;
/** Half of what may be unread: that is asked about at once. */
const askFromBytes = 5;
/** With so little unread nobody looks into the guest's keyboard: two or three keys. */
const lookFromBytes = 5;
const lookAgainMs = 20;
/** Who looks, and says nothing for so long, has much else to do; nobody waits for that. */
const lookPatienceMs = 250;
const noLookMs = 1_000;
/** Much more than anybody types at a guest that stands still; then keys are lost, but none stays pressed. */
const mostHeld = 512;
/** A server that is told of lock keys presses those that differ, three at most. */
const locksBytes = 6;

export type KeyPacingOptions = {
  now(): number;
  after(ms: number, run: () => void): () => void;
  send(input: ConsoleInput): void;
  /** Has the server say when it has handed on all that was sent: `answered` is called then. A second time, if it does not say so. */
  ask(): void;
  /** Whether the guest has read all that its keyboard got. Null when nobody knows. Settles late where there is much else to do, and never rejects. */
  hasRead?(): Promise<boolean | null>;
};

/** What a server has handed on to its guest, and when the guest has read it if nobody knows better. */
type Reading = { bytes: number; untilMs: number };
/** Since when somebody looks whether that is read. */
type Look = { at: number; reading: ReadonlySet<Reading> };

function bytesOf(input: ConsoleInput): number {
  if (input.kind === 'key') return input.scancode.length;
  return input.kind === 'locks' ? locksBytes : 0;
}

/** INVARIANT: what is typed while a server stands still goes out whole and in order when it goes on (`key-pacing.test.ts`, tests/integration/spice-keys.test.ts). */
export class KeyPacing {
  readonly #options: KeyPacingOptions;
  /** In order; what comes behind a key stays behind it. */
  #held: ConsoleInput[] = [];
  /** Keys and buttons that are down once all has been sent, by name. */
  readonly #down = new Set<string>();
  #unaskedBytes = 0;
  #asked: { at: number; bytes: number } | null = null;
  #reading: Reading[] = [];
  #readingMs = leastReadingMs;
  #answers: 'unknown' | 'yes' | 'no' = 'unknown';
  #stopWaiting = () => {};
  /** Null while nobody is going to ask. */
  #stopAsking: (() => void) | null = null;
  /** Whether what `hasRead` says is relied upon. */
  #trustsLook: boolean;
  #look: Look | null = null;
  #noLookBefore = 0;
  #stopLooking = () => {};

  constructor(options: KeyPacingOptions) {
    this.#options = options;
    this.#trustsLook = options.hasRead !== undefined;
  }

  /** Sends it now, or when there is room and all before it was sent. A key that repeats by itself is not held. */
  input(input: ConsoleInput): void {
    const name = input.kind === 'key' ? `key ${input.scancode.join(' ')}` : input.kind === 'button' ? `button ${input.button}` : null;
    const isDown = name !== null && 'down' in input && input.down;
    const wasDown = name !== null && this.#down.has(name);
    if (this.#held.length === 0 && this.#hasRoomFor(input)) {
      this.#send(input);
      this.#askSoon();
      this.#lookIfDue();
    } else {
      if (isDown && wasDown) return;
      // A release is held whatever there is already, if its press is.
      if (this.#held.length >= mostHeld && !(wasDown && !isDown)) return;
      this.#hold(input);
      this.#askIfDue();
      this.#lookIfDue();
      this.#wait();
    }
    if (name === null) return;
    if (!isDown) this.#down.delete(name);
    else if (input.kind !== 'key' || !hasNoRelease(input.scancode)) this.#down.add(name);
  }

  /** The server has handed on what it was asked about. */
  answered(): void {
    this.#answers = 'yes';
    const asked = this.#asked;
    if (!asked) return;
    this.#asked = null;
    const tookMs = this.#options.now() - asked.at;
    this.#readingMs = Math.max(leastReadingMs, Math.min(mostReadingMs, Math.max(tookMs, this.#readingMs / 2)));
    this.#handedOn(asked.bytes);
    this.#sendHeld();
  }

  /** The guest is served by another server, which has what was sent, or (`anew`) nothing of it. */
  moved(anew: boolean): void {
    this.#answers = 'unknown';
    if (anew) {
      this.#unaskedBytes = 0;
      this.#reading = [];
    } else this.#unaskedBytes += this.#asked?.bytes ?? 0;
    this.#asked = null;
    this.#endLook();
    this.#noLookBefore = 0;
    this.#trustsLook = this.#options.hasRead !== undefined;
    // What is said to it again is not repeated by itself.
    this.#down.clear();
    this.#sendHeld();
  }

  #hold(input: ConsoleInput): void {
    const last = this.#held.at(-1);
    if (input.kind === 'motion' && last?.kind === 'motion')
      this.#held[this.#held.length - 1] = { kind: 'motion', dxPx: last.dxPx + input.dxPx, dyPx: last.dyPx + input.dyPx };
    else if (input.kind === 'position' && last?.kind === 'position') this.#held[this.#held.length - 1] = input;
    else this.#held.push(input);
  }

  #hasRoomFor(input: ConsoleInput): boolean {
    const bytes = bytesOf(input);
    if (bytes === 0) return true;
    const now = this.#options.now();
    if (!this.#trustsLook) this.#reading = this.#reading.filter(({ untilMs }) => untilMs > now);
    const unread = this.#unreadBytes;
    return unread === 0 || unread + bytes <= mostUnreadBytes;
  }

  get #unreadBytes(): number {
    return this.#reading.reduce((sum, one) => sum + one.bytes, this.#unaskedBytes + (this.#asked?.bytes ?? 0));
  }

  #send(input: ConsoleInput): void {
    this.#unaskedBytes += bytesOf(input);
    this.#options.send(input);
  }

  #askSoon(): void {
    if (this.#unreadBytes >= askFromBytes) this.#askIfDue();
    else if (this.#unaskedBytes > 0) this.#stopAsking ??= this.#options.after(askLaterMs, () => this.#askIfDue());
  }

  /** One question at a time: what was sent after it is asked about when it was answered. */
  #askIfDue(): void {
    this.#stopAsking?.();
    this.#stopAsking = null;
    if (this.#unaskedBytes === 0 || this.#asked) return;
    const bytes = this.#unaskedBytes;
    this.#unaskedBytes = 0;
    if (this.#answers === 'no') {
      this.#handedOn(bytes);
      return;
    }
    this.#asked = { at: this.#options.now(), bytes };
    this.#options.ask();
  }

  #handedOn(bytes: number): void {
    this.#reading.push({ bytes, untilMs: this.#options.now() + this.#readingMs });
  }

  #sendHeld(): void {
    let sent = 0;
    for (; sent < this.#held.length; sent++) {
      const next = this.#held[sent] as ConsoleInput;
      if (!this.#hasRoomFor(next)) break;
      this.#send(next);
    }
    this.#held.splice(0, sent);
    if (this.#held.length > 0) this.#askIfDue();
    else this.#askSoon();
    this.#lookIfDue();
    this.#wait();
  }

  /** Somebody looks whether all is read that the guest's keyboard got until now. */
  #lookIfDue(): void {
    const { hasRead } = this.#options;
    if (!hasRead || this.#look || this.#reading.length === 0 || this.#options.now() < this.#noLookBefore) return;
    if (this.#held.length === 0 && this.#unreadBytes < lookFromBytes) return;
    const look: Look = { at: this.#options.now(), reading: new Set(this.#reading) };
    this.#look = look;
    const ask = () => {
      this.#losePatienceWith(look);
      void hasRead().then((read) => {
        if (look !== this.#look) return;
        this.#stopLooking();
        const isWaitedFor = read === false && this.#options.now() - look.at < patienceMs;
        if (isWaitedFor) this.#stopLooking = this.#options.after(lookAgainMs, ask);
        else this.#looked(look, read === true ? true : null);
      });
    };
    ask();
  }

  /** Where the server is silent as well, all of a QEMU stands still. */
  #losePatienceWith(look: Look): void {
    this.#stopLooking = this.#options.after(lookPatienceMs, () => {
      if (this.#asked && this.#options.now() - this.#asked.at >= lookPatienceMs) this.#losePatienceWith(look);
      else this.#looked(look, null);
    });
  }

  /** Without an answer, or of a guest that does not read its keyboard, it is taken to be read as if nobody could look. */
  #looked(look: Look, read: true | null): void {
    this.#endLook();
    this.#trustsLook = read === true;
    if (read) this.#reading = this.#reading.filter((one) => !look.reading.has(one));
    else this.#noLookBefore = this.#options.now() + noLookMs;
    this.#sendHeld();
  }

  #endLook(): void {
    this.#stopLooking();
    this.#stopLooking = () => {};
    this.#look = null;
  }

  #wait(): void {
    this.#stopWaiting();
    this.#stopWaiting = () => {};
    if (this.#held.length === 0) return;
    const now = this.#options.now();
    const [reading] = this.#reading;
    if (reading && this.#trustsLook) return;
    if (reading) this.#stopWaiting = this.#options.after(Math.max(0, reading.untilMs - now), () => this.#sendHeld());
    else if (this.#asked)
      this.#stopWaiting = this.#options.after(Math.max(0, this.#asked.at + patienceMs - now), () => this.#losePatience());
  }

  /** A QEMU that has answered stands still; to send more would lose it. But it may have lost the question, so it is asked once more. */
  #losePatience(): void {
    const asked = this.#asked;
    if (!asked) return;
    if (this.#answers === 'yes') {
      this.#asked = { at: this.#options.now(), bytes: asked.bytes };
      this.#options.ask();
      this.#wait();
      return;
    }
    this.#answers = 'no';
    this.#asked = null;
    this.#handedOn(asked.bytes);
    this.#sendHeld();
  }
}
