/** Clones, templates and disposable guests. */
import { Failure } from '../../../../contract/errors.ts';
import type { Handlers, Services } from '../handlers.ts';

type Answered =
  | `guest.${'planClone' | 'clone' | 'disposable' | 'keep' | 'makeTemplate' | 'makeGuest' | 'flatten' | 'rebase'}`
  | 'guest.planRebase'
  | `image.${'makeTemplate' | 'verify'}`
  | 'lineage.show';

export function guestCloneHandlers({ guests, clones }: Services): Pick<Handlers, Answered> {
  return {
    'guest.planClone': (request) => clones.plan(request),
    'guest.clone': (request, { who }) => clones.clone(request, who),
    'guest.disposable': ({ guest, image }, { who }) => {
      if (guest && !image) return clones.disposable({ guest }, who);
      if (image && !guest) return clones.disposable({ image }, who);
      throw new Failure('call/invalid-input', 'A disposable guest is made from one guest or from one image.');
    },
    'guest.keep': ({ guest }) => guests.keep(guest),
    'guest.makeTemplate': ({ guest }) => clones.makeTemplate(guest),
    'guest.makeGuest': ({ guest }) => clones.makeGuest(guest),
    'guest.flatten': ({ guest, mibPerSecond }, { who }) =>
      clones.flatten(guest, mibPerSecond === undefined ? null : mibPerSecond * 1024 ** 2, who),
    'guest.rebase': ({ guest, image }, { who }) => clones.rebase(guest, image, who),
    'guest.planRebase': (wanted) => clones.planRebase(wanted),
    'image.makeTemplate': ({ image, name }, { who }) => clones.templateOfImage(image, name, who),
    'image.verify': ({ image }, { who }) => clones.verify(image ?? null, who),
    'lineage.show': () => clones.lineage(),
  };
}
