/**
 * One console's bytes between a transport and a page, over a message port, with credit both ways.
 *
 * ```
 *   transport ── data ─► waiting ── up to the window ─► port ─► page        waiting + under way ≥ window: the transport is paused
 *   transport ◄─ write ─────────────────────────────── port ◄─ page        written: credit goes back to the page
 * ```
 * Small reads are joined: everything that one turn of the event loop reads leaves as one message. A busy stream of little is left alone for some
 * milliseconds after each, so that what comes meanwhile is one read and one message too: what a message costs, in five threads, is what such a
 * stream costs. What comes after a pause, or after something that the page said, waits for nothing.
 *
 * INVARIANT: no more than `consoleWindowBytes` are under way to a page that gives no credit (`console-port.test.ts`).
 * INVARIANT: whatever ends first, the transport and the port are both closed, once (`console-port.test.ts`).
 */
import { type ConsoleFromPage, type ConsoleToPage, consoleWindowBytes, writtenPortionBytes } from '../../contract/shell.ts';
import type { OpenTransport, Transport } from './transport.ts';

/** What is needed of a message port: Electron's MessagePortMain and Node's MessagePort both fit (`electron-ports.ts`). */
export type Port = {
  post(message: ConsoleToPage): void;
  listen(handlers: { message(data: unknown): void; closed(): void }): void;
  close(): void;
};

/** Larger messages are faster, but each stalls the page for as long as it takes to handle it. */
export const maxMessageBytes = 512 * 1024;

/** A stream that had a message so long ago or less is busy: pictures of a guest that moves come at least as often as a display shows them. */
const busyMs = 16;
/** For so long it is not read then. A fraction of a frame, and a key that is pressed meanwhile is not seen later. */
const restMs = 4;
/** More than that is a part of something larger, of which the rest is being written: it is given a shorter time to come, whatever was before. */
const littleBytes = 32 * 1024;
const partRestMs = 2;
/** A stream of more than that in a message is never left alone: in the time of a rest more could come than the system holds for a socket. */
const muchBytes = 128 * 1024;

/** Carries bytes until either side ends. `ended` is called once. Returns how to end it from here. */
export function carryConsole(port: Port, openTransport: OpenTransport, ended: () => void): () => void {
  const carrier = new Carrier(port, ended);
  carrier.begin(openTransport);
  return () => carrier.end(null);
}

class Carrier {
  readonly #port: Port;
  readonly #ended: () => void;
  #transport: Transport | null = null;
  #isOver = false;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #underWayBytes = 0;
  /** The page is owed so much that nothing is read. */
  #full = false;
  #resting: NodeJS.Timeout | null = null;
  #flushedAt = Number.NEGATIVE_INFINITY;
  /** The page has said something since it was told something: what comes next may be the answer, for which it waits. */
  #asked = false;
  #flushScheduled = false;
  /** The transport has ended; the page hears of it after the last byte. */
  #closing: ConsoleToPage | null = null;
  #unwrittenBytes = 0;
  /** Written, and the page does not know yet. */
  #writtenBytes = 0;

  constructor(port: Port, ended: () => void) {
    this.#port = port;
    this.#ended = ended;
  }

