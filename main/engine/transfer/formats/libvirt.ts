/** libvirt's domain XML, as `virsh dumpxml` prints it. */
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
import { childAt, childrenOf, descendants, parseXml, type XmlNode } from '../xml-document.ts';

/** @throws Failure `machine/not-understood` */
export function parseLibvirt(text: string): ForeignMachine {
  const parsed = parseXml(text);
  const domain = parsed.name === 'domain' ? parsed : (descendants(parsed, 'domain')[0] ?? null);
  if (!domain) throw notUnderstood('it is no domain of libvirt.');
  const machine = emptyMachine();
  machine.name = childAt(domain, 'title')?.text || childAt(domain, 'name')?.text || null;
  machine.notes = childAt(domain, 'description')?.text ?? '';
  machine.osHint = descendants(domain, 'os').find((os) => os.attributes.id?.startsWith('http'))?.attributes.id ?? null;
  machine.cpus = boundedNumber(childAt(domain, 'vcpu')?.text, cpusMax);
  machine.memoryMiB = memoryMiB(childAt(domain, 'memory'));
  const os = childAt(domain, 'os');
  const arch = childAt(os, 'type')?.attributes.arch ?? 'x86_64';
  if (arch === 'aarch64') machine.architecture = 'aarch64';
  else if (arch !== 'x86_64' && arch !== 'i686') throw notUnderstood(`it is a machine of the architecture ${arch.slice(0, 40)}.`);
  const loader = childAt(os, 'loader');
  const uefi = os?.attributes.firmware === 'efi' || loader?.attributes.type === 'pflash' || /OVMF|edk2/i.test(loader?.text ?? '');
  const secure =
    loader?.attributes.secure === 'yes' ||
    descendants(os ?? domain, 'feature').some(({ attributes }) => attributes.name === 'secure-boot' && attributes.enabled === 'yes');
  machine.firmware = uefi ? (secure ? 'uefi-secure' : 'uefi') : 'bios';
  const nvram = childAt(os, 'nvram');
  const nvramFile = childAt(nvram, 'source')?.attributes.file ?? nvram?.text;
  // Without a format libvirt means raw.
  if (nvramFile) machine.variables = { kind: 'edk2', file: nvramFile, raw: (nvram?.attributes.format ?? 'raw') === 'raw' };
  const devices = childAt(domain, 'devices');
  machine.tpm = childrenOf(devices, 'tpm').length > 0;
  for (const disk of childrenOf(devices, 'disk')) {
    if ((disk.attributes.device ?? 'disk') !== 'disk') continue;
    const source = childAt(disk, 'source')?.attributes ?? {};
    if (!source.file)
      throw notUnderstood('a disk of it is no file but a volume of a pool, a device or a disk of the network. Copy it into a file first.');
    const driver = childAt(disk, 'driver')?.attributes.type;
    const bus = childAt(disk, 'target')?.attributes.bus ?? 'unknown';
    machine.disks.push({ file: source.file, bus: busOf(bus), controller: bus, raw: driver === 'raw' || driver === undefined });
  }
  for (const nic of childrenOf(devices, 'interface')) {
    const modelName = childAt(nic, 'model')?.attributes.type ?? 'rtl8139';
    machine.nics.push({ model: nicModelOf(modelName), modelName, mac: macOf(childAt(nic, 'mac')?.attributes.address) });
  }
  return machine;
}

function memoryMiB(node: XmlNode | null): number | null {
  const amount = boundedNumber(node?.text, Number.MAX_SAFE_INTEGER);
  if (amount === null) return null;
  const bytesEach =
    { b: 1, bytes: 1, kb: 1000, mb: 1e6, gb: 1e9, m: 2 ** 20, mib: 2 ** 20, g: 2 ** 30, gib: 2 ** 30, tib: 2 ** 40 }[
      (node?.attributes.unit ?? 'KiB').toLowerCase()
    ] ?? 1024;
  return boundedNumber(String(Math.round((amount * bytesEach) / 2 ** 20)), memoryMiBMax);
}

const buses: Record<string, ForeignBus> = { virtio: 'virtio', scsi: 'scsi', sata: 'sata', ide: 'ide', usb: 'usb', nvme: 'nvme' };
function busOf(bus: string): ForeignBus | null {
  return buses[bus] ?? null;
}
