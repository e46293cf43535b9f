import { SearchX } from 'lucide-react';
import { useEffect } from 'react';
import type { GuestId } from '../../contract/ids.ts';
import { ConsolePane } from '../features/console/ConsolePane.tsx';
import { useGuest, useLoaded } from '../state/store.ts';
import { EmptyState } from '../ui/feedback.tsx';
import { words } from '../words/en.ts';
import './ConsoleWindow.css';

/** A window that is one guest's console and nothing else. */
export function ConsoleWindow({ guestId }: { guestId: GuestId }) {
  const guest = useGuest(guestId);
  const loaded = useLoaded();
  const name = guest?.spec.name;
  useEffect(() => {
    if (name !== undefined) document.title = words.app.consoleWindowTitle(name);
  }, [name]);
  if (loaded && !guest)
    return (
      <main className="console-window">
        <EmptyState icon={SearchX} level={1} title={words.guest.goneTitle}>
          {words.guest.goneText}
        </EmptyState>
      </main>
    );
  return (
    <main className="console-window" aria-label={words.guest.tabs.console}>
      <ConsolePane guestId={guestId} visible />
    </main>
  );
}
