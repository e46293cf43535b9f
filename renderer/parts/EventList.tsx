import { CircleAlert, Info, OctagonAlert } from 'lucide-react';
import { Link } from 'wouter';
import type { FeedEvent } from '../../contract/events.ts';
import { useEngineStore } from '../state/store.ts';
import { words } from '../words/en.ts';
import { TimeText } from './TimeText.tsx';
import './EventList.css';

const icons = { info: Info, warning: CircleAlert, problem: OctagonAlert };

/** What happened, a line each. `linked` makes the guest of each a way to it. */
export function EventList({ events, linked = false }: { events: readonly FeedEvent[]; linked?: boolean }) {
  return (
    <ul className="events">
      {events.map((event) => (
        <EventLine key={event.id} event={event} linked={linked} />
      ))}
    </ul>
  );
}

function EventLine({ event, linked }: { event: FeedEvent; linked: boolean }) {
  const Icon = icons[event.severity];
  const name = useEngineStore((state) => (event.guestId === null ? undefined : state.guests[event.guestId]?.spec.name));
  return (
    <li className={`event event-${event.severity}`}>
      <Icon size={16} role="img" aria-label={words.activity.severities[event.severity]} />
      <span className="event-words selectable" dir="auto">
        {event.text}
      </span>
      {linked && name !== undefined && (
        <Link href={`/guests/${event.guestId}/activity`} className="ellipsis event-link">
          <bdi>{name}</bdi>
        </Link>
      )}
      <span className="muted small event-time">
        <TimeText at={event.at} />
      </span>
    </li>
  );
}
