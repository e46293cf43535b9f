import { useEffect, useState } from 'react';
import type { ClipboardPolicy } from '../../../contract/guest-spec.ts';
import type { ClipboardHost, Copied, Selection } from '../../console/clipboard.ts';
import type { Console } from '../../console/console.ts';
import { shell } from '../../state/bridge.ts';

/** This computer's clipboard as one guest's console uses it. */
export class GuestClipboard implements ClipboardHost {
  /** What this guest put there: it has that itself, and in more forms than came over. */
  readonly #fromGuest = new Map<Selection, string>();
  readonly #offered = new Map<Selection, string>();
  #offeredTo: Console | null = null;

  async write(selection: Selection, copied: Copied): Promise<void> {
    const answer = await shell('shell.writeCopied', { selection, copied });
    if (!answer.ok) return;
    this.#fromGuest.set(selection, answer.value);
    this.#offered.delete(selection);
  }

  async read(selection: Selection, kind: Copied['kind']): Promise<Copied | null> {
    const answer = await shell('shell.readCopied', { selection, kind });
    if (!answer.ok || !answer.value) return null;
    return answer.value.kind === 'text' ? answer.value : { kind: 'png', png: new Uint8Array(answer.value.png) };
  }

  /** The guest was told that there is nothing any more. */
  withdrawn(): void {
    this.#offered.clear();
  }

  /** Tells the guest of what was copied here since it was told last. */
  async offer(live: Console): Promise<void> {
    const answer = await shell('shell.copiedKinds', {});
    if (!answer.ok) return;
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

/** While a console is used what is copied here is looked at so often, and takes a twentieth of the time at most: pictures can be large. */
const lookEveryMs = 1000;
const leastPause = 20;

/**
 * Shares the clipboard with the guest of `live` while its console is in use, as the guest's policy says. What is copied here is not looked at while
 * the guest has no agent to be told of it: looking stops the shell, and with it every console, for some milliseconds.
 */
export function useClipboard(
  board: GuestClipboard,
  live: Console | null,
  policy: ClipboardPolicy,
  inUse: boolean,
  possible: boolean,
): void {
  useEffect(() => live?.setClipboard(policy, inUse), [live, policy, inUse]);
  useEffect(() => {
    if (!live) return;
    if (policy !== 'both' && policy !== 'to-guest') board.withdrawn();
    else if (inUse && possible) return keepOffering(board, live);
    return;
  }, [board, live, policy, inUse, possible]);
}

/** Tells the guest of what is copied here, now and whenever it changes; the answer ends that. */
function keepOffering(board: GuestClipboard, live: Console): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const look = async () => {
    const began = performance.now();
    await board.offer(live);
    if (!ended) timer = setTimeout(() => void look(), Math.max(lookEveryMs, leastPause * (performance.now() - began)));
  };
  void look();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Of this window, or of another that the page has opened; false while there is none. */
export function useWindowFocus(of: Window | null = window): boolean {
  const [focused, setFocused] = useState(false);
  useEffect(() => {
    if (!of) return;
    const changed = () => setFocused(of.document.hasFocus());
    const gone = () => setFocused(false);
    changed();
    of.addEventListener('focus', changed);
    of.addEventListener('blur', gone);
    return () => {
      of.removeEventListener('focus', changed);
      of.removeEventListener('blur', gone);
    };
  }, [of]);
  return focused;
}
