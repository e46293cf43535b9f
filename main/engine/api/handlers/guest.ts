/** What is done to a guest as a whole: `guest.create`, `guest.start`, `guest.delete` and their kin. */
import type { GuestSpec } from '../../../../contract/guest-spec.ts';
import type { Handlers, Services } from '../handlers.ts';

type Answered =
  | `guest.${'plan' | 'create' | 'list' | 'show' | 'rename' | 'annotate'}`
  | `guest.${'start' | 'pause' | 'resume' | 'shutdown' | 'forceOff' | 'reset' | 'suspend'}`
  | `guest.${'delete' | 'restore' | 'purge'}`;

export function guestHandlers({ guests, creation, settings }: Services): Pick<Handlers, Answered> {
  return {
    'guest.plan': ({ source, choices }) => creation.plan(source, choices),
    'guest.create': ({ source, choices, setup }, { who }) => creation.create(source, choices, who, setup),
    'guest.list': ({ trash }) => (trash ? guests.listTrash() : guests.list()),
    'guest.show': ({ guest }) => guests.show(guest),
    'guest.start': ({ guest }) => guests.start(guest),
    'guest.pause': ({ guest }) => guests.pause(guest),
    'guest.resume': ({ guest }) => guests.resume(guest),
    'guest.shutdown': ({ guest, timeoutSeconds }) => guests.shutdown(guest, timeoutSeconds ?? settings.get().shutdownTimeoutSeconds),
    'guest.forceOff': ({ guest }) => guests.forceOff(guest),
    'guest.reset': ({ guest }) => guests.reset(guest),
    'guest.suspend': ({ guest }, { who }) => guests.suspend(guest, who),
    'guest.delete': async ({ guest }) => {
      await guests.delete(guest);
      return {};
    },
    'guest.restore': ({ guest }) => guests.restore(guest),
    'guest.purge': ({ guest }, { who }) => guests.purge(guest, who),
    'guest.rename': ({ guest, name }) => guests.rename(guest, name),
    'guest.annotate': ({ guest, ...change }) => guests.annotate(guest, givenOnly(change)),
  };
}

type Annotation = Pick<GuestSpec, 'notes' | 'tags' | 'favourite' | 'autostart' | 'clipboard' | 'files' | 'keyboard'>;

/** A field that is absent is left alone; one that is `undefined` is absent. */
function givenOnly(change: { [Key in keyof Annotation]?: Annotation[Key] | undefined }): Partial<Annotation> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
