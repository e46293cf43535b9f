/** Which recordings are on their way, in a file of the app's own: what a kill leaves of them is made whole by the next start. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const entry = z.object({
  /** The file that grows. */
  temporary: z.string().max(4096),
  /** What it is to be called. */
  path: z.string().max(4096),
});
export type JournalEntry = z.infer<typeof entry>;

const journal = z.array(entry).max(100);

export class RecordingJournal {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** What cannot be read is as good as empty: then a file keeps the name that it has, and plays. */
  read(): JournalEntry[] {
    try {
      return journal.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch {
      return [];
    }
  }

  /** Throws what writing a file throws. */
  add(begun: JournalEntry): void {
    this.#write([...this.#others(begun), begun]);
  }

  remove({ temporary }: Pick<JournalEntry, 'temporary'>): void {
    this.#write(this.#others({ temporary }));
  }

  #others({ temporary }: Pick<JournalEntry, 'temporary'>): JournalEntry[] {
    return this.read().filter((each) => each.temporary !== temporary);
  }

  #write(entries: JournalEntry[]): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, JSON.stringify(entries), { mode: 0o600, flush: true });
    renameSync(temporary, this.#path);
  }
}
