/** `engine.*`, `host.*` and `settings.*`. */
import type { Settings } from '../../../../contract/settings.ts';
import { listUsbDevices } from '../../host/usb-devices.ts';
import type { Handlers, Services } from '../handlers.ts';

type Answered = 'engine.info' | 'engine.stop' | 'host.report' | 'host.usbDevices' | 'settings.get' | 'settings.set';

export function engineHandlers({ info, stop, host, settings, storage }: Services): Pick<Handlers, Answered> {
  return {
    'engine.info': () => info,
    'engine.stop': () => {
      stop();
      return {};
    },
    'host.report': ({ refresh }) => host.report({ refresh }),
    'host.usbDevices': () => listUsbDevices(),
    'settings.get': () => settings.get(),
    'settings.set': (change) => {
      storage.mustBeKnown(change);
      return settings.set(withoutUndefined(change));
    },
  };
}

function withoutUndefined(change: { [Key in keyof Settings]?: Settings[Key] | undefined }): Partial<Settings> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
