/** What is seen of a guest and typed into it: `guest.screenshot`, `guest.exec`, `guest.samples` and their kin. */
import type { Handlers, Services } from '../handlers.ts';

type Answered = `guest.${'screenshot' | 'exec' | 'type' | 'sendKeys' | 'keysRead' | 'samples' | 'consoles' | 'arguments'}`;

const defaultExecTimeoutSeconds = 60;

export function guestConsoleHandlers({ guests, sampler }: Services): Pick<Handlers, Answered> {
  return {
    'guest.screenshot': async ({ guest }) => {
      const { png, widthPx, heightPx } = await guests.screenshot(guest);
      return { pngBase64: png.toString('base64'), widthPx, heightPx };
    },
    'guest.exec': ({ guest, command, timeoutSeconds }) => guests.exec(guest, command, timeoutSeconds ?? defaultExecTimeoutSeconds),
    'guest.type': async ({ guest, text, layout }) => {
      await guests.type(guest, text, layout);
      return {};
    },
    'guest.sendKeys': async ({ guest, keys }) => {
      await guests.sendKeys(guest, keys);
      return {};
    },
    'guest.keysRead': async ({ guest }) => ({ read: await guests.keysRead(guest) }),
    'guest.samples': ({ guest, since }) => {
      guests.show(guest);
      return sampler.list(guest, since);
    },
    'guest.consoles': ({ guest }) => guests.consoles(guest),
    'guest.arguments': async ({ guest }) => ({ arguments: await guests.arguments(guest) }),
  };
}
