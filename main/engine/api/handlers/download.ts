/** `download.*`. */
import type { Handlers, Services } from '../handlers.ts';

type Answered = 'download.list' | 'download.checkNetwork' | 'download.start' | 'download.discard';

export function downloadHandlers({ downloads }: Services): Pick<Handlers, Answered> {
  return {
    'download.list': () => downloads.list(),
    'download.checkNetwork': ({ refresh }) => downloads.checkNetwork(refresh ?? false),
    'download.start': ({ source, name }, { who }) => downloads.start(source, name, who),
    'download.discard': async ({ key }) => {
      await downloads.discard(key);
      return {};
    },
  };
}
