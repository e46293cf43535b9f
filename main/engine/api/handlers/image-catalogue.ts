/** What is known of images: search, metadata, versions, differences, saved searches, and where guests came from. */
import type { Handlers, Services } from '../handlers.ts';

type Answered =
  | `image.${'search' | 'edit' | 'editMany' | 'renameSeries' | 'undoEdit' | 'readAgain' | 'packages' | 'differences' | 'compare' | 'capture' | 'systems' | 'outdated'}`
  | `search.${'list' | 'save' | 'delete'}`
  | `guest.${'imageOrigin' | 'readFacts'}`;

export function imageCatalogueHandlers({ images, catalogue }: Services): Pick<Handlers, Answered> {
  return {
    'image.search': (wanted) => catalogue.search(wanted),
    'image.edit': ({ image, asRead, ...changes }) => images.edit(image, changes, asRead ?? []),
    'image.editMany': ({ images: ids, ...changes }, { who }) => images.editMany(ids, changes, who),
    'image.renameSeries': ({ series, name }, { who }) => catalogue.renameSeries(series, name, who),
    'image.undoEdit': ({ edit }) => catalogue.undoEdit(edit),
    'image.readAgain': ({ image }, { who }) => images.readAgain(image, who),
    'image.packages': ({ image }) => images.packages(image),
    'image.differences': ({ one, other }) => catalogue.differences(one, other),
    'image.compare': ({ one, other }, { who }) => catalogue.compare(one, other, who),
    'image.capture': (wanted, { who }) => catalogue.capture(wanted, who),
    'image.systems': () => catalogue.systems(),
    'image.outdated': () => catalogue.outdated(),
    'search.list': () => catalogue.searches.list(),
    'search.save': ({ name, query }, { who }) => catalogue.searches.save(name, query, who),
    'search.delete': ({ name }) => {
      catalogue.searches.remove(name);
      return {};
    },
    'guest.imageOrigin': ({ guest }) => catalogue.origin(guest),
    'guest.readFacts': ({ guest }) => catalogue.readFacts(guest),
  };
}
