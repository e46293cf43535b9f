import { History } from 'lucide-react';
import type { Guest } from '../../../contract/guest-state.ts';
import { ErrorPanel } from '../../parts/ErrorPanel.tsx';
import { EventList } from '../../parts/EventList.tsx';
import { useEvents } from '../../state/use-events.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState, Skeleton } from '../../ui/feedback.tsx';
import { words } from '../../words/en.ts';

/** What happened to a guest, newest first. */
export function GuestActivity({ guest }: { guest: Guest }) {
  const { events, error, loading, more } = useEvents(guest.id);
  return (
    <div className="page">
      {error && <ErrorPanel error={error} />}
      {!events && loading && <Skeleton height={200} />}
      {events?.length === 0 && <EmptyState icon={History} title={words.guest.activityEmpty} />}
      {events && events.length > 0 && <EventList events={events} />}
      {more && (
        <div>
          <Button onPress={more}>{words.common.loadMore}</Button>
        </div>
      )}
    </div>
  );
}
