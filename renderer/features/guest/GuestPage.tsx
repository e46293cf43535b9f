import { SearchX } from 'lucide-react';
import { type ReactNode, useEffect } from 'react';
import { Redirect, useLocation } from 'wouter';
import type { GuestId } from '../../../contract/ids.ts';
import { isLive } from '../../parts/guest-words.ts';
import { useGuest } from '../../state/store.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState } from '../../ui/feedback.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { words } from '../../words/en.ts';
import { GuestActivity } from './GuestActivity.tsx';
import { GuestHeader } from './GuestHeader.tsx';
import { GuestOverview } from './GuestOverview.tsx';
import { GuestPanels } from './GuestPanels.tsx';
import './guest.css';

const tabs = ['console', 'overview', 'hardware', 'snapshots', 'activity', 'terminal'] as const;
type GuestTab = (typeof tabs)[number];

type Props = { guestId: GuestId; tab: string | undefined } & Record<'console' | 'hardware' | 'snapshots' | 'terminal', ReactNode>;

/** One guest: what it is, how it does, its screen and its terminal. */
export function GuestPage({ guestId, tab, console: consoleTab, hardware, snapshots, terminal }: Props) {
  const guest = useGuest(guestId);
  const [, navigate] = useLocation();
  const name = guest?.spec.name;
  useEffect(() => {
    if (name !== undefined) document.title = words.app.title(name);
  }, [name]);
  if (!guest) return <Gone />;
  const chosen = tabs.find((each) => each === tab);
  if (!chosen) return <Redirect to={`/guests/${guestId}/${isLive(guest.state) ? 'console' : 'overview'}`} replace />;
  return (
    <div className="guest-page">
      <GuestHeader guest={guest} />
      <GuestPanels guest={guest} />
      <Tabs<GuestTab>
        label={words.guest.tabs.label}
        tabs={tabs.map((id) => ({ id, label: words.guest.tabs[id] }))}
        value={chosen}
        onChange={(next) => navigate(`/guests/${guestId}/${next}`)}
        fill
      >
        {chosen === 'console' && consoleTab}
        {chosen === 'overview' && <GuestOverview guest={guest} />}
        {chosen === 'hardware' && hardware}
        {chosen === 'snapshots' && snapshots}
        {chosen === 'activity' && <GuestActivity guest={guest} />}
        {chosen === 'terminal' && terminal}
      </Tabs>
    </div>
  );
}

function Gone() {
  const [, navigate] = useLocation();
  return (
    <EmptyState
      icon={SearchX}
      level={1}
      title={words.guest.goneTitle}
      actions={
        <>
          <Button kind="primary" onPress={() => navigate('/library')}>
            {words.app.toLibrary}
          </Button>
          <Button onPress={() => navigate('/trash')}>{words.guest.openTrash}</Button>
        </>
      }
    >
      {words.guest.goneText}
    </EmptyState>
  );
}
