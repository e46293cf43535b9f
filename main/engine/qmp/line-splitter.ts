/**
 * Cuts a byte stream into lines, holding at most `maxBytes` of a line that has not ended. What is on the other side (QEMU, or
 * the agent inside a guest) is not fully trusted: a line that never ends must not fill the engine's memory.
 */

export class LineTooLongError extends Error {
  override name = 'LineTooLongError';
  constructor(maxBytes: number) {
    super(`A line was longer than ${maxBytes} bytes.`);
  }
}

const newline = 0x0a;

export class LineSplitter {
  #parts: Buffer[] = [];
  #heldBytes = 0;
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that `chunk` completed, without their newline.
   * @throws LineTooLongError as soon as a line is longer than the limit; the splitter is of no use afterwards.
   */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#hold(chunk.subarray(start, end));
      lines.push(this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts));
      this.#parts = [];
      this.#heldBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
    return lines;
  }

  #hold(part: Buffer): void {
    this.#heldBytes += part.length;
    if (this.#heldBytes > this.#maxBytes) {
      this.#parts = [];
      throw new LineTooLongError(this.#maxBytes);
    }
    this.#parts.push(part);
  }
}
