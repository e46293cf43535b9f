/**
 * The clipboard that a guest and this computer share, through the guest's agent.
 *
 * Nothing of this computer's is sent unless the guest asks for it, while the console is in use and after it was told what there is
 * (GRAB, REQUEST, CLIPBOARD). What the guest copies is fetched at once, since the clipboards of desktops cannot wait for it.
 *
 * INVARIANT: a way that the policy shuts carries nothing, whatever the guest asks for and sends (`shared-clipboard.test.ts`).
 */
import type { ClipboardPolicy } from '../../../../contract/guest-spec.ts';
import type { ClipboardHost, Copied, CopiedKind, Selection } from '../../clipboard.ts';
import { SpiceError } from '../protocol/spice-error.ts';
import { type AgentCapability, agentMessage, clipboardType, selectionNumber } from './agent-messages.ts';

/** Makes a PNG anew of a picture that a guest copied, so that no file of the guest's making reaches other programs. Rejects what is none. */
export type PictureReader = (picture: Uint8Array<ArrayBuffer>, mediaType: string) => Promise<Uint8Array<ArrayBuffer>>;

export type SharedClipboardOptions = {
  /** Sends the agent a message; false when it was not taken. */
  send(type: number, body: Uint8Array): boolean;
  can(capability: AgentCapability): boolean;
  host: ClipboardHost;
  readPicture: PictureReader;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** Calls back once, at least that much later. */
  after(ms: number, run: () => void): void;
  /** How this computer ends a line. */
  lineEnd: 'lf' | 'crlf';
};

/** The most that is copied at once, either way. */
export const maxClipboardBytes = 32 * 1024 * 1024;
/** Somebody who copies in the guest and is quick to leave it still gets what was copied. */
const lingerMs = 1500;
/** What a guest asks for beyond that at once, it gets nothing for. */
const maxReadings = 4;
const maxTypes = 32;
/** An agent that has not answered by then is not going to. */
const answerDeadlineMs = 10_000;
/**
 * An agent may come up before it knows whose desktop it belongs to, and passes over what it is told till then: so long after it has come it is
 * told again.
 */
const tellAgainMs = [2000, 10_000];
/** Grabs of both sides that are no further apart have crossed on the way. */
const crossingMs = 2000;
/** Selection, reserved, type. */
const dataHeaderBytes = 8;

/** What is taken of what a guest offers, the best first. */
const wantedTypes: readonly number[] = [clipboardType.UTF8_TEXT, clipboardType.IMAGE_PNG, clipboardType.IMAGE_BMP, clipboardType.IMAGE_JPG];
const mediaTypes: Record<number, string> = {
  [clipboardType.IMAGE_PNG]: 'image/png',
  [clipboardType.IMAGE_BMP]: 'image/bmp',
  [clipboardType.IMAGE_JPG]: 'image/jpeg',
};
const typeOf: Record<CopiedKind, number> = { text: clipboardType.UTF8_TEXT, png: clipboardType.IMAGE_PNG };

type Direction = { toGuest: boolean; toComputer: boolean };

/** Where one selection stands. */
class SelectionState {
  /** What the guest was told that this computer has. */
  offered: readonly CopiedKind[] = [];
  offeredAt = 0;
  /** VD_AGENT_CAP_CLIPBOARD_GRAB_SERIAL: grabs of both sides are counted together. The number of the next one, and of what is offered. */
  serial = 0;
  offerSerial = 0;
  /** The kinds that the guest was asked for and has not answered yet, oldest first. Only the newest is of interest. */
  asked: number[] = [];
  askedAt = 0;
  /** What goes to this computer's clipboard once the one before is there. */
  waiting: Copied | null = null;
  writing = false;
}

export class SharedClipboard {
  readonly #options: SharedClipboardOptions;
  readonly #selections: Record<Selection, SelectionState> = { clipboard: new SelectionState(), primary: new SelectionState() };
  #direction: Direction = { toGuest: false, toComputer: false };
  #inUse = false;
  #leftAt = Number.NEGATIVE_INFINITY;
  #readings = 0;
  /** Another agent: what is on its way for the one before is nobody's. */
  #generation = 0;
  #ready = false;
  /** How often an agent has come or gone. */
  #times = 0;

  constructor(options: SharedClipboardOptions) {
    this.#options = options;
  }

  /** Whether the agent is told of a clipboard at all. */
  get open(): boolean {
    return this.#direction.toGuest || this.#direction.toComputer;
  }

