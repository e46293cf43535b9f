import { useEffect, useState } from 'react';
import type { Guest } from '../../contract/guest-state.ts';
import { isLive } from './guest-words.ts';
import { OsLogo } from './OsLogo.tsx';
import './GuestThumbnail.css';

const liveMs = 5000;

/** The picture that was shown last of each guest, for the moment in which a card comes back. Addresses, so that the browser may forget them. */
const lastShown = new Map<string, string>();

/**
 * The picture of a guest's screen: a fresh one every few seconds while the guest runs and the window is looked at, else its last frame,
 * dimmed. Decoration: the state stands beside it in words. A list mounts only what is visible, so only that is asked for.
 */
export function GuestThumbnail({ guest }: { guest: Guest }) {
  const live = isLive(guest.state);
  // A guest that never ran has no picture, and a thousand of them need not be asked for one.
  const source = useScreen(guest.id, live, guest.state.since, live || guest.lastStartedAt !== null);
  return (
    <div className={live ? 'thumbnail' : 'thumbnail thumbnail-still'}>
      {source === null ? <OsLogo os={guest.spec.os} size={40} /> : <img src={source} alt="" draggable={false} />}
    </div>
  );
}

function useScreen(id: string, live: boolean, since: string, exists: boolean): string | null {
  const [source, setSource] = useState<string | null>(() => lastShown.get(id) ?? null);
  useEffect(() => {
    if (!exists) return;
    let gone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let waitMs = liveMs;
    const load = () => {
      if (document.hidden) return plan();
      const image = new Image();
      const address = `/engine/guests/${id}/screen.png?maxAgeMs=${liveMs}&t=${live ? Date.now() : Date.parse(since)}`;
      // Shown only once it is decoded, so that the old picture stays until then.
      image.onload = () => {
        if (gone) return;
        setSource(address);
        lastShown.set(id, address);
        waitMs = liveMs;
        plan();
      };
      image.onerror = () => {
        if (gone) return;
        // No picture yet: a guest that starts has none. Asked ever more rarely.
        waitMs = Math.min(waitMs * 2, 60_000);
        plan();
      };
      image.src = address;
    };
    const plan = () => {
      if (live) timer = setTimeout(load, waitMs);
    };
    // What only flies past while scrolling is not loaded.
    timer = setTimeout(load, 120);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id, live, since, exists]);
  return source;
}
