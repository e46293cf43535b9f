/**
 * Between the parts of the engine, which say what changed, and the connections, which pass it on. Also knows which guests
 * somebody looks at.
 */
import type { FeedEvent, ServerMessage } from '../../../contract/events.ts';
import type { Sample } from '../../../contract/guest-state.ts';
import type { GuestId } from '../../../contract/ids.ts';
import type { Log } from '../log/log.ts';
import type { Changes } from './feed.ts';

type WithoutSeq<Message> = Message extends unknown ? Omit<Message, 'seq'> : never;
/** A message to clients before it has its place in one connection's sequence. */
export type Change = WithoutSeq<Exclude<ServerMessage, { type: 'snapshot' | 'samples' }>>;
export type SampleOf = { guestId: GuestId; sample: Sample };

export type HubListener = {
  /** `json` is the change as an object's text, made once for all connections. */
  change(json: string): void;
  samples(samples: readonly SampleOf[]): void;
};

export type HubConnection = { watch(guestIds: readonly GuestId[]): void; close(): void };

export type ChangesHub = Changes & {
  event(event: FeedEvent): void;
  samples(samples: readonly SampleOf[]): void;
  connect(listener: HubListener): HubConnection;
  connectionCount(): number;
  /** Every guest that at least one connection watches. */
  watched(): ReadonlySet<GuestId>;
};

export function createChangesHub(log: Log): ChangesHub {
  const connections = new Map<HubListener, readonly GuestId[]>();
  let watched: ReadonlySet<GuestId> = new Set();

  const each = (deliver: (listener: HubListener) => void) => {
    for (const listener of [...connections.keys()]) {
      try {
        deliver(listener);
      } catch (thrown) {
        log.error({ error: thrown }, 'A change could not be delivered to a client.');
      }
    }
  };
  const tell = (change: Change) => {
    if (connections.size === 0) return;
    const json = JSON.stringify(change);
    each((listener) => listener.change(json));
  };
  const recount = () => {
    watched = new Set([...connections.values()].flat());
  };
  return {
    guest: (id, guest) => tell({ type: 'guest', id, guest }),
    image: (id, image) => tell({ type: 'image', id, image }),
    images: (images) => void (images.length > 0 && tell({ type: 'images', images: [...images] })),
    job: (id, job) => tell({ type: 'job', id, job }),
    settings: (settings) => tell({ type: 'settings', settings }),
    event: (event) => tell({ type: 'event', event }),
    samples: (samples) => each((listener) => listener.samples(samples)),
    connect(listener) {
      connections.set(listener, []);
      return {
        watch(guestIds) {
          if (!connections.has(listener)) return;
          connections.set(listener, guestIds);
          recount();
        },
        close() {
          connections.delete(listener);
          recount();
        },
      };
    },
    connectionCount: () => connections.size,
    watched: () => watched,
  };
}
