/** Counts the messages of display channels by their names, independently of the client that reads them. */
import { linkSteps, Pieces } from '../../bench/spice/link-pieces.ts';
import { displayMessage, displayRequest } from '../../renderer/console/spice/protocol/constants.ts';

/** What a client tells of how a video arrives, of the pictures since it told last. */
export type VideoReport = { pictures: number; late: number; marginMs: number };

const headerBytes = 6;
const authReplyBytes = 4;

function nameIn(names: Record<string, number>, type: number): string {
  return Object.entries(names).find(([, number]) => number === type)?.[0] ?? String(type);
}

export class MessageCounts {
  /** Messages of display channels by name, and the client's with “→” before it. */
  readonly counts = new Map<string, number>();
  readonly reports: VideoReport[] = [];
  /** Of those that came, of any name. */
  total = 0;
  readonly #streams = new Map<number, { pieces: Pieces; skip: number; head: Buffer; said: number }>();
  readonly #isDisplay: (stream: number) => boolean;

  constructor(isDisplay: (stream: number) => boolean) {
    this.#isDisplay = isDisplay;
  }

  heard(stream: number, bytes: Uint8Array): void {
    this.#of(stream).pieces.feed(Buffer.from(bytes));
  }

  /** A link and a ticket come before the messages, each in a piece of its own as they do. */
  said(stream: number, bytes: Uint8Array): void {
    if (this.#of(stream).said++ < 2 || !this.#isDisplay(stream)) return;
    const message = Buffer.from(bytes);
    const type = message.readUInt16LE(0);
    if (type === displayRequest.STREAM_REPORT)
      this.reports.push({ pictures: message.readUInt32LE(22), late: message.readUInt32LE(26), marginMs: message.readInt32LE(30) });
    if (type >= displayRequest.INIT) this.#add(`→ ${nameIn(displayRequest, type)}`);
  }

  #of(stream: number) {
    const known = this.#streams.get(stream);
    if (known) return known;
    const made = {
      pieces: new Pieces([...linkSteps(() => undefined), { bytes: () => authReplyBytes, take: () => undefined }], (bytes) =>
        this.#messages(stream, bytes),
      ),
      skip: 0,
      head: Buffer.alloc(0) as Buffer,
      said: 0,
    };
    this.#streams.set(stream, made);
    return made;
  }

  #messages(stream: number, bytes: Buffer): void {
    if (!this.#isDisplay(stream)) return;
    const state = this.#of(stream);
    let at = 0;
    while (at < bytes.length) {
      if (state.skip > 0) {
        const passed = Math.min(state.skip, bytes.length - at);
        state.skip -= passed;
        at += passed;
        continue;
      }
      const part = bytes.subarray(at, at + headerBytes - state.head.length);
      state.head = Buffer.concat([state.head, part]);
      at += part.length;
      if (state.head.length < headerBytes) return;
      const type = state.head.readUInt16LE(0);
      state.skip = state.head.readUInt32LE(2);
      state.head = Buffer.alloc(0);
      if (type <= 100) continue;
      this.total++;
      this.#add(nameIn(displayMessage, type));
    }
  }

  #add(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
