/**
 * What the page knows of the engine, as a value, and how a message of the feed changes it. Pure: the store holds it and
 * `engine-feed.ts` feeds it.
 *
 * INVARIANT: after every message the state equals what the engine would send as a snapshot, or the caller is told to begin anew
 * (`engine-state.test.ts`).
 */
import type { EngineInfo, FeedEvent, ServerMessage } from '../../contract/events.ts';
import type { Guest, Sample } from '../../contract/guest-state.ts';
import type { Image } from '../../contract/image.ts';
import type { Job } from '../../contract/job.ts';
import { defaultSettings, type Settings } from '../../contract/settings.ts';

export type EngineState = {
  /** Null until the first snapshot came. */
  engine: EngineInfo | null;
  seq: number;
  /** By id; those in the trash are not among them. */
  guests: Readonly<Record<string, Guest>>;
  images: Readonly<Record<string, Image>>;
  jobs: Readonly<Record<string, Job>>;
  settings: Settings;
  /** What happened since the page was opened, oldest first, bounded. */
  events: readonly FeedEvent[];
};

export const initialEngineState: EngineState = {
  engine: null,
  seq: 0,
  guests: {},
  images: {},
  jobs: {},
  settings: defaultSettings,
  events: [],
};

const eventsKept = 200;

export type Applied = { state: EngineState; gap: false } | { gap: true };

/** The state after `message`. A gap in the numbers means that something was missed: the subscription begins anew. */
export function applyMessage(state: EngineState, message: ServerMessage): Applied {
  if (message.type === 'snapshot') {
    const { engine, guests, images, jobs, settings } = message.snapshot;
    return {
      gap: false,
      state: {
        engine,
        seq: message.seq,
        guests: keepSame(
          state.guests,
          guests.filter((guest) => guest.trashedAt === null),
        ),
        images: keepSame(state.images, images),
        jobs: keepSame(state.jobs, jobs),
        settings,
        events: state.engine?.instanceId === engine.instanceId ? state.events : [],
      },
    };
  }
  if (state.engine === null || message.seq !== state.seq + 1) return { gap: true };
  return { gap: false, state: { ...state, seq: message.seq, ...change(state, message) } };
}

function change(state: EngineState, message: Exclude<ServerMessage, { type: 'snapshot' }>): Partial<EngineState> {
  switch (message.type) {
    case 'guest':
      return { guests: withEntry(state.guests, message.id, message.guest?.trashedAt === null ? message.guest : null) };
    case 'image':
      return { images: withEntry(state.images, message.id, message.image) };
    case 'images':
      return { images: { ...state.images, ...Object.fromEntries(message.images.map((image) => [image.id, image])) } };
    case 'job':
      return { jobs: withEntry(state.jobs, message.id, message.job) };
    case 'settings':
      return { settings: message.settings };
    case 'event':
      return { events: [...state.events, message.event].slice(-eventsKept) };
    case 'samples':
      return {};
  }
}

function withEntry<T>(record: Readonly<Record<string, T>>, id: string, value: T | null): Readonly<Record<string, T>> {
  if (value !== null) return { ...record, [id]: value };
  const { [id]: _gone, ...rest } = record;
  return rest;
}

/** A record of `list`, with the objects of `before` where nothing changed, so that what shows them is not drawn again. */
function keepSame<T extends { id: string }>(before: Readonly<Record<string, T>>, list: readonly T[]): Record<string, T> {
  const record: Record<string, T> = {};
  for (const item of list) {
    const known = before[item.id];
    record[item.id] = known && JSON.stringify(known) === JSON.stringify(item) ? known : item;
  }
  return record;
}

/** The newest samples of the guests that are looked at, oldest first. */
export type SampleRing = readonly Sample[];
export const samplesKept = 120;

/** `ring` with `sample` behind it; one that is not newer is dropped. */
export function appendSample(ring: SampleRing | undefined, sample: Sample): SampleRing {
  if (!ring) return [sample];
  const last = ring.at(-1);
  if (last && sample.at <= last.at) return ring;
  return [...ring, sample].slice(-samplesKept);
}
