/**
 * Sends files to the guest through its agent, one at a time and a piece at a time, so that nothing else has to wait behind them.
 *
 * ```
 *   START ─► CAN_SEND_DATA ─► DATA … ─► SUCCESS
 *     └──────────┴──────────────┴─────► ERROR, NOT_ENOUGH_SPACE, … ; CANCELLED from either side
 * ```
 *
 * INVARIANT: with the policy off nothing of a file is sent, and what is on its way stops (`file-sender.test.ts`).
 */
import type { FilesPolicy } from '../../../../contract/guest-spec.ts';
import type { FileProblem, FileProgress, FileToSend } from '../../files.ts';
import { type AgentCapability, agentMessage, fileStatus } from './agent-messages.ts';
import { keyFileValue, nameForGuest } from './file-name.ts';

export type FileSenderOptions = {
  /** Sends the agent a message; false when it was not taken. */
  send(type: number, body: Uint8Array): boolean;
  /** Whether a message can be sent now; if not, {@link FileSender.room} is called when it can. */
  hasRoom(): boolean;
  can(capability: AgentCapability): boolean;
  progress(id: number, progress: FileProgress): void;
  /** Whether the agent takes files, as far as it has said; and why not. */
  possible(possible: FilesPossible): void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
};

export type FilesPossible = 'yes' | 'no-agent' | 'disabled';

/** As spice-gtk has it: the agents of all guests know messages of that length. */
const dataBytes = 64 * 1024;
/** Read at once: a read of a file costs more than that many bytes of it. */
const readBytes = 1024 * 1024;
/** The page need not know more often. */
const progressEveryMs = 100;

type Sending = {
  file: FileToSend;
  /** The number that the agent knows it by. */
  number: number;
  /** What the agent has been asked and what it has said. */
  phase: 'asked' | 'sending' | 'finishing';
  sentBytes: number;
  /** What was read and is not sent yet. */
  read: Uint8Array;
  reading: boolean;
  toldAt: number;
};

export class FileSender {
  readonly #options: FileSenderOptions;
  #policy: FilesPolicy = 'off';
  #ready = false;
  #sending: Sending | null = null;
  readonly #waiting: FileToSend[] = [];
  #lastNumber = 0;

  constructor(options: FileSenderOptions) {
    this.#options = options;
  }

  /** Whether files wait or are on their way. */
  get busy(): boolean {
    return this.#sending !== null || this.#waiting.length > 0;
  }

  setPolicy(policy: FilesPolicy): void {
    this.#policy = policy;
    if (policy === 'off') this.cancelAll();
  }

  /** The agent has said what it can do. It may be another one than before. */
  begin(): void {
    this.#ready = true;
    this.#options.possible(this.#options.can('FILE_XFER_DISABLED') ? 'disabled' : 'yes');
    this.#next();
  }

