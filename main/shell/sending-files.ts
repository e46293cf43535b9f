/**
 * Which files windows still have to send to guests. What nobody agreed to lose is told: at once when its page died or was loaded anew, and by the
 * next app when this one was killed (`journal.ts`).
 *
 * ```
 *   set ─► sent or cancelled (count 0), or let go by the user ─► forgotten
 *    └───► its page is gone, or the app ─────────────────────────► taken, to be told once
 * ```
 */
import { z } from 'zod';
import { type UnsentFiles, unsentFiles } from '../../contract/shell.ts';
import { Journal } from './journal.ts';

/** Of that window. */
const sending = z.strictObject({ window: z.string().max(100), unsent: unsentFiles });
type Sending = z.infer<typeof sending>;

const keyOf = ({ window, unsent }: Sending) => `${window} ${unsent.guest}`;

export function sendingJournal(path: string): Journal<Sending> {
  return new Journal(path, sending, keyOf, { flush: false });
}

export class SendingFiles {
  readonly #journal: Journal<Sending>;
  readonly #sending = new Map<string, Sending>();
  /** Windows whose files somebody agreed to lose, until they have none any more. */
  readonly #letGo = new Set<string>();
  /** Of apps before this one. */
  #left: Sending[];

  constructor(journal: Journal<Sending>) {
    this.#journal = journal;
    this.#left = journal.read();
  }

  set(window: string, unsent: UnsentFiles): void {
    const now = { window, unsent };
    if (unsent.count > 0) this.#sending.set(keyOf(now), now);
    else this.#sending.delete(keyOf(now));
    if (this.#of(window).length === 0) this.#letGo.delete(window);
    if (unsent.count > 0 && !this.#letGo.has(window)) this.#note(() => this.#journal.put(now));
    else this.#forget(now);
  }

  /** Whether files are on their way from that window that nobody has agreed to lose. */
  isSending(window: string): boolean {
    return this.#of(window).length > 0 && !this.#letGo.has(window);
  }

  /** The user wants the window to close all the same; whoever said so once is not asked again. */
  letGo(window: string): void {
    this.#letGo.add(window);
    for (const each of this.#of(window)) this.#forget(each);
  }

  /** The page of that window is gone: what it will not send any more, and what nobody agreed to lose. */
  take(window: string): UnsentFiles[] {
    const taken = this.#of(window);
    const agreed = this.#letGo.delete(window);
    for (const each of taken) {
      this.#sending.delete(keyOf(each));
      this.#forget(each);
    }
    return agreed ? [] : taken.map(({ unsent }) => unsent);
  }

  /** What an app before this one has left, once. */
  takeLeft(): UnsentFiles[] {
    const left = this.#left;
    this.#left = [];
    for (const each of left) if (!this.#sending.has(keyOf(each))) this.#forget(each);
    return left.map(({ unsent }) => unsent);
  }

  #of(window: string): Sending[] {
    return [...this.#sending.values()].filter((each) => each.window === window);
  }

  #forget(each: Sending): void {
    this.#note(() => this.#journal.remove(each));
  }

  /** What is not remembered is not told after a kill: no reason to send nothing. */
  #note(write: () => void): void {
    try {
      write();
    } catch {
      // The disk of the data folder is full, or not there.
    }
  }
}
