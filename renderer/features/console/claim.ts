/**
 * A guest's SPICE server serves one client at a time and sends the older one away when a second comes. So that two windows of this app do not
 * take the console from each other for ever, a window connects only while it holds the guest's lock (the Web Locks API, which all windows
 * of one origin share).
 */
import type { GuestId } from '../../../contract/ids.ts';

export type Claim = {
  /** Takes the console over from the window that has it. */
  takeOver(): void;
  /** Gives it up, for good. */
  release(): void;
};

/** Waits for the lock of `guest`, and tells whenever it is won or lost to another window. */
export function claimConsole(guest: GuestId, changed: (held: boolean) => void): Claim {
  const name = `console-${guest}`;
  let over = false;
  let abandon = new AbortController();
  let letGo = () => {};
  let newest = 0;

  const wait = (options: LockOptions): void => {
    const number = ++newest;
    navigator.locks
      .request(name, options, async () => {
        if (over || number !== newest) return;
        changed(true);
        await new Promise<void>((resolve) => {
          letGo = resolve;
        });
      })
      // Taken by another window: this one waits until that one is done. An abandoned wait ends here as well, and what this window took from itself.
      .catch((error: unknown) => {
        if (over || number !== newest || !(error instanceof DOMException)) return;
        letGo();
        changed(false);
        wait({ signal: abandon.signal });
      });
  };
  wait({ signal: abandon.signal });

  return {
    takeOver: () => {
      if (over) return;
      abandon.abort();
      abandon = new AbortController();
      wait({ steal: true });
    },
    release: () => {
      over = true;
      abandon.abort();
      letGo();
    },
  };
}