  /** The agent went. */
  end(): void {
    const was = this.#ready;
    this.#ready = false;
    const unfinished = [...(this.#sending ? [this.#sending.file] : []), ...this.#waiting.splice(0)];
    this.#sending = null;
    for (const { id } of unfinished) this.#options.progress(id, { state: 'interrupted' });
    if (was) this.#options.possible('no-agent');
  }

  send(file: FileToSend): void {
    if (this.#policy === 'off') this.#options.progress(file.id, { state: 'cancelled' });
    else if (!this.#ready) this.#options.progress(file.id, { state: 'interrupted' });
    else {
      this.#waiting.push(file);
      this.#next();
    }
  }

  cancel(id: number): void {
    const at = this.#waiting.findIndex((file) => file.id === id);
    if (at >= 0) this.#waiting.splice(at, 1);
    else if (this.#sending?.file.id === id) this.#tellStatus(this.#sending.number, fileStatus.CANCELLED);
    else return;
    if (this.#sending?.file.id === id) this.#sending = null;
    this.#options.progress(id, { state: 'cancelled' });
    this.#next();
  }

  cancelAll(): void {
    for (const { id } of this.#waiting.splice(0)) this.#options.progress(id, { state: 'cancelled' });
    if (this.#sending) this.cancel(this.#sending.file.id);
  }

  /** There is room for more messages. */
  room(): void {
    if (this.#sending?.phase === 'sending') this.#pump(this.#sending);
  }

  /** FILE_XFER_STATUS; `body` is good until this returns. What is said of files that are not on their way is passed over. */
  status(body: Uint8Array): void {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const sending = this.#sending;
    if (body.byteLength < 8 || !sending || view.getUint32(0, true) !== sending.number) return;
    const result = view.getUint32(4, true);
    switch (result) {
      case fileStatus.CAN_SEND_DATA:
        if (sending.phase !== 'asked') return;
        sending.phase = 'sending';
        this.#pump(sending);
        break;
      case fileStatus.SUCCESS:
        if (sending.phase === 'finishing') this.#finish(sending, { state: 'sent' });
        else this.#abandon(sending, { kind: 'nonsense' });
        break;
      default:
        this.#finish(sending, { state: 'failed', problem: problemOf(result, view, sending.phase) });
    }
  }

  /** Begins the next one when none is on its way. */
  #next(): void {
    while (!this.#sending && this.#ready) {
      const file = this.#waiting.shift();
      if (!file) return;
      const name = nameForGuest(file.name, this.#options.can('GUEST_LINEEND_CRLF') ? 'windows' : 'unix');
      if (name === null) {
        this.#options.progress(file.id, { state: 'failed', problem: { kind: 'name' } });
        continue;
      }
      this.#lastNumber = (this.#lastNumber + 1) >>> 0;
      const empty = new Uint8Array(0);
      this.#sending = {
        file,
        number: this.#lastNumber,
        phase: 'asked',
        sentBytes: 0,
        read: empty,
        reading: false,
        toldAt: Number.NEGATIVE_INFINITY,
      };
      this.#tellProgress(this.#sending);
      // The agent shows the folder with the files once it has the last of those that came together.
      const words = `[vdagent-file-xfer]\nname=${keyFileValue(name)}\nsize=${file.content.size}\nfile-xfer-nr=${file.number}\nfile-xfer-total=${file.of}\n\0`;
      this.#send(agentMessage.FILE_XFER_START, this.#sending.number, new TextEncoder().encode(words));
    }
  }

  /** Sends what there is room for. */
  #pump(sending: Sending): void {
    const { file } = sending;
    while (this.#sending === sending && sending.phase === 'sending' && this.#options.hasRoom()) {
      const piece = sending.read.subarray(0, dataBytes);
      // A file with nothing in it is a message with nothing in it: the agent closes it upon one.
      if (piece.byteLength === 0 && file.content.size > 0) {
        if (!sending.reading) void this.#read(sending);
        return;
      }
      const body = new Uint8Array(8 + piece.byteLength);
      new DataView(body.buffer).setBigUint64(0, BigInt(piece.byteLength), true);
      body.set(piece, 8);
      if (!this.#send(agentMessage.FILE_XFER_DATA, sending.number, body)) return;
      sending.read = sending.read.subarray(piece.byteLength);
      sending.sentBytes += piece.byteLength;
      if (sending.sentBytes >= file.content.size) sending.phase = 'finishing';
      this.#tellProgress(sending);
    }
  }

  async #read(sending: Sending): Promise<void> {
    const { content } = sending.file;
    sending.reading = true;
    try {
      const until = Math.min(content.size, sending.sentBytes + readBytes);
      sending.read = new Uint8Array(await content.slice(sending.sentBytes, until).arrayBuffer());
    } catch (error) {
      if (this.#sending === sending)
        this.#abandon(sending, { kind: 'unreadable', detail: error instanceof Error ? error.message : String(error) });
      return;
    }
    sending.reading = false;
    if (this.#sending !== sending) return;
    if (sending.read.byteLength === 0) this.#abandon(sending, { kind: 'changed' });
    else this.#pump(sending);
  }

  #tellProgress(sending: Sending): void {
    const now = this.#options.now();
    if (sending.phase === 'sending' && now - sending.toldAt < progressEveryMs) return;
    sending.toldAt = now;
    this.#options.progress(sending.file.id, { state: 'sending', sentBytes: sending.sentBytes });
  }

  /** This side gives it up. */
  #abandon(sending: Sending, problem: FileProblem): void {
    this.#tellStatus(sending.number, fileStatus.CANCELLED);
    this.#finish(sending, { state: 'failed', problem });
  }

  #finish(sending: Sending, progress: FileProgress): void {
    this.#sending = null;
    this.#options.progress(sending.file.id, progress);
    this.#next();
  }

  #tellStatus(number: number, status: number): void {
    const body = new Uint8Array(4);
    new DataView(body.buffer).setUint32(0, status, true);
    this.#send(agentMessage.FILE_XFER_STATUS, number, body);
  }

  /** The number of the file, then `rest`. */
  #send(type: number, number: number, rest: Uint8Array): boolean {
    const body = new Uint8Array(4 + rest.byteLength);
    new DataView(body.buffer).setUint32(0, number, true);
    body.set(rest, 4);
    return this.#options.send(type, body);
  }
}

/** GLib's `GIOErrorEnum`, as detailed errors say it. */
const ioError = { NO_SPACE: 12, FILENAME_TOO_LONG: 9, INVALID_FILENAME: 10 };

function problemOf(result: number, view: DataView, phase: Sending['phase']): FileProblem {
  switch (result) {
    case fileStatus.CANCELLED:
      return { kind: 'cancelled' };
    case fileStatus.NOT_ENOUGH_SPACE: {
      const free = view.byteLength >= 16 ? Number(view.getBigUint64(8, true)) : null;
      return { kind: 'full', freeBytes: free !== null && Number.isSafeInteger(free) ? free : null };
    }
    case fileStatus.SESSION_LOCKED:
      return { kind: 'locked' };
    case fileStatus.VDAGENT_NOT_CONNECTED:
      return { kind: 'nobody' };
    case fileStatus.DISABLED:
      return { kind: 'disabled' };
    case fileStatus.ERROR: {
      // Type of the error (GLib's), then its code.
      const code = view.byteLength >= 13 && view.getUint8(8) === 0 ? view.getUint32(9, true) : 0;
      if (code === ioError.NO_SPACE) return { kind: 'full', freeBytes: null };
      if (code === ioError.FILENAME_TOO_LONG || code === ioError.INVALID_FILENAME) return { kind: 'name' };
      return { kind: phase === 'asked' ? 'refused' : 'stopped' };
    }
    default:
      return { kind: 'nonsense' };
  }
}
