import { useEffect, useState } from 'react';
import type { ClipboardPolicy } from '../../../contract/guest-spec.ts';
import type { Console } from '../../console/console.ts';
import type { GuestClipboard } from './guest-clipboard.ts';

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
    else if (inUse && possible) return board.keepOffering(live);
    return;
  }, [board, live, policy, inUse, possible]);
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
