/** `storage.*`, and what gives back room. */
import type { Handlers, Services } from '../handlers.ts';

type Answered =
  | `storage.${'report' | 'places' | 'findDuplicates' | 'deleteOrphan' | 'addLocation' | 'removeLocation'}`
  | 'guest.move'
  | 'guest.reclaim'
  | 'image.reclaim'
  | 'image.move';

export function storageHandlers({ storage }: Services): Pick<Handlers, Answered> {
  return {
    'storage.report': () => storage.report(),
    'storage.places': () => storage.places(),
    'storage.findDuplicates': (_input, { who }) => storage.findDuplicates(who),
    'storage.deleteOrphan': async ({ path }) => {
      await storage.deleteOrphan(path);
      return {};
    },
    'storage.addLocation': ({ path, name }) => storage.addLocation(path, name),
    'storage.removeLocation': async ({ location }) => {
      await storage.removeLocation(location);
      return {};
    },
    'image.move': ({ image, location }, { who }) => storage.moveImage(image, location, who),
    'guest.move': ({ guest, location }, { who }) => storage.moveGuest(guest, location, who),
    'guest.reclaim': ({ guest }, { who }) => storage.reclaimGuest(guest, who),
    'image.reclaim': ({ image }, { who }) => storage.reclaimImage(image, who),
  };
}
