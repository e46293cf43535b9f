/**
 * Files that are written as a whole to where somebody chose: what stood there before stays until the new one is on the disk. They grow under a hidden
 * name of ours beside it, which is noted (`journal.ts`), so that the next app removes what a kill has left.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Journal } from './journal.ts';
import { writeFailure } from './write-failure.ts';

/** Nothing else is ever removed, whatever the journal says. */
const ourName = /(^|[/\\])\.guesthouse-[0-9a-f-]{36}\.new$/;
const growing = z.strictObject({ temporary: z.string().max(4096).regex(ourName) });
type Growing = z.infer<typeof growing>;

export function chosenFilesJournal(path: string): Journal<Growing> {
  return new Journal(path, growing, ({ temporary }) => temporary, { flush: false });
}

export class ChosenFiles {
  readonly #journal: Journal<Growing>;
  /** Of apps before this one. */
  readonly #left: Growing[];

  constructor(journal: Journal<Growing>) {
    this.#journal = journal;
    this.#left = journal.read();
  }

  /** @throws Failure `store/not-writable`, `store/full`; what stood there before stays then */
  async write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(dirname(path), `.guesthouse-${randomUUID()}.new`);
    this.#note(() => this.#journal.put({ temporary }));
    try {
      await writeFile(temporary, bytes, { flag: 'wx', flush: true });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw writeFailure(path, error);
    } finally {
      this.#note(() => this.#journal.remove({ temporary }));
    }
  }

  /** Removes what an app before this one has left. */
  async removeLeft(): Promise<void> {
    for (const left of this.#left) {
      // A disk that is not there now may come back.
      if (!existsSync(dirname(left.temporary))) continue;
      await rm(left.temporary, { force: true }).catch(() => {});
      this.#note(() => this.#journal.remove(left));
    }
  }

  /** What is not noted may be left by a kill: no reason to save nothing. */
  #note(write: () => void): void {
    try {
      write();
    } catch {
      // The disk of the data folder is full, or not there.
    }
  }
}
