import { useEffect } from 'react';
import { keyCodes } from '../../console/keyboard/scancodes.ts';

type KeyboardWithLock = { keyboard?: { lock(codes?: string[]): Promise<void>; unlock(): void } };

/** While `on`, keys that the desktop keeps for itself (Super, Alt+Tab) come to the window, where the platform allows it; not those of `localKeys`. */
export function useFullScreenKeys(on: boolean, localKeys: readonly string[], of: Window | null = window): void {
  const kept = localKeys.map((combination) => combination.split('+').at(-1) ?? '').join(' ');
  useEffect(() => {
    const keyboard = (of?.navigator as (Navigator & KeyboardWithLock) | undefined)?.keyboard;
    if (!on || !keyboard) return;
    const leave = new Set(kept.split(' '));
    // Refused on some desktops; the menu sends those keys as well.
    keyboard.lock(kept === '' ? undefined : keyCodes.filter((code) => !leave.has(code))).catch(() => undefined);
    return () => keyboard.unlock();
  }, [on, kept, of]);
}
