import { useEffect, useState, useSyncExternalStore } from 'react';
import type { Guest } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import { openPort } from '../../console/open-stream.ts';
import { ConsoleSession, type SessionView } from '../../console/session.ts';
import { SpiceConsole } from '../../console/spice/spice-console.ts';
import { bridge, call, shell } from '../../state/bridge.ts';
import { useEngineStore } from '../../state/store.ts';
import { isReachable } from './absence.ts';
import { type Claim, claimConsole } from './claim.ts';
import { GuestClipboard } from './guest-clipboard.ts';

/** How long a console that shows a guest which has moved may take to go along: one that was not told of it never does. */
const goesAlongWithinMs = 5000;
/** How long another window may take to give up the console before this one says that it is there. */
const elsewhereAfterMs = 150;

export type UsedConsole = {
  session: ConsoleSession | null;
  view: SessionView | null;
  /** Another window shows it. */
  elsewhere: boolean;
  takeOver(): void;
  clipboard: GuestClipboard;
};

/** A connection to the console of `guest` for as long as the component is there. */
export function useConsole(guestId: GuestId, guest: Guest | undefined): UsedConsole {
  const [clipboard] = useState(() => new GuestClipboard(shell));
  const [session, setSession] = useState<ConsoleSession | null>(null);
  const [claim, setClaim] = useState<Claim | null>(null);
  const [held, setHeld] = useState(false);
  const [elsewhere, setElsewhere] = useState(false);

  useEffect(() => {
    const made = new ConsoleSession(
      () =>
        new SpiceConsole({
          openPort: (place, arriving) => openPort(bridge, { kind: 'spice', guest: guestId, place, arriving }),
          openFolders: () => openPort(bridge, { kind: 'folders', guest: guestId }),
          keysRead: async () => {
            const answer = await call('guest.keysRead', { guest: guestId });
            return answer.ok ? answer.value.read : null;
          },
          clipboard,
          lineEnd: bridge.info.platform === 'win32' ? 'crlf' : 'lf',
        }),
    );
    const claimed = claimConsole(guestId, setHeld);
    setSession(made);
    setClaim(claimed);
    return () => {
      claimed.release();
      made.close();
      setHeld(false);
    };
  }, [guestId, clipboard]);

  useEffect(() => {
    if (held) {
      setElsewhere(false);
      return;
    }
    const timer = setTimeout(() => setElsewhere(true), elsewhereAfterMs);
    return () => clearTimeout(timer);
  }, [held]);

  // Connecting needs the engine to say where; a connection that stands does not need it any more.
  const engineConnected = useEngineStore((state) => state.connection.state === 'connected');
  const reachable = guest !== undefined && isReachable(guest);
  const connected = useSyncExternalStore(session?.subscribe ?? subscribeToNothing, () => session?.view.phase === 'connected');
  const movedAway = guest?.state.pause?.kind === 'moved';
  useEffect(() => {
    session?.setMovedAway(movedAway);
    if (!movedAway || !session) return;
    const timer = setTimeout(() => {
      if (session.view.console && !session.view.moved) session.connectAnew();
    }, goesAlongWithinMs);
    return () => clearTimeout(timer);
  }, [session, movedAway]);
  // One that shows the guest where it went shows it also after the QEMU has ended that the engine watches.
  const alongElsewhere = useSyncExternalStore(session?.subscribe ?? subscribeToNothing, () => (session?.view.moved ?? false) && connected);
  useEffect(() => {
    session?.setWanted(held && (alongElsewhere || (reachable && (engineConnected || connected))));
  }, [session, held, reachable, engineConnected, connected, alongElsewhere]);

  const view = useSyncExternalStore(session?.subscribe ?? subscribeToNothing, () => session?.view ?? null);
  return { session, view, elsewhere: elsewhere && !held, takeOver: () => claim?.takeOver(), clipboard };
}

const subscribeToNothing = () => () => undefined;
