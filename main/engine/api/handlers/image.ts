/** `image.*`. */
import { holdsDisks } from '../../transfer/archive-images.ts';
import type { Handlers, Services } from '../handlers.ts';

type Answered = 'image.list' | 'image.inspect' | 'image.import' | 'image.delete';

export function imageHandlers({ images, transfer }: Services): Pick<Handlers, Answered> {
  return {
    'image.list': () => images.list(),
    'image.inspect': ({ path }) => (holdsDisks(path) ? transfer.archives.inspect(path) : images.inspect(path)),
    'image.import': ({ path, name }, { who }) =>
      holdsDisks(path) ? transfer.archives.import(path, name, who) : images.import(path, name, who),
    'image.delete': async ({ image }) => {
      await images.delete(image);
      return {};
    },
  };
}
