import { useEffect } from 'react';
import type { GuestId } from '../../../contract/ids.ts';
import { type DesktopLook, ownLook } from '../../console/console.ts';
import type { SessionView } from '../../console/session.ts';
import { useRemembered } from '../../state/remembered.ts';

/** How the guest's desktop is to look: remembered for each guest, and told to every console of it. */
export function useDesktopLook(guestId: GuestId, view: SessionView | null): [DesktopLook, (look: DesktopLook) => void] {
  const [look, setLook] = useRemembered(`desktopLook.${guestId}`, ownLook, acceptLook);
  const live = view?.console ?? null;
  useEffect(() => live?.setDesktopLook(look), [live, look]);
  return [look, setLook];
}

function acceptLook(stored: unknown): DesktopLook | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { wallpaper, animations, fontSmoothing, depth } = stored as Partial<Record<keyof DesktopLook, unknown>>;
  if (typeof wallpaper !== 'boolean' || typeof animations !== 'boolean' || typeof fontSmoothing !== 'boolean') return null;
  return depth === null || depth === 16 || depth === 24 || depth === 32 ? { wallpaper, animations, fontSmoothing, depth } : null;
}
