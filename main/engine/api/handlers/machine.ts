/** `machine.*` and `guest.export`. */
import type { Handlers, Services } from '../handlers.ts';

type Answered = `machine.${'inspect' | 'import' | 'bootTest'}` | `guest.${'export' | 'exportSize'}`;

export function machineHandlers({ guests, transfer }: Services): Pick<Handlers, Answered> {
  return {
    'machine.inspect': (source) => transfer.inspect(source),
    'machine.import': (wish, { who }) => transfer.import(wish, who),
    'guest.export': (wish, { who }) => transfer.export(wish, who),
    'guest.exportSize': ({ guest }) => transfer.exportSize(guest),
    'machine.bootTest': ({ guest }) => {
      guests.show(guest);
      return transfer.bootTest(guest);
    },
  };
}
