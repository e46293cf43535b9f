/** The hardware of guests: `guest.edit` and its kin. */
import type { Handlers, Services } from '../handlers.ts';

type Names =
  | 'guest.planEdit'
  | 'guest.edit'
  | 'guest.undoEdit'
  | 'guest.edits'
  | `guest.${'attach' | 'delete'}RemovedDisk`
  | 'guest.removedDisks';
type ExpertNames = 'guest.shares' | 'guest.mountShare' | 'guest.libvirtXml' | 'guest.qmpQuery' | 'guest.qmpCommand';

export function guestHardwareHandlers({ hardware }: Pick<Services, 'hardware'>): Pick<Handlers, Names | ExpertNames> {
  return {
    'guest.planEdit': ({ guest, change }) => hardware.plan(guest, change),
    'guest.edit': ({ guest, change }, { who }) => hardware.edit(guest, change, who),
    'guest.undoEdit': ({ guest }, { who }) => hardware.undo(guest, who),
    'guest.removedDisks': ({ guest }) => hardware.removedDisks(guest),
    'guest.attachRemovedDisk': ({ guest, file }, { who }) => hardware.attachRemovedDisk(guest, file, who),
    'guest.deleteRemovedDisk': async ({ guest, file }) => {
      await hardware.deleteRemovedDisk(guest, file);
      return {};
    },
    'guest.shares': ({ guest }) => hardware.shares(guest),
    'guest.mountShare': ({ guest, share }) => hardware.mountShare(guest, share),
    'guest.libvirtXml': ({ guest }) => hardware.libvirtXml(guest),
    'guest.qmpQuery': ({ guest, command, arguments: argumentsOf }) => hardware.query(guest, command, argumentsOf ?? {}),
    'guest.qmpCommand': ({ guest, command, arguments: argumentsOf }) => hardware.command(guest, command, argumentsOf ?? {}),
    'guest.edits': ({ guest }) => hardware.past(guest),
  };
}
