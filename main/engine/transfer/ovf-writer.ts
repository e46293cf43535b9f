/** Describes a guest as OVF 1.1 for VMware, VirtualBox and what else reads it. Pure. */
import { cpuCount, type GuestSpec } from '../../../contract/guest-spec.ts';

export type OvfDisk = { file: string; fileSizeBytes: number; virtualSizeBytes: number };

/** Escapes text for XML. Control characters that XML cannot hold are left out. */
export function xmlText(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replaceAll(/[&<>"']/g, (character) => named[character] ?? character)
  );
}

const namespaces = [
  'xmlns="http://schemas.dmtf.org/ovf/envelope/1"',
  'xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"',
  'xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"',
  'xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"',
  'xmlns:vmw="http://www.vmware.com/schema/ovf"',
].join(' ');

export function buildOvf(spec: GuestSpec, disks: readonly OvfDisk[]): string {
  const cpus = cpuCount(spec.cpu);
  // Fields of an item are in the order of their names, as the schema wants them.
  const item = (fields: Record<string, string | number>) =>
    `      <Item>${Object.entries(fields)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `<rasd:${name}>${xmlText(String(value))}</rasd:${name}>`)
      .join('')}</Item>`;
  const items = [
    item({
      InstanceID: 1,
      ElementName: `${cpus} processors`,
      ResourceType: 3,
      VirtualQuantity: cpus,
      AllocationUnits: 'hertz * 10^6',
      Description: 'Processors',
    }),
    item({
      InstanceID: 2,
      ElementName: `${spec.memoryMiB} MB of memory`,
      ResourceType: 4,
      VirtualQuantity: spec.memoryMiB,
      AllocationUnits: 'byte * 2^20',
      Description: 'Memory',
    }),
    // What every product has, and every system a driver for.
    item({
      InstanceID: 3,
      ElementName: 'SATA controller',
      ResourceType: 20,
      ResourceSubType: 'AHCI',
      Address: 0,
      Description: 'SATA controller',
    }),
    ...disks.map((_disk, index) =>
      item({
        InstanceID: 10 + index,
        ElementName: `Disk ${index + 1}`,
        ResourceType: 17,
        HostResource: `ovf:/disk/vmdisk${index + 1}`,
        Parent: 3,
        AddressOnParent: index,
      }),
    ),
    ...spec.nics.map((nic, index) =>
      item({
        InstanceID: 40 + index,
        ElementName: `Network card ${index + 1}`,
        ResourceType: 10,
        ResourceSubType: nic.model === 'vmxnet3' ? 'VmxNet3' : 'E1000',
        AutomaticAllocation: 'true',
        Connection: 'NAT',
        AddressOnParent: index,
      }),
    ),
  ];
  const firmware = spec.firmware === 'bios' ? 'bios' : 'efi';
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<Envelope ovf:version="1.0" xml:lang="en-US" ${namespaces}>`,
    '  <References>',
    ...disks.map(
      (disk, index) => `    <File ovf:href="${xmlText(disk.file)}" ovf:id="file${index + 1}" ovf:size="${disk.fileSizeBytes}"/>`,
    ),
    '  </References>',
    '  <DiskSection>',
    '    <Info>Disks of the machine</Info>',
    ...disks.map(
      (disk, index) =>
        `    <Disk ovf:capacity="${disk.virtualSizeBytes}" ovf:capacityAllocationUnits="byte" ovf:diskId="vmdisk${index + 1}" ovf:fileRef="file${index + 1}" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"/>`,
    ),
    '  </DiskSection>',
    '  <NetworkSection>',
    '    <Info>Networks of the machine</Info>',
    '    <Network ovf:name="NAT"><Description>A way out through the host</Description></Network>',
    '  </NetworkSection>',
    `  <VirtualSystem ovf:id="${xmlText(spec.name)}">`,
    '    <Info>A machine exported from Guesthouse</Info>',
    `    <Name>${xmlText(spec.name)}</Name>`,
    `    <OperatingSystemSection ovf:id="${cimOs(spec)}"><Info>Operating system</Info><Description>${xmlText(spec.os.name)}</Description></OperatingSystemSection>`,
    ...(spec.notes === ''
      ? []
      : [`    <AnnotationSection><Info>Notes</Info><Annotation>${xmlText(spec.notes)}</Annotation></AnnotationSection>`]),
    '    <VirtualHardwareSection>',
    '      <Info>Hardware of the machine</Info>',
    '      <System><vssd:ElementName>Virtual hardware</vssd:ElementName><vssd:InstanceID>0</vssd:InstanceID><vssd:VirtualSystemType>vmx-10</vssd:VirtualSystemType></System>',
    ...items,
    `      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="${firmware}"/>`,
    ...(spec.firmware === 'uefi-secure'
      ? ['      <vmw:Config ovf:required="false" vmw:key="uefi.secureBoot.enabled" vmw:value="true"/>']
      : []),
    '    </VirtualHardwareSection>',
    '  </VirtualSystem>',
    '</Envelope>',
    '',
  ].join('\n');
}

/** CIM's number for an operating system: 64-bit Linux, Windows, FreeBSD or another. */
function cimOs({ os }: GuestSpec): number {
  if (os.distro === 'debian') return 96;
  if (os.distro === 'ubuntu') return 94;
  return { linux: 101, windows: 103, bsd: 78, solaris: 29, dos: 16, macos: 1, other: 102 }[os.family];
}
