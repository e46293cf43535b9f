import { expect, test } from 'vitest';
import { finding as findingSchema } from '../../../contract/host.ts';
import type { ProbeReport } from './accelerator-probe.ts';
import type { HostFacts } from './finding-parts.ts';
import { buildFindings } from './findings.ts';

const probe = (name: 'kvm' | 'tcg', outcome: ProbeReport['outcome']): ProbeReport => ({
  verdict: {
    name,
    present: outcome !== 'missing',
    usable: outcome === 'usable',
    reason: `${name} is ${outcome}.`,
    probedAt: '2026-01-01T00:00:00.000Z',
  },
  outcome,
  detail: null,
});

const devices = [
  ...['virtio-blk-pci', 'virtio-net-pci', 'virtio-scsi-pci', 'virtio-serial-pci', 'virtserialport', 'virtio-rng-pci', 'virtio-balloon-pci'],
  ...['virtio-vga', 'qxl-vga', 'VGA', 'qemu-xhci', 'usb-tablet', 'ich9-intel-hda', 'hda-duplex'],
];

const qemu = (parts: Partial<HostFacts['qemu'][number]['described']> = {}): HostFacts['qemu'][number]['described'] => ({
  path: '/usr/bin/qemu-system-x86_64',
  identity: '1',
  version: '7.2.22',
  architecture: 'x86_64',
  spice: true,
  userNetworking: true,
  machines: ['pc', 'q35'],
  cpuModels: ['max'],
  devices,
  accelerators: ['tcg', 'kvm'],
  ...parts,
});

const healthy: HostFacts = {
  system: { tool: 'apt', id: 'debian', versionId: '12', isRoot: false },
  username: 'ada',
  architecture: 'x86_64',
  qemu: [{ described: qemu(), probes: [probe('kvm', 'usable'), probe('tcg', 'usable')] }],
  brokenQemu: [],
  searchedFolders: ['/usr/bin'],
  qemuImg: '/usr/bin/qemu-img',
  firmware: {
    uefi: { codePath: '/c', varsTemplatePath: '/v', format: 'raw' },
    uefiSecure: { codePath: '/sc', varsTemplatePath: '/sv', format: 'raw' },
  },
  swtpm: '/usr/bin/swtpm',
  virtiofsd: '/usr/libexec/virtiofsd',
  ssh: '/usr/bin/ssh',
  osinfo: { folder: '/usr/share/osinfo', version: '20250101' },
  xorriso: '/usr/bin/xorriso',
  gpgv: '/usr/bin/gpgv',
  guestfs: {
    virtV2v: '/usr/bin/virt-v2v',
    virtV2vInPlace: '/usr/bin/virt-v2v-in-place',
    nbdkit: '/usr/bin/nbdkit',
    windowsTools: null,
    windowsDrivers: null,
    virtInspector: '/usr/bin/virt-inspector',
    guestfish: '/usr/bin/guestfish',
  },
  store: {
    path: '/home/ada/.local/share/guesthouse',
    freeBytes: 200 * 1024 ** 3,
    totalBytes: 400 * 1024 ** 3,
    keepFreeMiB: 512,
    modeProblem: null,
    writeProblem: null,
  },
  memoryMiB: 32_768,
  memoryFreeMiB: 20_000,
  isVirtual: false,
};

const of = (facts: Partial<HostFacts>, id: string) => buildFindings({ ...healthy, ...facts }).find((one) => one.id === id);
const withQemu = (parts: Parameters<typeof qemu>[0], probes = healthy.qemu[0]?.probes ?? []) => ({
  qemu: [{ described: qemu(parts), probes }],
});

test('a healthy computer has no problem, no warning and nothing to copy but what is optional', () => {
  const findings = buildFindings(healthy);
  expect(findings.filter((one) => one.severity === 'problem' || one.severity === 'warning')).toEqual([]);
  for (const one of findings) expect(findingSchema.safeParse(one).error).toBeUndefined();
  expect(new Set(findings.map((one) => one.id)).size).toBe(findings.length);
});

const noGuestfs: HostFacts['guestfs'] = {
  virtV2v: null,
  virtV2vInPlace: null,
  nbdkit: null,
  windowsTools: null,
  windowsDrivers: null,
  virtInspector: null,
  guestfish: null,
};

