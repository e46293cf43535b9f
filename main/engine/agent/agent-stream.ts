/**
 * What comes from the agent, before anything is believed of it. The guest writes this stream and may be hostile: nothing is kept
 * that was not asked for, and what is kept is bounded.
 *
 * The way back into step is that of https://www.qemu.org/docs/master/interop/qemu-ga-ref.html#command-QGA-guest-sync-delimited:
 * the answer to `guest-sync-delimited` begins with the byte 0xFF, which is in no valid JSON or UTF-8 text, so all before it is
 * thrown away.
 */

const sentinel = 0xff;
const newline = 0x0a;

/** The guest sent more than was agreed to. */
export class AgentFloodError extends Error {
  override name = 'AgentFloodError';
}

type Accept = (line: string) => boolean;
type Mode =
  | { kind: 'drop' }
  | { kind: 'sentinel'; accept: Accept }
  | { kind: 'line'; parts: Buffer[]; heldBytes: number; accept: Accept | null };

export class AgentStream {
  #mode: Mode = { kind: 'drop' };
  #maxLineBytes = 0;
  #droppedBytes = 0;
  readonly #maxDroppedBytes: number;

  /** @param maxDroppedBytes how much rubbish is read in search of a sentinel before the agent is given up */
  constructor(maxDroppedBytes: number) {
    this.#maxDroppedBytes = maxDroppedBytes;
  }

  /** The next line of interest is one that begins with the sentinel and that `accept` takes (an earlier handshake's answer may come first). */
  expectSentinelLine(maxLineBytes: number, accept: Accept): void {
    this.#mode = { kind: 'sentinel', accept };
    this.#maxLineBytes = maxLineBytes;
    this.#droppedBytes = 0;
  }

  /** The next line of interest is the one that comes next. */
  expectLine(maxLineBytes: number): void {
    this.#mode = { kind: 'line', parts: [], heldBytes: 0, accept: null };
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * The line that was expected, once it is whole; what follows it in `chunk` is dropped, since nothing more was asked for.
   * @throws AgentFloodError when the line, or the rubbish before it, is too long.
   */
  push(chunk: Buffer): string | null {
    let rest = chunk;
    for (;;) {
      if (this.#mode.kind === 'sentinel') {
        const at = rest.indexOf(sentinel);
        this.#drop(at === -1 ? rest.length : at);
        if (at === -1) return null;
        this.#mode = { kind: 'line', parts: [], heldBytes: 0, accept: this.#mode.accept };
        rest = rest.subarray(at + 1);
      }
      if (this.#mode.kind !== 'line') return null;
      const end = rest.indexOf(newline);
      const part = end === -1 ? rest : rest.subarray(0, end);
      this.#mode.parts.push(part);
      this.#mode.heldBytes += part.length;
      if (this.#mode.heldBytes > this.#maxLineBytes) {
        this.#mode = { kind: 'drop' };
        throw new AgentFloodError(`The guest agent sent an answer of more than ${this.#maxLineBytes} bytes.`);
      }
      if (end === -1) return null;
      const line = Buffer.concat(this.#mode.parts).toString('utf8');
      const { accept } = this.#mode;
      if (accept === null || accept(line)) {
        this.#mode = { kind: 'drop' };
        return line;
      }
      this.#drop(part.length);
      this.#mode = { kind: 'sentinel', accept };
      rest = rest.subarray(end + 1);
    }
  }

  #drop(bytes: number): void {
    this.#droppedBytes += bytes;
    if (this.#droppedBytes > this.#maxDroppedBytes) {
      throw new AgentFloodError(`The guest agent sent ${this.#droppedBytes} bytes that nobody asked for.`);
    }
  }
}
