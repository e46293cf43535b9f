/** The page's copy of what the engine holds. Components read it with {@link useEngine}; only `engine-feed.ts` writes it. */
import { create } from 'zustand';
import { useShallow } from 'zustand/react/shallow';
import type { ServerMessage } from '../../contract/events.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { Image } from '../../contract/image.ts';
import { type Job, jobEnded } from '../../contract/job.ts';
import type { Settings } from '../../contract/settings.ts';
import { type EngineConnection, headWindowName, type PhysicalDisplay, type ShellEvent } from '../../contract/shell.ts';
import { appendSample, applyMessage, type EngineState, initialEngineState, type SampleRing } from './engine-state.ts';

type Store = EngineState & {
  connection: EngineConnection;
  fullScreen: boolean;
  /** The monitors' windows that are full screen, by their names. */
  fullHeads: ReadonlySet<string>;
  displays: readonly PhysicalDisplay[];
};

export const useEngineStore = create<Store>()(() => ({
  ...initialEngineState,
  connection: { state: 'starting' },
  fullScreen: false,
  fullHeads: new Set<string>(),
  displays: [],
}));

/** Samples change every second for every visible guest; a store of their own keeps everything else still. */
export const useSampleStore = create<Record<string, SampleRing>>()(() => ({}));

/** Takes over one message. False when it does not follow the last one. */
export function takeMessage(message: ServerMessage): boolean {
  const applied = applyMessage(useEngineStore.getState(), message);
  if (applied.gap) return false;
  if (message.type === 'snapshot') useSampleStore.setState({}, true);
  if (message.type === 'samples') {
    const rings = useSampleStore.getState();
    const changed: Record<string, SampleRing> = {};
    for (const { guestId, sample } of message.samples) changed[guestId] = appendSample(rings[guestId], sample);
    useSampleStore.setState(changed);
  }
  useEngineStore.setState(applied.state);
  return true;
}

/** Takes over what the shell says of this window, or of a monitor's that it has opened. */
export function takeFullScreen({ on, window }: Extract<ShellEvent, { type: 'fullScreen' }>): void {
  if (!window) {
    useEngineStore.setState({ fullScreen: on });
    return;
  }
  const fullHeads = new Set(useEngineStore.getState().fullHeads);
  if (on) fullHeads.add(headWindowName(window));
  else fullHeads.delete(headWindowName(window));
  useEngineStore.setState({ fullHeads });
}

export function useConnection(): EngineConnection {
  return useEngineStore((state) => state.connection);
}

/** True once there is something to show. */
export function useLoaded(): boolean {
  return useEngineStore((state) => state.engine !== null);
}

export function useGuest(id: string): Guest | undefined {
  return useEngineStore((state) => state.guests[id]);
}

export function useGuests(): Readonly<Record<string, Guest>> {
  return useEngineStore((state) => state.guests);
}

export function useImages(): Readonly<Record<string, Image>> {
  return useEngineStore((state) => state.images);
}

export function useSettings(): Settings {
  return useEngineStore((state) => state.settings);
}

export function useJob(id: string | null): Job | undefined {
  return useEngineStore((state) => (id === null ? undefined : state.jobs[id]));
}

/** Newest first. */
export function useJobs(): readonly Job[] {
  const jobs = useEngineStore((state) => state.jobs);
  return Object.values(jobs).sort((one, other) => other.createdAt.localeCompare(one.createdAt));
}

/** The jobs under way for one guest. */
export function useGuestJobs(id: string): readonly Job[] {
  return useEngineStore(
    useShallow((state) =>
      Object.values(state.jobs).filter((job) => job.target.kind === 'guest' && job.target.id === id && !jobEnded.has(job.state)),
    ),
  );
}

export function useSamples(id: string): SampleRing | undefined {
  return useSampleStore((state) => state[id]);
}
