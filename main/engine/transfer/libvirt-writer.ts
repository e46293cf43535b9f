/** Describes a guest as a domain of libvirt, for `virsh define`. Pure. */
import { cpuCount, type GuestSpec } from '../../../contract/guest-spec.ts';
import { xmlText } from './ovf-writer.ts';

/** `diskPaths` are those of the exported disks, in the order of the spec's. */
export function buildDomain(spec: GuestSpec, diskPaths: readonly string[]): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  const counts = new Map<string, number>();
  const disks = spec.disks.flatMap((disk, index) => {
    const path = diskPaths[index];
    if (path === undefined) return [];
    // libvirt gives NVMe only to real devices.
    const bus = disk.bus === 'nvme' ? 'virtio' : disk.bus;
    const prefix = bus === 'virtio' ? 'vd' : bus === 'ide' ? 'hd' : 'sd';
    const number = counts.get(prefix) ?? 0;
    counts.set(prefix, number + 1);
    return [
      '    <disk type="file" device="disk">',
      `      <driver name="qemu" type="qcow2"${disk.discard ? ' discard="unmap"' : ''}/>`,
      `      <source file="${xmlText(path)}"/>`,
      `      <target dev="${prefix}${letters[number] ?? 'z'}" bus="${bus}"/>`,
      ...(disk.bootOrder === null ? [] : [`      <boot order="${disk.bootOrder}"/>`]),
      '    </disk>',
    ];
  });
  const nics = spec.nics.flatMap((nic) => [
    '    <interface type="user">',
    `      <mac address="${nic.mac}"/>`,
    `      <model type="${nic.model}"/>`,
    '    </interface>',
  ]);
  const uefi = spec.firmware !== 'bios';
  const secure = spec.firmware === 'uefi-secure';
  return [
    // Works with and without KVM; who has it changes the type.
    '<domain type="kvm">',
    `  <name>${xmlText(spec.name.replaceAll('/', '-'))}</name>`,
    `  <uuid>${spec.uuid}</uuid>`,
    `  <title>${xmlText(spec.name)}</title>`,
    ...(spec.notes === '' ? [] : [`  <description>${xmlText(spec.notes)}</description>`]),
    `  <memory unit="MiB">${spec.memoryMiB}</memory>`,
    `  <vcpu>${cpuCount(spec.cpu)}</vcpu>`,
    `  <os${uefi ? ' firmware="efi"' : ''}>`,
    `    <type arch="${spec.architecture}" machine="${spec.machine}">hvm</type>`,
    ...(uefi
      ? [
          `    <firmware><feature enabled="${secure ? 'yes' : 'no'}" name="enrolled-keys"/><feature enabled="${secure ? 'yes' : 'no'}" name="secure-boot"/></firmware>`,
        ]
      : []),
    '  </os>',
    `  <features><acpi/><apic/>${secure ? '<smm state="on"/>' : ''}</features>`,
    `  <cpu mode="host-passthrough"><topology sockets="${spec.cpu.sockets}" cores="${spec.cpu.cores}" threads="${spec.cpu.threads}"/></cpu>`,
    `  <clock offset="${spec.clock}"/>`,
    '  <devices>',
    ...disks,
    ...nics,
    ...(spec.tpm ? ['    <tpm model="tpm-crb"><backend type="emulator" version="2.0"/></tpm>'] : []),
    ...(spec.serial ? ['    <serial type="pty"/>'] : []),
    ...(spec.usbTablet ? ['    <input type="tablet" bus="usb"/>'] : []),
    ...(spec.display.device === 'none'
      ? []
      : [
          '    <graphics type="spice" autoport="yes"/>',
          `    <video><model type="${{ virtio: 'virtio', qxl: 'qxl', std: 'vga' }[spec.display.device]}"/></video>`,
        ]),
    ...(spec.agents.qemu ? ['    <channel type="unix"><target type="virtio" name="org.qemu.guest_agent.0"/></channel>'] : []),
    ...(spec.rng ? ['    <rng model="virtio"><backend model="random">/dev/urandom</backend></rng>'] : []),
    '  </devices>',
    '</domain>',
    '',
  ].join('\n');
}
