import { useEffect, useLayoutEffect, useRef } from 'react';
import type { GuestId } from '../../contract/ids.ts';
import { consoleElement, openConsole, setActiveConsole, useOpenConsoles } from '../state/open-consoles.ts';

/** Where a guest's console shows: opens it when it is not open yet, and takes in its element while this is mounted. */
export function ConsoleSlot({ guestId }: { guestId: GuestId }) {
  const slot = useRef<HTMLDivElement>(null);
  const open = useOpenConsoles((state) => state.guestIds.includes(guestId));
  useEffect(() => openConsole(guestId), [guestId]);
  useLayoutEffect(() => {
    if (!open) return;
    const element = consoleElement(guestId);
    slot.current?.append(element);
    setActiveConsole(guestId);
    return () => {
      element.remove();
      setActiveConsole(null);
    };
  }, [guestId, open]);
  return <div ref={slot} className="console-slot" />;
}