test('optional tools are named with what they would add, and are no warning', () => {
  const without = { gpgv: null, guestfs: noGuestfs };
  for (const id of ['app/gpgv', 'app/virt-v2v', 'app/virt-inspector']) {
    expect(of({}, id)).toMatchObject({ severity: 'ok', command: null });
    expect(of(without, id)).toMatchObject({
      severity: 'info',
      command: expect.stringContaining('apt-get install'),
      text: expect.stringContaining('With'),
    });
  }
  // Debian installs virt-v2v without what it opens disks with.
  expect(of({ guestfs: { ...healthy.guestfs, nbdkit: null } }, 'app/virt-v2v')).toMatchObject({
    severity: 'info',
    text: expect.stringContaining('nbdkit'),
    command: 'sudo apt-get install -y virt-v2v nbdkit',
  });
});

test('everything that is missing has a remedy', () => {
  const bare: HostFacts = {
    ...healthy,
    qemu: [],
    qemuImg: null,
    firmware: { uefi: null, uefiSecure: null },
    swtpm: null,
    virtiofsd: null,
    ssh: null,
    osinfo: null,
    xorriso: null,
    gpgv: null,
    guestfs: noGuestfs,
  };
  for (const one of buildFindings(bare)) {
    expect(findingSchema.safeParse(one).error).toBeUndefined();
    if (one.severity === 'problem' || one.severity === 'warning') expect(one.remedy, one.id).not.toBeNull();
  }
  expect(of(bare, 'qemu/x86_64')).toMatchObject({ severity: 'problem', command: 'sudo apt-get install -y qemu-system-x86 qemu-utils' });
  expect(of(bare, 'tpm/swtpm')).toMatchObject({ severity: 'warning', command: 'sudo apt-get install -y swtpm swtpm-tools' });
});

test('no command is guessed for a system whose packages are not known', () => {
  expect(of({ swtpm: null, system: { tool: null, id: 'plan9', versionId: '', isRoot: false } }, 'tpm/swtpm')).toMatchObject({
    command: null,
    remedy: expect.any(String),
  });
});

test('KVM that may not be opened names the group, one that is broken in a virtual machine names its host', () => {
  expect(of(withQemu({}, [probe('kvm', 'denied'), probe('tcg', 'usable')]), 'accelerator/kvm')).toMatchObject({
    severity: 'warning',
    command: 'sudo usermod -aG kvm ada',
  });
  const nested = { ...withQemu({}, [probe('kvm', 'broken'), probe('tcg', 'usable')]), isVirtual: true };
  expect(of(nested, 'accelerator/kvm')?.remedy).toContain('nested virtualisation');
  expect(of(nested, 'accelerator/emulated')).toMatchObject({ severity: 'warning' });
});

test('a QEMU under which nothing runs at all is a problem', () => {
  expect(of(withQemu({}, [probe('kvm', 'broken'), probe('tcg', 'broken')]), 'accelerator/none')).toMatchObject({ severity: 'problem' });
});

test('QEMU without SPICE, slirp or devices is named with what is lost', () => {
  expect(of(withQemu({ spice: false }), 'console/spice')).toMatchObject({
    severity: 'problem',
    command: expect.stringContaining('qemu-system'),
  });
  expect(of(withQemu({ userNetworking: false }), 'network/user')).toMatchObject({ severity: 'problem' });
  expect(of(withQemu({ devices: devices.filter((name) => name !== 'qxl-vga') }), 'devices/video')?.text).toContain('no qxl-vga');
});

test('space is a warning before it is a problem', () => {
  const withFree = (freeBytes: number) => of({ store: { ...healthy.store, freeBytes } }, 'storage/space')?.severity;
  expect(withFree(200 * 1024 ** 3)).toBe('ok');
  expect(withFree(5 * 1024 ** 3)).toBe('warning');
  expect(withFree(100 * 1024 ** 2)).toBe('problem');
});

test('paths in commands to copy are quoted', () => {
  const store = { ...healthy.store, path: "/home/ada's files/guesthouse", modeProblem: 'its mode is 755.' };
  expect(of({ store }, 'permissions/store')?.command).toBe("chmod 700 '/home/ada'\\''s files/guesthouse'");
});
