/** VirtualBox machines (`.vbox`). */
import {
  boundedNumber,
  cpusMax,
  emptyMachine,
  encryptionFinding,
  type ForeignBus,
  type ForeignMachine,
  macOf,
  memoryMiBMax,
  nicModelOf,
  notUnderstood,
  snapshotsFinding,
} from '../foreign-machine.ts';
import { childAt, childrenOf, descendants, parseXml, type XmlNode } from '../xml-document.ts';

/** @throws Failure `machine/not-understood` */
export function parseVirtualBox(text: string): ForeignMachine {
  const root = parseXml(text);
  const found = root.name === 'VirtualBox' ? childAt(root, 'Machine') : null;
  if (!found) throw notUnderstood('it is no machine of VirtualBox.');
  const machine = emptyMachine();
  machine.name = found.attributes.name ?? null;
  machine.notes = childAt(found, 'Description')?.text ?? '';
  machine.osHint = found.attributes.OSType ?? null;
  const hardware = childAt(found, 'Hardware');
  machine.cpus = boundedNumber(childAt(hardware, 'CPU')?.attributes.count ?? '1', cpusMax);
  machine.memoryMiB = boundedNumber(childAt(hardware, 'Memory')?.attributes.RAMSize, memoryMiBMax);
  const firmware = (childAt(hardware, 'Firmware') ?? childAt(hardware, 'BIOS', 'Firmware'))?.attributes.type?.toUpperCase();
  machine.firmware = firmware?.startsWith('EFI') ? 'uefi' : 'bios';
  if (machine.firmware !== 'bios') machine.variables = { kind: 'VirtualBox' };
  const tpm =
    childAt(hardware, 'TrustedPlatformModule')?.attributes.type ?? childAt(hardware, 'BIOS', 'TrustedPlatformModule')?.attributes.type;
  machine.tpm = tpm !== undefined && tpm !== 'None';

  const disks = descendants(found, 'HardDisk');
  const byId = new Map(disks.map((disk) => [disk.attributes.uuid ?? '', disk]));
  const controllers = [
    ...descendants(hardware ?? found, 'StorageController'),
    ...childrenOf(childAt(found, 'StorageControllers'), 'StorageController'),
  ];
  for (const controller of controllers) {
    for (const device of childrenOf(controller, 'AttachedDevice')) {
      if (device.attributes.type !== 'HardDisk') continue;
      const disk = byId.get(childAt(device, 'Image')?.attributes.uuid ?? '');
      if (!disk?.attributes.location) throw notUnderstood('a disk of it is in no list of disks.');
      machine.disks.push({
        file: disk.attributes.location,
        bus: busOf(controller),
        controller: controller.attributes.type ?? 'unknown',
        raw: disk.attributes.format?.toUpperCase() === 'RAW',
      });
    }
  }
  for (const adapter of childrenOf(childAt(hardware, 'Network'), 'Adapter')) {
    if (adapter.attributes.enabled !== 'true') continue;
    const modelName = adapter.attributes.type ?? 'Am79C973';
    machine.nics.push({ model: nicModelOf(modelName), modelName, mac: macOf(adapter.attributes.MACAddress) });
  }
  const snapshots = descendants(found, 'Snapshot').length;
  if (snapshots > 0) machine.findings.push(snapshotsFinding(snapshots));
  if (descendants(found, 'Property').some(({ attributes }) => attributes.name?.startsWith('CRYPT/')))
    machine.findings.push(encryptionFinding('VirtualBox'));
  return machine;
}

function busOf({ attributes }: XmlNode): ForeignBus | null {
  const type = attributes.type ?? '';
  if (/AHCI/i.test(type)) return 'sata';
  if (/PIIX|ICH/i.test(type)) return 'ide';
  if (/NVMe/i.test(type)) return 'nvme';
  if (/Virtio/i.test(type)) return 'scsi';
  if (/USB/i.test(type)) return 'usb';
  return null;
}
