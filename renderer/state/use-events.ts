import { useCallback, useEffect, useMemo, useState } from 'react';
import type { GuesthouseError } from '../../contract/errors.ts';
import type { FeedEvent } from '../../contract/events.ts';
import type { GuestId } from '../../contract/ids.ts';
import { call } from './bridge.ts';
import { useEngineStore } from './store.ts';

const pageSize = 100;

/** Newest first, without doubles: what was read from the engine and what came over the feed since. */
export function mergeEvents(read: readonly FeedEvent[], live: readonly FeedEvent[], guest: GuestId | undefined): FeedEvent[] {
  const byId = new Map<number, FeedEvent>();
  for (const event of [...read, ...live]) if (guest === undefined || event.guestId === guest) byId.set(event.id, event);
  return [...byId.values()].sort((one, other) => other.id - one.id);
}

type Events = {
  /** Null until the first answer. */
  events: FeedEvent[] | null;
  error: GuesthouseError | null;
  loading: boolean;
  /** Reads older ones; null when there are none. */
  more: (() => void) | null;
};

/** What happened, to one guest or at all; new events show up as they come. */
export function useEvents(guest?: GuestId): Events {
  const live = useEngineStore((state) => state.events);
  const instance = useEngineStore((state) => state.engine?.instanceId);
  const [read, setRead] = useState<FeedEvent[] | null>(null);
  const [error, setError] = useState<GuesthouseError | null>(null);
  const [loading, setLoading] = useState(true);
  const [complete, setComplete] = useState(false);

  const load = useCallback(
    async (beforeId: number | undefined): Promise<FeedEvent[] | null> => {
      setLoading(true);
      const answer = await call('event.list', {
        limit: pageSize,
        ...(guest === undefined ? {} : { guest }),
        ...(beforeId === undefined ? {} : { beforeId }),
      });
      setLoading(false);
      setError(answer.ok ? null : answer.error);
      if (!answer.ok) return null;
      setComplete(answer.value.length < pageSize);
      return answer.value;
    },
    [guest],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: another engine is read from the beginning
  useEffect(() => {
    let gone = false;
    void load(undefined).then((events) => {
      if (!gone && events) setRead(events);
    });
    return () => {
      gone = true;
    };
  }, [load, instance]);

  const events = useMemo(() => (read === null ? null : mergeEvents(read, live, guest)), [read, live, guest]);
  const oldest = events?.at(-1)?.id;
  const more = useCallback(
    () => void load(oldest).then((older) => older && setRead((before) => [...(before ?? []), ...older])),
    [load, oldest],
  );
  return { events, error, loading, more: complete || loading || !events || events.length === 0 ? null : more };
}
