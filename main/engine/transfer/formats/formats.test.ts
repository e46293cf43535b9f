import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../../../contract/errors.ts';
import { parseManifest } from '../manifest.ts';
import { parseLibvirt } from './libvirt.ts';
import { parseOvf } from './ovf.ts';
import { parseQuickemu } from './quickemu.ts';
import { parseUtm } from './utm.ts';
import { parseVirtualBox } from './virtualbox.ts';
import { parseVmx } from './vmware.ts';

/** As VMware's ovftool writes it. */
const vmwareOvf = `<?xml version="1.0" encoding="UTF-8"?>
<Envelope vmw:buildId="build-1" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"
  xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
  xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References><File ovf:href="my%20disk.vmdk" ovf:id="file1" ovf:size="1000"/></References>
  <DiskSection><Disk ovf:capacity="16" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="vmdisk1" ovf:fileRef="file1"/>
    <Disk ovf:capacity="1" ovf:diskId="empty"/></DiskSection>
  <VirtualSystem ovf:id="vm">
    <Name>Web server</Name>
    <OperatingSystemSection ovf:id="96" vmw:osType="debian12_64Guest"><Description>Debian GNU/Linux 12 (64-bit)</Description></OperatingSystemSection>
    <AnnotationSection><Annotation>From the old rack</Annotation></AnnotationSection>
    <VirtualHardwareSection>
      <Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType><rasd:VirtualQuantity>4</rasd:VirtualQuantity></Item>
      <Item><rasd:AllocationUnits>byte * 2^30</rasd:AllocationUnits><rasd:InstanceID>2</rasd:InstanceID><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>8</rasd:VirtualQuantity></Item>
      <Item><rasd:InstanceID>3</rasd:InstanceID><rasd:ResourceSubType>lsilogic</rasd:ResourceSubType><rasd:ResourceType>6</rasd:ResourceType></Item>
      <Item><rasd:InstanceID>4</rasd:InstanceID><rasd:ResourceSubType>vmware.sata.ahci</rasd:ResourceSubType><rasd:ResourceType>20</rasd:ResourceType></Item>
      <Item><rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource><rasd:InstanceID>7</rasd:InstanceID><rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:HostResource>ovf:/disk/empty</rasd:HostResource><rasd:InstanceID>9</rasd:InstanceID><rasd:Parent>4</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>
      <Item><rasd:InstanceID>8</rasd:InstanceID><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType><rasd:ResourceType>10</rasd:ResourceType></Item>
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>`;

test('an OVF of VMware is read', () => {
  expect(parseOvf(vmwareOvf)).toMatchObject({
    name: 'Web server',
    notes: 'From the old rack',
    osHint: 'debian12_64Guest',
    cpus: 4,
    memoryMiB: 8192,
    firmware: 'uefi',
    disks: [{ file: 'my%20disk.vmdk', bus: null, controller: 'lsilogic' }],
    nics: [{ model: 'vmxnet3' }],
  });
});

test('an OVF that names what it does not have, or several machines, is refused', () => {
  for (const text of [
    vmwareOvf.replace('ovf:id="file1"', 'ovf:id="other"'),
    vmwareOvf.replace('ovf:/disk/vmdisk1', 'ovf:/disk/none'),
    vmwareOvf.replace('ovf:size="1000"', 'ovf:size="1000" ovf:compression="gzip"'),
    vmwareOvf.replace('<VirtualSystem ', '<VirtualSystem ovf:id="b"/><VirtualSystem '),
    '<Envelope/>',
    '<other/>',
  ]) {
    expect(() => parseOvf(text)).toThrow(Failure);
  }
});

