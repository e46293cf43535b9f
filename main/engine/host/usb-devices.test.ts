import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listUsbDevices } from './usb-devices.ts';

/** Files as Linux has them under /sys/bus/usb/devices. */
function sysfs(devices: Record<string, Record<string, string>>): { devices: string; nodes: string } {
  const root = mkdtempSync('/tmp/gh-usb-');
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [name, files] of Object.entries(devices)) {
    mkdirSync(join(root, 'devices', name), { recursive: true });
    for (const [file, content] of Object.entries(files)) writeFileSync(join(root, 'devices', name, file), `${content}\n`);
  }
  mkdirSync(join(root, 'nodes', '001'), { recursive: true });
  writeFileSync(join(root, 'nodes', '001', '004'), '');
  return { devices: join(root, 'devices'), nodes: join(root, 'nodes') };
}

test('devices are listed with where they are plugged in, hubs and interfaces are not', async () => {
  const { devices, nodes } = sysfs({
    usb1: { idVendor: '1d6b', idProduct: '0002', bDeviceClass: '09', busnum: '1', devnum: '1' },
    '1-2': { idVendor: '05e3', idProduct: '0608', bDeviceClass: '09', busnum: '1', devnum: '2' },
    '1-2.1': {
      idVendor: '0951',
      idProduct: '1666',
      bDeviceClass: '00',
      busnum: '1',
      devnum: '4',
      manufacturer: 'Kingston',
      product: 'DataTraveler 3.0',
    },
    '1-2.1:1.0': { bInterfaceClass: '08' },
    '1-3': { idVendor: '046d', idProduct: 'c52b', bDeviceClass: '00', busnum: '1', devnum: '5' },
    '1-4': { idVendor: 'junk', idProduct: 'c52b', bDeviceClass: '00', busnum: '1', devnum: '6' },
  });
  const found = await listUsbDevices(devices, nodes);
  expect(found).toMatchObject([
    { vendorId: '0951', productId: '1666', port: '1-2.1', name: 'Kingston DataTraveler 3.0', problem: null },
    { vendorId: '046d', productId: 'c52b', port: '1-3', name: '046d:c52b' },
  ]);
  expect(found[1]?.problem).toMatch(/udev rule/);
});

test('a computer without USB has no devices', async () => {
  expect(await listUsbDevices('/nowhere')).toEqual([]);
});