  /** How much a message of the clipboard may have: much only where it was asked for. */
  get maxBytes(): number {
    const asked = Object.values(this.#selections).some((selection) => selection.asked.length > 0);
    return asked ? maxClipboardBytes + dataHeaderBytes : dataHeaderBytes + 4 * maxTypes;
  }

  setPolicy(policy: ClipboardPolicy): void {
    this.#direction = {
      toGuest: policy === 'both' || policy === 'to-guest',
      toComputer: policy === 'both' || policy === 'to-computer',
    };
    for (const [name, selection] of this.#each()) {
      if (!this.#direction.toGuest) this.#withdraw(name, selection);
      if (!this.#direction.toComputer) selection.waiting = null;
    }
  }

  /** Whether somebody uses this console: it has the keyboard, and its window the focus. */
  setInUse(inUse: boolean): void {
    if (this.#inUse && !inUse) this.#leftAt = this.#options.now();
    const began = inUse && !this.#inUse;
    this.#inUse = inUse;
    // The guest's desktop may have started anew without its agent: what was said once is said again where it still stands.
    if (began) this.#tellOffers();
  }

  /** The agent has said what it can do. It may be another one than before. */
  begin(): void {
    const { can, send } = this.#options;
    this.#ready = can('CLIPBOARD_BY_DEMAND');
    if (!this.#ready) return;
    if (can('MAX_CLIPBOARD')) {
      const body = new DataView(new ArrayBuffer(4));
      body.setInt32(0, maxClipboardBytes, true);
      send(agentMessage.MAX_CLIPBOARD, new Uint8Array(body.buffer));
    }
    for (const [, selection] of this.#each()) {
      selection.serial = 0;
      if (selection.offered.length > 0) selection.offerSerial = selection.serial++;
    }
    this.#tellOffers();
    const time = ++this.#times;
    for (const ms of tellAgainMs)
      this.#options.after(ms, () => {
        if (time === this.#times && this.#inUse) this.#tellOffers();
      });
  }

  end(): void {
    this.#ready = false;
    this.#times++;
    this.#generation++;
    this.#readings = 0;
    for (const [, selection] of this.#each()) selection.asked = [];
  }

  /** This computer's clipboard has something new, or nothing: not what it is, but of which kinds. */
  offer(name: Selection, kinds: readonly CopiedKind[]): void {
    if (!this.#direction.toGuest || !this.#inUse) return;
    const selection = this.#selections[name];
    if (kinds.length === 0) {
      this.#withdraw(name, selection);
      return;
    }
    selection.offered = [...kinds];
    selection.offerSerial = selection.serial++;
    this.#tellOffer(name, selection);
  }

  /** A message of the agent that was passed over, being too long. */
  tooLong(): void {
    // Which selection it was of stands in what was not read; the guest answers in order and one at a time.
    for (const [, selection] of this.#each()) selection.asked = [];
  }

  /** `body` is good until this returns. Throws {@link SpiceError}. */
  message(type: number, body: Uint8Array): void {
    const at = this.#options.can('CLIPBOARD_SELECTION') ? 4 : 0;
    if (body.byteLength < at) throw new SpiceError('a clipboard message of the agent is cut short');
    const number = at === 0 ? selectionNumber.clipboard : body[0];
    const name = (Object.keys(selectionNumber) as Selection[]).find((each) => selectionNumber[each] === number);
    const rest = body.subarray(at);
    // Whoever asks for a selection that is not shared is told that there is nothing in it.
    if (!name) {
      if (type === agentMessage.CLIPBOARD_REQUEST) this.#sendData(number ?? 0, clipboardType.NONE);
      return;
    }
    switch (type) {
      case agentMessage.CLIPBOARD_GRAB:
        this.#grabbed(name, rest);
        break;
      case agentMessage.CLIPBOARD_REQUEST:
        void this.#requested(name, wordsOf(rest)[0] ?? clipboardType.NONE);
        break;
      case agentMessage.CLIPBOARD:
        this.#received(name, rest);
        break;
    }
  }

  get #used(): boolean {
    return this.#inUse || this.#options.now() - this.#leftAt <= lingerMs;
  }

  #each(): [Selection, SelectionState][] {
    return Object.entries(this.#selections) as [Selection, SelectionState][];
  }

  /** The guest copied something. */
  #grabbed(name: Selection, body: Uint8Array): void {
    const selection = this.#selections[name];
    const now = this.#options.now();
    const words = wordsOf(body);
    const offered = this.#counts ? words.slice(1) : words;
    if (this.#counts) {
      const serial = words[0] ?? 0;
      // It was made before the guest heard of what was copied here meanwhile, and the guest sees that too. Where that is not so, a grab was lost.
      const isOlder = ((serial - selection.serial) | 0) < 0;
      if (isOlder && selection.offered.length > 0 && now - selection.offeredAt < crossingMs) return;
      selection.serial = (serial + 1) >>> 0;
    }
    selection.offered = [];
    if (!this.#direction.toComputer || !this.#used) return;
    if (now - selection.askedAt > answerDeadlineMs) selection.asked = [];
    if (selection.asked.length >= maxReadings) return;
    const type = wantedTypes.find((wanted) => offered.includes(wanted));
    if (type === undefined) return;
    if (!this.#send(agentMessage.CLIPBOARD_REQUEST, selectionNumber[name], [type])) return;
    selection.asked.push(type);
    selection.askedAt = now;
  }

  /** The guest pastes. */
  async #requested(name: Selection, type: number): Promise<void> {
    const kind = this.#selections[name].offered.find((each) => typeOf[each] === type);
    const number = selectionNumber[name];
    if (!kind || !this.#direction.toGuest || !this.#used || this.#readings >= maxReadings) {
      this.#sendData(number, clipboardType.NONE);
      return;
    }
    const generation = this.#generation;
    this.#readings++;
    const copied = await this.#options.host.read(name, kind).catch(() => null);
    if (generation !== this.#generation) return;
    this.#readings--;
    const bytes = copied && copied.kind === kind && this.#direction.toGuest ? this.#bytesOf(copied) : null;
    if (!bytes || bytes.byteLength > maxClipboardBytes) this.#sendData(number, clipboardType.NONE);
    else this.#sendData(number, type, bytes);
  }

  /** What the guest was asked for. */
  #received(name: Selection, body: Uint8Array): void {
    const selection = this.#selections[name];
    const asked = selection.asked.shift();
    // What nobody asked for, and what something newer was asked for after, is let go.
    if (asked === undefined || selection.asked.length > 0 || !this.#direction.toComputer) return;
    if (wordsOf(body.subarray(0, 4))[0] !== asked) return;
    const bytes = body.slice(4);
    if (asked === clipboardType.UTF8_TEXT) {
      this.#write(name, { kind: 'text', text: this.#textOf(bytes) });
      return;
    }
    const generation = this.#generation;
    void this.#options.readPicture(bytes, mediaTypes[asked] ?? '').then(
      (png) => {
        if (generation === this.#generation) this.#write(name, { kind: 'png', png });
      },
      // What is no picture is not copied.
      () => undefined,
    );
  }

  /** One after the other, and of those that wait only the newest: a guest that copies without end keeps nobody busy. */
  #write(name: Selection, copied: Copied): void {
    const selection = this.#selections[name];
    if (!this.#direction.toComputer) return;
    selection.waiting = copied;
    if (selection.writing) return;
    selection.writing = true;
    void this.#writeWaiting(name, selection);
  }

  async #writeWaiting(name: Selection, selection: SelectionState): Promise<void> {
    for (let next = selection.waiting; next; next = selection.waiting) {
      selection.waiting = null;
      await this.#options.host.write(name, next).catch(() => undefined);
    }
    selection.writing = false;
  }

  #textOf(bytes: Uint8Array): string {
    const text = new TextDecoder().decode(bytes);
    return this.#convertsLines ? withLineEnds(text, this.#options.lineEnd) : text;
  }

  #bytesOf(copied: Copied): Uint8Array {
    if (copied.kind === 'png') return copied.png;
    const guest = this.#options.can('GUEST_LINEEND_CRLF') ? 'crlf' : 'lf';
    return new TextEncoder().encode(this.#convertsLines ? withLineEnds(copied.text, guest) : copied.text);
  }

  /** Where both end lines alike the text goes over as it is, to the byte. */
  get #convertsLines(): boolean {
    const { can, lineEnd } = this.#options;
    return lineEnd === 'lf' ? can('GUEST_LINEEND_CRLF') : can('GUEST_LINEEND_LF');
  }

  get #counts(): boolean {
    return this.#options.can('CLIPBOARD_GRAB_SERIAL');
  }

  /** The same offer has the same number, however often it is told: agents take that for the one that they know, or for the one that they missed. */
  #tellOffer(name: Selection, selection: SelectionState): void {
    selection.offeredAt = this.#options.now();
    const types = selection.offered.map((kind) => typeOf[kind]);
    this.#send(agentMessage.CLIPBOARD_GRAB, selectionNumber[name], this.#counts ? [selection.offerSerial, ...types] : types);
  }

  #tellOffers(): void {
    for (const [name, selection] of this.#each()) if (selection.offered.length > 0) this.#tellOffer(name, selection);
  }

  #withdraw(name: Selection, selection: SelectionState): void {
    if (selection.offered.length > 0) this.#send(agentMessage.CLIPBOARD_RELEASE, selectionNumber[name], []);
    selection.offered = [];
  }