test('a machine of VirtualBox is read, with its snapshots and what is in them', () => {
  const text = `<?xml version="1.0"?>
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
  <Machine uuid="{1}" name="Büro" OSType="Windows11_64" currentSnapshot="{9}">
    <MediaRegistry><HardDisks>
      <HardDisk uuid="{d1}" location="Büro.vdi" format="VDI" type="Normal"><HardDisk uuid="{d2}" location="Snapshots/{d2}.vdi" format="VDI"/></HardDisk>
    </HardDisks></MediaRegistry>
    <Snapshot uuid="{9}" name="before"/>
    <Hardware><CPU count="2"/><Memory RAMSize="4096"/><Firmware type="EFI"/><TrustedPlatformModule type="v2_0"/>
      <Network><Adapter slot="0" enabled="true" MACAddress="080027C0FFEE" type="82540EM"/><Adapter slot="1" enabled="false"/></Network>
      <StorageControllers><StorageController name="SATA" type="AHCI">
        <AttachedDevice type="HardDisk" port="0" device="0"><Image uuid="{d2}"/></AttachedDevice>
        <AttachedDevice type="DVD" port="1" device="0"/>
      </StorageController></StorageControllers>
    </Hardware>
  </Machine>
</VirtualBox>`;
  expect(parseVirtualBox(text)).toMatchObject({
    name: 'Büro',
    osHint: 'Windows11_64',
    cpus: 2,
    memoryMiB: 4096,
    firmware: 'uefi',
    tpm: true,
    disks: [{ file: 'Snapshots/{d2}.vdi', bus: 'sata' }],
    nics: [{ model: 'e1000', mac: '08:00:27:c0:ff:ee' }],
    findings: [{ id: 'source/snapshots' }],
  });
});

test('a machine of VMware is read, its disks in the order in which they boot', () => {
  const text = `.encoding = "UTF-8"
config.version = "8"
virtualHW.version = "19"
displayName = "a |22quoted|22 name"
guestOS = "windows9-64"
memsize = "2048"
numvcpus = "2"
firmware = "efi"
uefi.secureBoot.enabled = "TRUE"
vtpm.present = "TRUE"
sata0:1.present = "TRUE"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "x.iso"
scsi0.virtualDev = "lsisas1068"
scsi0:1.fileName = "second.vmdk"
scsi0:0.present = "TRUE"
scsi0:0.fileName = "disk-000002.vmdk"
ide1:0.fileName = "auto detect"
ethernet0.present = "TRUE"
ethernet0.virtualDev = "e1000e"
ethernet0.generatedAddress = "00:0c:29:aa:bb:cc"
ethernet1.present = "FALSE"
encryption.keySafe = "vmware:key/list/..."
`;
  expect(parseVmx(text)).toMatchObject({
    name: 'a "quoted" name',
    firmware: 'uefi-secure',
    tpm: true,
    disks: [
      { file: 'disk-000002.vmdk', bus: null, controller: 'lsisas1068' },
      { file: 'second.vmdk', bus: null },
    ],
    nics: [{ model: 'e1000e', mac: '00:0c:29:aa:bb:cc' }],
    findings: [{ id: 'source/encrypted', severity: 'problem' }, { id: 'source/snapshots' }],
  });
});

test('a domain of libvirt is read, and one on a network disk refused', () => {
  const text = `<domain type="kvm"><name>web</name><title>Web</title><memory unit="KiB">2097152</memory><vcpu>2</vcpu>
  <metadata><libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/"><libosinfo:os id="http://debian.org/debian/12"/></libosinfo:libosinfo></metadata>
  <os firmware="efi"><type arch="x86_64" machine="pc-q35-7.2">hvm</type><firmware><feature enabled="yes" name="secure-boot"/></firmware></os>
  <devices><disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file="/var/lib/libvirt/images/web.qcow2"/><target dev="vda" bus="virtio"/></disk>
  <disk type="file" device="cdrom"><source file="/x.iso"/><target dev="sda" bus="sata"/></disk>
  <interface type="network"><mac address="52:54:00:11:22:33"/><model type="virtio"/></interface><tpm model="tpm-crb"/></devices></domain>`;
  expect(parseLibvirt(text)).toMatchObject({
    name: 'Web',
    osHint: 'http://debian.org/debian/12',
    cpus: 2,
    memoryMiB: 2048,
    firmware: 'uefi-secure',
    tpm: true,
    disks: [{ file: '/var/lib/libvirt/images/web.qcow2', bus: 'virtio', raw: false }],
    nics: [{ model: 'virtio', mac: '52:54:00:11:22:33' }],
  });
  expect(() => parseLibvirt(text.replace('type="qcow2"', 'type="raw"').replace('file="/var', 'dev="/var'))).toThrow(Failure);
  expect(parseLibvirt(text.replace('type="qcow2"', 'type="raw"')).disks).toMatchObject([{ raw: true }]);
});

