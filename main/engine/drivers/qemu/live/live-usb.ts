/** USB devices of this computer in a guest that runs. */
import { usbHostDevice } from '../arguments/sharing.ts';
import { type Ensure, plug, unplug } from './live-guest.ts';

export const ensureUsbDevice: Ensure = async (guest, id, to) => {
  const wanted = to.usbDevices.find((one) => one.id === id);
  if (wanted) await plug(guest, usbHostDevice(wanted), 'usb.0');
  else await unplug(guest, id);
};