  begin(openTransport: OpenTransport): void {
    this.#port.listen({ message: (data) => this.#fromPage(data), closed: () => this.end(null) });
    this.#transport = openTransport({
      open: () => this.#post({ type: 'open' }),
      data: (bytes) => this.#fromTransport(bytes),
      closed: (reason, clean) => {
        this.#closing = { type: 'closed', reason, clean };
        this.#flush();
      },
    });
    // The page may have gone before the transport was there.
    if (this.#isOver) this.#transport.close();
  }

  /** Ends both sides; `message` is the last that the page hears, if it is still there to hear it. */
  end(message: ConsoleToPage | null): void {
    if (this.#isOver) return;
    if (message) this.#post(message);
    this.#isOver = true;
    if (this.#resting) clearTimeout(this.#resting);
    this.#waiting = [];
    this.#transport?.close();
    this.#port.close();
    this.#ended();
  }

  #fromTransport(bytes: Uint8Array): void {
    if (this.#isOver || bytes.byteLength === 0) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.byteLength;
    if (!this.#full && this.#waitingBytes + this.#underWayBytes >= consoleWindowBytes) {
      this.#full = true;
      this.#transport?.pause();
    }
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    setImmediate(() => {
      this.#flushScheduled = false;
      this.#rest();
      this.#flush();
    });
  }

  /** Leaves a busy stream alone for a while. */
  #rest(): void {
    const now = performance.now();
    const isPart = this.#waitingBytes > littleBytes;
    const asked = this.#asked;
    this.#asked = false;
    const rests = isPart ? this.#waitingBytes <= muchBytes : now - this.#flushedAt < busyMs;
    this.#flushedAt = now;
    if (!rests || asked || this.#isOver || this.#full || this.#resting) return;
    this.#transport?.pause();
    this.#resting = setTimeout(
      () => {
        this.#resting = null;
        if (!this.#full) this.#transport?.resume();
      },
      isPart ? partRestMs : restMs,
    );
  }

  #flush(): void {
    while (!this.#isOver && this.#waitingBytes > 0) {
      const room = Math.min(maxMessageBytes, consoleWindowBytes - this.#underWayBytes);
      if (room <= 0) return;
      const bytes = this.#take(room);
      this.#underWayBytes += bytes.byteLength;
      this.#post({ type: 'data', bytes });
      release(bytes);
    }
    if (this.#closing) this.end(this.#closing);
  }

  /**
   * Up to `room` bytes from the front, in a buffer of their own: posting copies the whole buffer that an array is a view of, and a
   * small read can be a view of a large one.
   */
  #take(room: number): Uint8Array {
    const [only] = this.#waiting;
    if (this.#waiting.length === 1 && only && only.byteLength <= room && only.byteLength === only.buffer.byteLength) {
      this.#waiting = [];
      this.#waitingBytes = 0;
      return only;
    }
    const bytes = new Uint8Array(Math.min(room, this.#waitingBytes));
    let filled = 0;
    while (filled < bytes.byteLength) {
      const first = this.#waiting[0];
      if (!first) break;
      const part = first.subarray(0, bytes.byteLength - filled);
      bytes.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength === first.byteLength) {
        this.#waiting.shift();
        if (first.byteLength === first.buffer.byteLength) release(first);
      } else this.#waiting[0] = first.subarray(part.byteLength);
    }
    this.#waitingBytes -= bytes.byteLength;
    return bytes;
  }

  #fromPage(data: unknown): void {
    if (this.#isOver) return;
    const message = parseFromPage(data);
    if (!message) this.#refuse('The page sent something that is no console message.');
    else if (message.type === 'close') this.end(null);
    else if (message.type === 'resize') this.#transport?.resize(message.columns, message.rows);
    else if (message.type === 'credit') this.#receiveCredit(message.bytes);
    else this.#write(message.bytes);
  }

  #receiveCredit(bytes: number): void {
    if (bytes > this.#underWayBytes) {
      this.#refuse('The page gave credit for more than it was sent.');
      return;
    }
    this.#underWayBytes -= bytes;
    this.#flush();
    // Half a window of slack, so that a busy stream is not stopped and started with every message.
    if (this.#full && !this.#isOver && this.#waitingBytes + this.#underWayBytes <= consoleWindowBytes / 2) {
      this.#full = false;
      if (!this.#resting) this.#transport?.resume();
    }
  }

  #write(bytes: Uint8Array): void {
    this.#asked = true;
    this.#unwrittenBytes += bytes.byteLength;
    if (this.#unwrittenBytes > consoleWindowBytes) {
      this.#refuse('The page sent more than the console could take.');
      return;
    }
    this.#transport?.write(bytes, () => {
      this.#unwrittenBytes -= bytes.byteLength;
      this.#writtenBytes += bytes.byteLength;
      if (this.#writtenBytes < writtenPortionBytes) return;
      this.#post({ type: 'credit', bytes: this.#writtenBytes });
      this.#writtenBytes = 0;
    });
  }

  #refuse(reason: string): void {
    this.end({ type: 'closed', reason, clean: false });
  }

  #post(message: ConsoleToPage): void {
    if (!this.#isOver) this.#port.post(message);
  }
}

/** What was posted has been copied. Memory that is given back at once is used again while it is warm, and makes no work for the garbage collector. */
function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** By hand and not by a schema: this runs for every key and every movement of the pointer. */
export function parseFromPage(data: unknown): ConsoleFromPage | null {
  if (typeof data !== 'object' || data === null || !('type' in data)) return null;
  if (data.type === 'data') return 'bytes' in data && data.bytes instanceof Uint8Array ? { type: 'data', bytes: data.bytes } : null;
  if (data.type === 'credit')
    return 'bytes' in data && isWhole(data.bytes, 1, consoleWindowBytes) ? { type: 'credit', bytes: data.bytes } : null;
  if (data.type === 'close') return { type: 'close' };
  if (data.type === 'resize' && 'columns' in data && 'rows' in data && isWhole(data.columns, 2, 1000) && isWhole(data.rows, 1, 1000))
    return { type: 'resize', columns: data.columns, rows: data.rows };
  return null;
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
