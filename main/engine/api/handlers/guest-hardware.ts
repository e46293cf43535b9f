/** The hardware of guests: `guest.edit` and its kin. */
import type { Handlers, Services } from '../handlers.ts';

type Names = 'guest.planEdit' | 'guest.edit' | 'guest.undoEdit' | 'guest.edits';

export function guestHardwareHandlers({ hardware }: Pick<Services, 'hardware'>): Pick<Handlers, Names> {
  return {
    'guest.planEdit': ({ guest, change }) => hardware.plan(guest, change),
    'guest.edit': ({ guest, change }, { who }) => hardware.edit(guest, change, who),
    'guest.undoEdit': ({ guest }, { who }) => hardware.undo(guest, who),
    'guest.edits': ({ guest }) => hardware.past(guest),
  };
}
