/**
 * A byte stream over one MessagePort, as contract/shell.ts agrees it with the shell: data both ways, credit for what was consumed, and
 * one `closed` at the end. Runs in a page and in a worker.
 */
import { type ConsoleFromPage, type ConsoleToPage, consoleWindowBytes } from '../../contract/shell.ts';

export type ByteStreamHandlers = {
  open(): void;
  /** The bytes count as consumed when this returns, or when the promise it returns is fulfilled. They are its own: it may give their memory back. */
  data(bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** Told once, and not when this side closed the stream. */
  closed(reason: string, clean: boolean): void;
};

/**
 * Credit is given back when so much is owed and not before: what is owed in between is a sixteenth of the window and stops nobody, while
 * a message back for each of an idle guest's few bytes would wake two processes every time.
 */
export const creditPortionBytes = consoleWindowBytes / 16;
/** What is sent while something is handled leaves when that is done, or when it has become so much. */
const heldBytes = 16 * 1024;

export class ByteStream {
  readonly #port: MessagePort;
  readonly #handlers: ByteStreamHandlers;
  #ended = false;
  #owedCredit = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** What was sent and has not been written by the shell yet. */
  bytesUnderWay = 0;
  readonly #waitForRoom: { mostBytes: number; resolve(): void }[] = [];
  /** More is about to be sent. */
  #handling = false;
  /** A busy server is answered hundreds of times a second, a few bytes each: what a message costs, in five threads, would be most of what it costs. */
  readonly #held = new Uint8Array(heldBytes);
  #heldLength = 0;

  constructor(port: MessagePort, handlers: ByteStreamHandlers) {
    this.#port = port;
    this.#handlers = handlers;
    port.onmessage = (event: MessageEvent<unknown>) => this.#receive(event.data);
    port.onmessageerror = () => this.#finish('The console connection carried something unreadable.', false);
    port.addEventListener('close', () => this.#finish('The console connection was lost.', false));
  }

  /** The bytes are copied: whoever sends may reuse them. Nothing is sent after the end. */
  send(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.bytesOut += bytes.byteLength;
    this.bytesUnderWay += bytes.byteLength;
    if (this.#heldLength + bytes.byteLength > heldBytes) this.#sendHeld();
    if (!this.#handling || bytes.byteLength > heldBytes) this.#post({ type: 'data', bytes });
    else {
      this.#held.set(bytes, this.#heldLength);
      this.#heldLength += bytes.byteLength;
    }
  }

  /** What is sent while `run` runs leaves as one message, as far as it is small. */
  together<T>(run: () => T): T {
    this.#handling = true;
    try {
      return run();
    } finally {
      this.#handling = false;
      this.#sendHeld();
    }
  }

  /** Settles when no more than so much is under way, or the stream has ended: for what is not small. `mostBytes` is `writtenPortionBytes` at least. */
  room(mostBytes: number): undefined | Promise<void> {
    if (this.#ended || this.bytesUnderWay <= mostBytes) return undefined;
    return new Promise((resolve) => this.#waitForRoom.push({ mostBytes, resolve }));
  }

  resize(columns: number, rows: number): void {
    if (!this.#ended) this.#post({ type: 'resize', columns, rows });
  }

  close(): void {
    if (this.#ended) return;
    this.#sendHeld();
    this.#ended = true;
    this.#post({ type: 'close' });
    this.#port.close();
    this.#tellRoom();
  }

  #receive(message: unknown): void {
    if (this.#ended) return;
    const parsed = parseToPage(message);
    if (!parsed) this.#finish('The console connection carried something unreadable.', false);
    else if (parsed.type === 'open') this.#handlers.open();
    else if (parsed.type === 'closed') this.#finish(parsed.reason, parsed.clean);
    // Nothing is held back here for the lack of credit: what is sent is small (keys, pointer, a paste), or asks for room before.
    else if (parsed.type === 'credit') {
      this.bytesUnderWay -= parsed.bytes;
      this.#tellRoom();
    } else if (parsed.type === 'data') this.#handOn(parsed.bytes);
  }

  #handOn(bytes: Uint8Array<ArrayBuffer>): void {
    const { byteLength } = bytes;
    this.bytesIn += byteLength;
    let taken: void | Promise<void>;
    try {
      taken = this.together(() => this.#handlers.data(bytes));
    } catch (error) {
      this.#giveCredit(byteLength);
      throw error;
    }
    if (taken instanceof Promise) void taken.finally(() => this.#giveCredit(byteLength));
    else this.#giveCredit(byteLength);
  }

  #sendHeld(): void {
    if (this.#heldLength > 0 && !this.#ended) this.#post({ type: 'data', bytes: this.#held.slice(0, this.#heldLength) });
    this.#heldLength = 0;
  }

  /** INVARIANT: every byte that was handed on is credited exactly once, and less than a portion is owed (`transport.test.ts`). */
  #giveCredit(bytes: number): void {
    if (this.#ended) return;
    this.#owedCredit += bytes;
    if (this.#owedCredit < creditPortionBytes) return;
    this.#post({ type: 'credit', bytes: this.#owedCredit });
    this.#owedCredit = 0;
  }

  #finish(reason: string, clean: boolean): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#port.close();
    this.#tellRoom();
    this.#handlers.closed(reason, clean);
  }

  #tellRoom(): void {
    for (const waiting of this.#waitForRoom.splice(0))
      if (this.#ended || this.bytesUnderWay <= waiting.mostBytes) waiting.resolve();
      else this.#waitForRoom.push(waiting);
  }

  #post(message: ConsoleFromPage): void {
    // Copied and not transferred: Electron hands a message with a transferred buffer to main as null.
    this.#port.postMessage(message);
  }
}

type Received = Exclude<ConsoleToPage, { type: 'data' }> | { type: 'data'; bytes: Uint8Array<ArrayBuffer> };

function parseToPage(message: unknown): Received | null {
  if (typeof message !== 'object' || message === null || !('type' in message)) return null;
  if (message.type === 'open') return { type: 'open' };
  if (message.type === 'credit' && 'bytes' in message && typeof message.bytes === 'number') return { type: 'credit', bytes: message.bytes };
  if (message.type === 'data' && 'bytes' in message && message.bytes instanceof Uint8Array)
    return { type: 'data', bytes: message.bytes as Uint8Array<ArrayBuffer> };
  if (message.type === 'closed' && 'reason' in message && typeof message.reason === 'string' && 'clean' in message)
    return { type: 'closed', reason: message.reason, clean: message.clean === true };
  return null;
}
