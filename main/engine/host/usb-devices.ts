/** USB devices that are plugged into this computer, as Linux shows them in sysfs. */
import { access, constants, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostUsbDevice } from '../../../contract/host.ts';

const hubClass = '09';

/** Hubs are left out: they are the computer's own, and what is plugged into them is listed by itself. Never throws. */
export async function listUsbDevices(sysfs = '/sys/bus/usb/devices', nodes = '/dev/bus/usb'): Promise<HostUsbDevice[]> {
  const names = await readdir(sysfs).catch(() => []);
  const devices: HostUsbDevice[] = [];
  for (const name of names.filter((one) => /^\d+-[\d.]+$/.test(one)).sort()) {
    const read = async (file: string) => (await readFile(join(sysfs, name, file), 'utf8').catch(() => '')).trim();
    const [vendorId, productId, kind, maker, product, bus, device] = await Promise.all(
      ['idVendor', 'idProduct', 'bDeviceClass', 'manufacturer', 'product', 'busnum', 'devnum'].map(read),
    );
    if (!/^[0-9a-f]{4}$/.test(vendorId ?? '') || !/^[0-9a-f]{4}$/.test(productId ?? '') || kind === hubClass) continue;
    const node = join(nodes, String(bus).padStart(3, '0'), String(device).padStart(3, '0'));
    const mayUse = await access(node, constants.R_OK | constants.W_OK).then(
      () => true,
      () => false,
    );
    devices.push({
      vendorId: vendorId ?? '',
      productId: productId ?? '',
      port: name,
      name: [maker, product].filter(Boolean).join(' ') || `${vendorId}:${productId}`,
      problem: mayUse
        ? null
        : `You may not use ${node}. An administrator allows it with a udev rule: SUBSYSTEM=="usb", ATTR{idVendor}=="${vendorId}", ATTR{idProduct}=="${productId}", TAG+="uaccess".`,
    });
  }
  return devices;
}
