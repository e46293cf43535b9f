/** What is on its way, in a file of the app's own: what a kill leaves of it is known to the next start. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const mostEntries = 100;

export class Journal<Entry> {
  readonly #path: string;
  readonly #entries: z.ZodType<Entry[]>;
  readonly #keyOf: (entry: Entry) => string;
  readonly #flush: boolean;

  /**
   * `keyOf`: entries of one key replace each other. `flush`: outlives a loss of power too, and not only a kill; writing then waits for the disk, which
   * is not for what changes often.
   */
  constructor(path: string, entry: z.ZodType<Entry>, keyOf: (entry: Entry) => string, { flush }: { flush: boolean }) {
    this.#path = path;
    this.#entries = z.array(entry).max(mostEntries);
    this.#keyOf = keyOf;
    this.#flush = flush;
  }

  /** What cannot be read is as good as empty. */
  read(): Entry[] {
    try {
      return this.#entries.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return [];
    }
  }

  /** Of more than fit, the oldest is forgotten. Throws what writing a file throws. */
  put(entry: Entry): void {
    this.#write([...this.#others(entry), entry].slice(-mostEntries));
  }

  remove(entry: Entry): void {
    this.#write(this.#others(entry));
  }

  #others(entry: Entry): Entry[] {
    return this.read().filter((each) => this.#keyOf(each) !== this.#keyOf(entry));
  }

  #write(entries: Entry[]): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, JSON.stringify(entries), { mode: 0o600, flush: this.#flush });
    renameSync(temporary, this.#path);
  }
}
