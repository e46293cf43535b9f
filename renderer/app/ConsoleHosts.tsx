import { useEffect } from 'react';
import { createPortal } from 'react-dom';
import type { GuestId } from '../../contract/ids.ts';
import { keepWorkerReady } from '../console/spice/ready-worker.ts';
import { isReachable } from '../features/console/absence.ts';
import { ConsolePane } from '../features/console/ConsolePane.tsx';
import { closeConsole, consoleElement, dropConsoleElement, useOpenConsoles } from '../state/open-consoles.ts';
import { useEngineStore } from '../state/store.ts';

/**
 * Draws every open console once, each into its own element. The guest page takes that element in while its Console tab is visible and
 * gives it back afterwards, so that walking through the window never ends a connection.
 */
export function ConsoleHosts() {
  const guestIds = useOpenConsoles((state) => state.guestIds);
  const active = useOpenConsoles((state) => state.active);
  const mayOpen = useEngineStore((state) => Object.values(state.guests).some(isReachable));
  const first = guestIds.length === 0 && mayOpen;
  useEffect(() => (first ? keepWorkerReady() : undefined), [first]);
  return guestIds.map((id) => <ConsoleHost key={id} id={id} visible={id === active} />);
}

function ConsoleHost({ id, visible }: { id: GuestId; visible: boolean }) {
  const gone = useEngineStore((state) => state.engine !== null && state.guests[id] === undefined);
  useEffect(() => () => dropConsoleElement(id), [id]);
  useEffect(() => {
    if (gone) closeConsole(id);
  }, [gone, id]);
  return createPortal(<ConsolePane guestId={id} visible={visible} />, consoleElement(id), id);
}