test('a bundle of UTM is read', () => {
  const text = `<?xml version="1.0"?><!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Backend</key><string>QEMU</string><key>ConfigurationVersion</key><integer>4</integer>
<key>Information</key><dict><key>Name</key><string>Linux box</string><key>Icon</key><string>debian</string></dict>
<key>System</key><dict><key>Architecture</key><string>x86_64</string><key>CPUCount</key><integer>2</integer><key>MemorySize</key><integer>1024</integer></dict>
<key>QEMU</key><dict><key>UEFIBoot</key><true/><key>TPMDevice</key><false/></dict>
<key>Drive</key><array><dict><key>ImageName</key><string>A.qcow2</string><key>ImageType</key><string>Disk</string><key>Interface</key><string>VirtIO</string></dict>
<dict><key>ImageType</key><string>CD</string><key>Interface</key><string>USB</string></dict></array>
<key>Network</key><array><dict><key>Hardware</key><string>virtio-net-pci</string><key>MacAddress</key><string>AA:BB:CC:00:11:22</string></dict></array>
</dict></plist>`;
  expect(parseUtm(text)).toMatchObject({
    name: 'Linux box',
    cpus: 2,
    memoryMiB: 1024,
    firmware: 'uefi',
    disks: [{ file: 'Data/A.qcow2', bus: 'virtio' }],
    nics: [{ model: 'virtio', mac: 'aa:bb:cc:00:11:22' }],
  });
  expect(() => parseUtm('bplist00...')).toThrow('plutil');
});

test('a machine of Quickemu is read, and nothing in it is run', () => {
  const text =
    'guest_os="linux"\ndisk_img="debian/disk.qcow2"\niso="debian/x.iso"\nram="4G"\ncpu_cores="2" # fast\ntpm="on"\nboot="legacy"\n';
  expect(parseQuickemu(text)).toMatchObject({
    osHint: 'linux',
    cpus: 2,
    memoryMiB: 4096,
    tpm: true,
    firmware: 'bios',
    disks: [{ file: 'debian/disk.qcow2', bus: 'virtio' }],
  });
  expect(() => parseQuickemu('guest_os="linux"\ndisk_img="$(touch /tmp/x)"\n')).toThrow(Failure);
  expect(() => parseQuickemu('hello')).toThrow(Failure);
});

test('a manifest is read whole or not at all', () => {
  expect(parseManifest('SHA256(a.ovf)= 00ff\nSHA1 (my disk.vmdk) = AB\r\n')).toEqual([
    { file: 'a.ovf', algorithm: 'sha256', hex: '00ff' },
    { file: 'my disk.vmdk', algorithm: 'sha1', hex: 'ab' },
  ]);
  expect(() => parseManifest('MD5(a)= 00\n')).toThrow(Failure);
});

test('no description makes a parser do anything but read it or refuse it', () => {
  const parsers = [parseOvf, parseVirtualBox, parseVmx, parseLibvirt, parseUtm, parseQuickemu];
  const words = fc.constantFrom(
    '<',
    '>',
    '</',
    '/>',
    '="',
    '"',
    '&',
    '<!--',
    '<![CDATA[',
    'Envelope',
    'domain',
    'disk',
    '\n',
    ' ',
    '.vmdk',
    '__proto__',
    'guest_os=',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string()), { maxLength: 40 }), (parts) => {
      for (const parse of parsers) {
        try {
          parse(parts.join(''));
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Failure);
        }
      }
    }),
  );
});
