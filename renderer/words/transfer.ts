/** Words about machines that come from other products, and guests that go to them. */
import type { BootTest, ExportFormat, MachineFinding, MachineKind } from '../../contract/machine.ts';

const kinds: Record<MachineKind, string> = {
  ova: 'OVA',
  ovf: 'OVF',
  virtualbox: 'VirtualBox',
  vmware: 'VMware',
  libvirt: 'libvirt',
  utm: 'UTM',
  quickemu: 'Quickemu',
  disk: 'Disk image',
  capsule: 'Guesthouse capsule',
};
const severities: Record<MachineFinding['severity'], string> = {
  problem: 'In the way',
  warning: 'Worth weighing',
  info: 'Good to know',
  ok: 'In order',
};
const verdicts: Record<BootTest['verdict'], string> = {
  booted: 'It booted when it was tried',
  reading: 'It began to boot when it was tried',
  idle: 'It did not boot when it was tried',
  failed: 'It could not be started when it was tried',
};
const formats: Record<ExportFormat, { label: string; note: string }> = {
  capsule: { label: 'Capsule', note: 'One file with everything, TPM and firmware included, for another Guesthouse.' },
  ova: { label: 'OVA', note: 'One file for VMware, VirtualBox and others.' },
  libvirt: { label: 'libvirt', note: 'A folder with the domain’s XML and its disks, for virsh and virt-manager.' },
  qcow2: { label: 'qcow2', note: 'Its disks alone, for QEMU.' },
  raw: { label: 'raw', note: 'Its disks alone, byte by byte.' },
  vmdk: { label: 'VMDK', note: 'Its disks alone, for VMware.' },
  vhdx: { label: 'VHDX', note: 'Its disks alone, for Hyper-V.' },
  vdi: { label: 'VDI', note: 'Its disks alone, for VirtualBox.' },
};

export const transferWords = {
  importTitle: 'Import a machine',
  importText: 'Bring in a machine of VMware, VirtualBox, libvirt, UTM or Quickemu, an OVA, or a capsule of another Guesthouse.',
  importNote: 'The source is only read. Shut the machine down there first.',
  file: 'Machine',
  reading: 'Reading the machine and looking into its disks…',
  reasonProblem: 'Something is in the way, see above.',
  name: 'Name',
  hardware: (cpus: string, memory: string, firmware: string) => `${cpus} · ${memory} · ${firmware}`,
  disk: (format: string, used: string, size: string, bus: string) => `${format} · ${used}, ${size} for the guest · on ${bus}`,
  action: 'What will be done',
  bootTest: 'Try once whether the copy boots',
  bootTestNote: 'Alone, without a network, on a layer that is thrown away. Takes up to a minute, longer without hardware acceleration.',
  trust: 'These files are disks of this machine: copy them too',
  start: 'Import',
  importing: (name: string) => `Importing ${name}`,
  cancelled: (name: string) => `${name} was not imported. Nothing was left behind.`,
  done: (name: string) => `${name} is in the library`,
  notTried: 'Whether it boots was not tried.',
  picture: 'Its screen at the end of the boot test',
  open: 'Open',
  another: 'Import another',
  kinds,
  severities,
  verdicts,
  formats,
  export: 'Export…',
  exportTitle: (name: string) => `Export ${name}`,
  exportNote: 'What is written is read back and compared with the guest’s disks before the export is called done.',
  format: 'Format',
  target: 'Write to',
  reasonNoTarget: 'Choose where it goes first.',
  overwrite: 'Replace what is there',
  exportStart: 'Export',
};
