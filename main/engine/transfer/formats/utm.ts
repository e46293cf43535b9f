/** UTM's bundles (`config.plist` in a folder that ends with .utm), of versions 2 to 4. */
import {
  boundedNumber,
  cpusMax,
  emptyMachine,
  type ForeignBus,
  type ForeignMachine,
  macOf,
  memoryMiBMax,
  nicModelOf,
  notUnderstood,
} from '../foreign-machine.ts';
import { parseXml, type XmlNode } from '../xml-document.ts';

type Plist = string | boolean | Plist[] | { [key: string]: Plist };

/** @throws Failure `machine/not-understood` */
export function parseUtm(text: string): ForeignMachine {
  if (text.startsWith('bplist')) throw notUnderstood('it is a binary list. Convert it first: plutil -convert xml1 config.plist');
  const root = parseXml(text, { plist: true });
  const [top] = root.children;
  const config = root.name === 'plist' && top ? plistValue(top) : null;
  if (!isDict(config)) throw notUnderstood('it is no list of UTM.');
  const at = (...path: string[]): Plist | null =>
    path.reduce<Plist | null>((value, key) => (isDict(value) ? (value[key] ?? null) : null), config);
  const text_ = (...path: string[]): string | null => {
    const value = at(...path);
    return typeof value === 'string' ? value : null;
  };
  if (text_('Backend') === 'Apple') throw notUnderstood('it is a machine of Apple’s own kind, which only macOS can run.');
  const modern = Array.isArray(at('Drive'));
  const machine = emptyMachine();
  machine.name = text_('Information', 'Name');
  machine.notes = text_('Information', 'Notes') ?? '';
  machine.osHint = text_('Information', 'Icon');
  const architecture = text_('System', 'Architecture') ?? 'x86_64';
  if (architecture === 'aarch64') machine.architecture = 'aarch64';
  else if (architecture !== 'x86_64') throw notUnderstood(`it is a machine of the architecture ${architecture.slice(0, 40)}.`);
  machine.cpus = boundedNumber(text_('System', 'CPUCount'), cpusMax);
  machine.memoryMiB = boundedNumber(text_('System', modern ? 'MemorySize' : 'Memory'), memoryMiBMax);
  machine.firmware = at('QEMU', 'UEFIBoot') === true || at('System', 'BootUefi') === true ? 'uefi' : 'bios';
  machine.tpm = at('QEMU', 'TPMDevice') === true;
  if (machine.firmware === 'uefi') machine.variables = { kind: 'edk2', file: `${modern ? 'Data' : 'Images'}/efi_vars.fd`, raw: true };
  for (const drive of listOf(at(modern ? 'Drive' : 'Drives'))) {
    const kind = modern ? drive.ImageType : (drive.ImageType ?? 'disk');
    const file = modern ? drive.ImageName : drive.ImagePath;
    if (typeof kind !== 'string' || kind.toLowerCase() !== 'disk' || typeof file !== 'string') continue;
    const controller = String(drive.Interface ?? drive.InterfaceType ?? 'unknown');
    machine.disks.push({
      file: `${modern ? 'Data' : 'Images'}/${file}`,
      bus: buses[controller.toLowerCase()] ?? null,
      controller,
      raw: false,
    });
  }
  const nics = modern ? listOf(at('Network')) : listOf([at('Networking') ?? {}]);
  for (const nic of nics) {
    const modelName = String(nic.Hardware ?? nic.NetworkCard ?? 'virtio-net-pci');
    machine.nics.push({ model: nicModelOf(modelName), modelName, mac: macOf(String(nic.MacAddress ?? nic.NetworkCardMAC ?? '')) });
  }
  return machine;
}

const buses: Record<string, ForeignBus> = { virtio: 'virtio', scsi: 'scsi', sata: 'sata', ide: 'ide', usb: 'usb', nvme: 'nvme' };

function isDict(value: Plist | null): value is { [key: string]: Plist } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listOf(value: Plist | null): { [key: string]: Plist }[] {
  return Array.isArray(value) ? value.filter(isDict) : [];
}

function plistValue(node: XmlNode): Plist {
  switch (node.name) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'array':
      return node.children.map(plistValue);
    case 'dict':
      return Object.fromEntries(
        node.children.flatMap((child, index) => {
          const value = node.children[index + 1];
          return child.name === 'key' && value ? [[child.text, plistValue(value)]] : [];
        }),
      );
    default:
      return node.text;
  }
}
