/** `storage.*`, and what gives back room. */
import type { Handlers, Services } from '../handlers.ts';

type Answered = `storage.${'report' | 'findDuplicates' | 'deleteOrphan'}` | 'guest.reclaim' | 'image.reclaim';

export function storageHandlers({ storage }: Services): Pick<Handlers, Answered> {
  return {
    'storage.report': () => storage.report(),
    'storage.findDuplicates': (_input, { who }) => storage.findDuplicates(who),
    'storage.deleteOrphan': async ({ path }) => {
      await storage.deleteOrphan(path);
      return {};
    },
    'guest.reclaim': ({ guest }, { who }) => storage.reclaimGuest(guest, who),
    'image.reclaim': ({ image }, { who }) => storage.reclaimImage(image, who),
  };
}
