import { useEffect } from 'react';

type KeyboardWithLock = { keyboard?: { lock(): Promise<void>; unlock(): void } };

/** While `on`, keys that the desktop keeps for itself (Super, Alt+Tab) come to the page, where the platform allows it. */
export function useFullScreenKeys(on: boolean): void {
  useEffect(() => {
    const { keyboard } = navigator as Navigator & KeyboardWithLock;
    if (!on || !keyboard) return;
    // Refused on some desktops; the menu sends those keys as well.
    keyboard.lock().catch(() => undefined);
    return () => keyboard.unlock();
  }, [on]);
}
