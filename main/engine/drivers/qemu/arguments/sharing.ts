/** What a guest has of this computer: shared folders and USB devices. */
import type { GuestSpec, UsbDevice } from '../../../../../contract/guest-spec.ts';
import type { LaunchFacts } from './launch-facts.ts';
import { device, option } from './option.ts';
import type { DeviceOptions } from './storage.ts';

export function shareArguments(spec: GuestSpec, { files, shares }: LaunchFacts): string[] {
  const mounted = spec.shares.filter(({ via }) => via === 'mount');
  return mounted.flatMap(({ id, tag, path, readOnly }) =>
    shares.get(id) === 'virtiofs'
      ? [
          '-chardev',
          option('socket', { id: `${id}-socket`, path: files.shareSocket(id) }),
          ...device('vhost-user-fs-pci', { id, chardev: `${id}-socket`, tag }),
        ]
      : [
          '-fsdev',
          // Files that the guest makes belong to the user that runs it, and are what they look like on both sides.
          option('local', { id: `${id}-folder`, path, security_model: 'none', multidevs: 'remap', readonly: readOnly ? true : null }),
          ...device('virtio-9p-pci', { id, fsdev: `${id}-folder`, mount_tag: tag }),
        ],
  );
}

export const usbArguments = (spec: GuestSpec): string[] =>
  spec.usbDevices.flatMap((one) => {
    const { driver, properties } = usbHostDevice(one);
    return device(driver, { bus: 'usb.0', ...properties });
  });

/** A device that is not plugged in now joins the guest when it is. */
export function usbHostDevice({ id, vendorId, productId, port }: UsbDevice): DeviceOptions {
  const [bus, place] = port?.split('-') ?? [];
  const where = bus === undefined || place === undefined ? {} : { hostbus: Number(bus), hostport: place };
  return {
    driver: 'usb-host',
    properties: { id, vendorid: Number.parseInt(vendorId, 16), productid: Number.parseInt(productId, 16), ...where },
  };
}
