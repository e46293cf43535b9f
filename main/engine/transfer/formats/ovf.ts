/** OVF descriptions (DMTF DSP0243), with what VMware and VirtualBox add to them. */
import {
  boundedNumber,
  cpusMax,
  emptyMachine,
  type ForeignBus,
  type ForeignMachine,
  memoryMiBMax,
  nicModelOf,
  notUnderstood,
} from '../foreign-machine.ts';
import { childAt, childrenOf, descendants, parseXml, type XmlNode } from '../xml-document.ts';

/** Types of hardware, by their numbers in CIM. */
const resource = { cpu: '3', memory: '4', ide: '5', scsi: '6', ethernet: '10', disk: '17', sata: '20' };

/** @throws Failure `machine/not-understood` */
export function parseOvf(text: string): ForeignMachine {
  const root = parseXml(text);
  if (root.name !== 'Envelope') throw notUnderstood('it is no OVF.');
  const systems = descendants(root, 'VirtualSystem');
  const [system] = systems;
  if (!system) throw notUnderstood('it describes no machine.');
  if (systems.length > 1) throw notUnderstood(`it describes ${systems.length} machines at once; import them one by one.`);

  const machine = emptyMachine();
  machine.name = childAt(system, 'Name')?.text || system.attributes.id || null;
  machine.notes = childAt(system, 'AnnotationSection', 'Annotation')?.text ?? '';
  const os = childAt(system, 'OperatingSystemSection');
  machine.osHint = childAt(os, 'OSType')?.text || os?.attributes.osType || childAt(os, 'Description')?.text || null;
  const hardware = childAt(system, 'VirtualHardwareSection');
  const items = [...childrenOf(hardware, 'Item'), ...childrenOf(hardware, 'StorageItem'), ...childrenOf(hardware, 'EthernetPortItem')];
  const typed = (type: string) => items.filter((item) => field(item, 'ResourceType') === type);
  machine.cpus = boundedNumber(field(typed(resource.cpu)[0], 'VirtualQuantity'), cpusMax);
  machine.memoryMiB = memoryMiB(typed(resource.memory)[0]);
  machine.firmware = firmwareOf(root, hardware);
  machine.tpm = items.some((item) => /tpm/i.test(field(item, 'ResourceSubType') ?? ''));

  const files = filesById(root);
  const controllers = new Map(items.map((item) => [field(item, 'InstanceID') ?? '', item]));
  for (const item of typed(resource.disk)) {
    const file = diskFile(root, files, field(item, 'HostResource'));
    if (file === null) continue;
    const { bus, controller } = busOf(controllers.get(field(item, 'Parent') ?? ''));
    machine.disks.push({ file, bus, controller, raw: false });
  }
  for (const item of typed(resource.ethernet)) {
    const modelName = field(item, 'ResourceSubType') ?? 'unknown';
    machine.nics.push({ model: nicModelOf(modelName), modelName, mac: null });
  }
  return machine;
}

const field = (item: XmlNode | undefined, name: string): string | null => childAt(item ?? null, name)?.text || null;

function memoryMiB(item: XmlNode | undefined): number | null {
  const quantity = boundedNumber(field(item, 'VirtualQuantity'), Number.MAX_SAFE_INTEGER);
  if (quantity === null) return null;
  const units = (field(item, 'AllocationUnits') ?? 'byte * 2^20').toLowerCase().replaceAll(' ', '');
  const power = /^byte\*2\^(\d+)$/.exec(units)?.[1];
  const bytesEach = power
    ? 2 ** Number(power)
    : ({ byte: 1, bytes: 1, kilobytes: 2 ** 10, megabytes: 2 ** 20, gigabytes: 2 ** 30 }[units] ?? 2 ** 20);
  return boundedNumber(String(Math.round((quantity * bytesEach) / 2 ** 20)), memoryMiBMax);
}

function firmwareOf(root: XmlNode, hardware: XmlNode | null): ForeignMachine['firmware'] {
  const config = (key: string) =>
    childrenOf(hardware, 'Config')
      .find((one) => one.attributes.key === key)
      ?.attributes.value?.toLowerCase();
  // VirtualBox keeps the whole of its own description in the OVF.
  const own = descendants(root, 'Firmware')[0]?.attributes.type?.toUpperCase() ?? '';
  if (config('firmware') !== 'efi' && !own.startsWith('EFI')) return config('firmware') === 'bios' || own === 'BIOS' ? 'bios' : null;
  return config('uefi.secureBoot.enabled') === 'true' ? 'uefi-secure' : 'uefi';
}

type OvfFile = { href: string; packed: boolean };

function filesById(root: XmlNode): Map<string, OvfFile> {
  const files = childrenOf(childAt(root, 'References'), 'File');
  return new Map(
    files.map(({ attributes }) => [
      attributes.id ?? '',
      { href: attributes.href ?? '', packed: (attributes.compression ?? 'identity') !== 'identity' || attributes.chunkSize !== undefined },
    ]),
  );
}

/** The file behind `ovf:/disk/vmdisk1`; null for a disk without one, which is an empty one. */
function diskFile(root: XmlNode, files: Map<string, OvfFile>, hostResource: string | null): string | null {
  const [, kind, id] = /^(?:ovf:)?\/?(disk|file)\/(.+)$/.exec(hostResource ?? '') ?? [];
  if (!kind || !id) throw notUnderstood(`a disk of it is ${hostResource ?? 'nowhere'}.`);
  if (kind === 'file') return hrefOf(files.get(id), id);
  const disk = childrenOf(childAt(root, 'DiskSection'), 'Disk').find((one) => one.attributes.diskId === id);
  if (!disk) throw notUnderstood(`it has no disk ${id}, which its hardware names.`);
  if (disk.attributes.parentRef) throw notUnderstood('one of its disks is a difference to another.');
  return disk.attributes.fileRef ? hrefOf(files.get(disk.attributes.fileRef), disk.attributes.fileRef) : null;
}

function hrefOf(file: OvfFile | undefined, id: string): string {
  if (!file?.href) throw notUnderstood(`it has no file ${id}, which a disk of it names.`);
  if (file.packed) throw notUnderstood(`${file.href} is packed or cut into chunks, which is not supported.`);
  return file.href;
}

function busOf(controller: XmlNode | undefined): { bus: ForeignBus | null; controller: string } {
  const subType = field(controller, 'ResourceSubType') ?? '';
  const type = field(controller, 'ResourceType');
  const name = subType || (type === resource.ide ? 'IDE' : type === resource.sata ? 'SATA' : type === resource.scsi ? 'SCSI' : 'unknown');
  if (/ahci|sata/i.test(subType)) return { bus: 'sata', controller: name };
  if (/nvme/i.test(subType)) return { bus: 'nvme', controller: name };
  if (/virtio/i.test(subType)) return { bus: 'scsi', controller: name };
  if (type === resource.ide) return { bus: 'ide', controller: name };
  return { bus: type === resource.sata ? 'sata' : null, controller: name };
}