  #sendData(selection: number, type: number, bytes: Uint8Array = new Uint8Array(0)): void {
    this.#send(agentMessage.CLIPBOARD, selection, [type], bytes);
  }

  #send(type: number, selection: number, words: readonly number[], bytes: Uint8Array = new Uint8Array(0)): boolean {
    if (!this.#ready) return false;
    const at = this.#options.can('CLIPBOARD_SELECTION') ? 4 : 0;
    // An agent of old knows the clipboard alone.
    if (at === 0 && selection !== selectionNumber.clipboard) return false;
    const body = new Uint8Array(at + 4 * words.length + bytes.byteLength);
    const view = new DataView(body.buffer);
    if (at > 0) view.setUint8(0, selection);
    for (const [index, word] of words.entries()) view.setUint32(at + 4 * index, word, true);
    body.set(bytes, at + 4 * words.length);
    return this.#options.send(type, body);
  }
}

function withLineEnds(text: string, end: 'lf' | 'crlf'): string {
  return text.replace(/\r?\n/g, end === 'lf' ? '\n' : '\r\n');
}

/** As many numbers of 32 bits as there are, and no more than anybody has use for. */
function wordsOf(body: Uint8Array): number[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  return Array.from({ length: Math.min(body.byteLength >> 2, maxTypes) }, (_, index) => view.getUint32(4 * index, true));
}
