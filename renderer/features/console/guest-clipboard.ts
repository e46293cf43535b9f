/** This computer's clipboard as one guest's console uses it: what the guest copied gets there, and the guest is told of what is copied here. */
import type { ClipboardHost, Copied, Selection } from '../../console/clipboard.ts';
import type { Console } from '../../console/console.ts';
import type { shell } from '../../state/bridge.ts';

type Told = Pick<Console, 'offerCopied' | 'usedAt'>;

/** While a console is used what is copied here is looked at so often, and takes a twentieth of the time at most: pictures can be large. */
const lookEveryMs = 1000;
const leastPause = 20;
/** A computer that was busy for a moment is no reason to miss what is copied in the minute after. */
const longestPauseMs = 10_000;
/**
 * A look stops the shell, and with it each key on its way. What is copied while a console has the keyboard is copied by a program: so whoever types or
 * points in the guest is not disturbed, but for a look now and then.
 */
const quietMs = 500;
const longestBusyMs = 5000;

export class GuestClipboard implements ClipboardHost {
  readonly #ask: typeof shell;
  /** What this guest put there: it has that itself, and in more forms than came over. */
  readonly #fromGuest = new Map<Selection, string>();
  readonly #offered = new Map<Selection, string>();
  #offeredTo: Told | null = null;
  /** How often the guest's has begun to be written, and how many of them are not there yet. */
  #writes = 0;
  #writing = 0;

  constructor(ask: typeof shell) {
    this.#ask = ask;
  }

  async write(selection: Selection, copied: Copied): Promise<void> {
    this.#writes++;
    this.#writing++;
    const answer = await this.#ask('shell.writeCopied', { selection, copied });
    this.#writing--;
    if (!answer.ok) return;
    this.#fromGuest.set(selection, answer.value);
    this.#offered.delete(selection);
  }

  async read(selection: Selection, kind: Copied['kind']): Promise<Copied | null> {
    const answer = await this.#ask('shell.readCopied', { selection, kind });
    if (!answer.ok || !answer.value) return null;
    return answer.value.kind === 'text' ? answer.value : { kind: 'png', png: new Uint8Array(answer.value.png) };
  }

  /** The guest was told that there is nothing any more. */
  withdrawn(): void {
    this.#offered.clear();
  }

  /** Tells the guest of what is copied here, now and whenever it changes; the answer ends that. */
  keepOffering(live: Told): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const look = async () => {
      const began = performance.now();
      await this.#offer(live, () => !ended);
      const pauseMs = Math.max(lookEveryMs, leastPause * (performance.now() - began));
      if (!ended) lookIn(Math.min(pauseMs, longestPauseMs), performance.now());
    };
    const lookIn = (ms: number, lookedAt: number) => {
      timer = setTimeout(() => {
        const now = performance.now();
        const busyMs = Math.min(live.usedAt + quietMs, lookedAt + longestBusyMs) - now;
        if (busyMs > 0) lookIn(busyMs, lookedAt);
        else void look();
      }, ms);
    };
    void look();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }

  /** Tells the guest of what was copied here since it was told last. */
  async #offer(live: Told, isWanted: () => boolean): Promise<void> {
    // What is seen while the guest's is on its way may be either, and nobody could say which.
    if (this.#writing > 0) return;
    const writes = this.#writes;
    const answer = await this.#ask('shell.copiedKinds', {});
    // A console that is not in use any more tells its guest nothing: what counted as told now would never be.
    if (!answer.ok || !isWanted() || writes !== this.#writes) return;
    if (live !== this.#offeredTo) this.#offered.clear();
    this.#offeredTo = live;
    for (const selection of ['clipboard', 'primary'] as const) {
      const has = answer.value[selection];
      if (!has || has.stamp === this.#fromGuest.get(selection) || has.stamp === this.#offered.get(selection)) continue;
      this.#offered.set(selection, has.stamp);
      this.#fromGuest.delete(selection);
      live.offerCopied(selection, has.kinds);
    }
  }
}
