/** Guests that between them set every field of a spec; each is a golden file of arguments. */
import type { CdDrive, Disk, GuestSpec, Nic } from '../../../../../contract/guest-spec.ts';
import { guestSpecVersion, unknownOs } from '../../../../../contract/guest-spec.ts';
import type { GuestId, ImageId } from '../../../../../contract/ids.ts';
import { layoutOf } from '../../../files/layout.ts';
import type { LaunchFacts } from './launch-facts.ts';

export const diskOf = (more: Partial<Disk> = {}): Disk => ({
  id: 'disk0',
  location: { kind: 'store', file: 'disk0.qcow2' },
  format: 'qcow2',
  sizeBytes: 10 * 2 ** 30,
  bus: 'virtio',
  cache: 'writeback',
  discard: true,
  iothread: false,
  readOnly: false,
  bootOrder: 1,
  limits: { bytesPerSecond: null, operationsPerSecond: null },
  ...more,
});
export const cdOf = (more: Partial<CdDrive> = {}): CdDrive => ({ id: 'cd0', bus: 'sata', medium: null, bootOrder: null, ...more });
export const nicOf = (more: Partial<Nic> = {}): Nic => ({
  id: 'nic0',
  mode: 'user',
  model: 'virtio',
  mac: '52:54:00:12:34:56',
  restricted: false,
  forwards: [],
  bridge: null,
  network: null,
  linkUp: true,
  bootOrder: null,
  ...more,
});

/** A plain Linux guest; tests change what they are about. */
export const specOf = (more: Partial<GuestSpec> = {}): GuestSpec => ({
  version: guestSpecVersion,
  uuid: '6b0b9f0e-4b5a-4a53-9d6f-0c4b8b8f7a11',
  name: 'Debian',
  notes: '',
  tags: [],
  favourite: false,
  clipboard: 'both',
  files: 'to-guest',
  os: { id: 'debian12', name: 'Debian 12', family: 'linux', version: '12', distro: 'debian' },
  architecture: 'x86_64',
  machine: 'q35',
  accelerator: 'auto',
  cpu: { model: 'auto', sockets: 1, cores: 2, threads: 1, online: null, pins: [] },
  cpuQuotaPercent: null,
  memoryMiB: 2048,
  memoryMaxMiB: null,
  balloonTargetMiB: null,
  hugePages: false,
  numaNodes: 1,
  firmware: 'bios',
  tpm: false,
  clock: 'utc',
  hypervEnlightenments: false,
  disks: [diskOf()],
  cdDrives: [],
  nics: [nicOf()],
  bootMenu: false,
  shares: [],
  usbDevices: [],
  display: { device: 'virtio', heads: 1 },
  sound: 'hda',
  usbTablet: true,
  rng: true,
  balloon: true,
  watchdog: { model: 'none', action: 'reset' },
  serial: true,
  agents: { qemu: true, spice: true },
  panicDevice: true,
  autostart: false,
  keyboard: { layout: 'us', localKeys: [] },
  extraArguments: [],
  ...more,
});

const windows: Partial<GuestSpec> = {
  name: 'Windows 11, at work',
  os: { id: 'win11', name: 'Windows 11', family: 'windows', version: '11', distro: 'win' },
  clock: 'localtime',
  firmware: 'uefi-secure',
  tpm: true,
  hypervEnlightenments: true,
};

const medium = { kind: 'image', imageId: 'i000000000' as ImageId } as const;

export type GoldenGuest = { spec: GuestSpec; facts?: Partial<LaunchFacts> };

export const goldenGuests: Record<string, GoldenGuest> = {
  'linux-bios': { spec: specOf() },
  'linux-bios-kvm': { spec: specOf(), facts: { accelerator: 'kvm' } },
  'linux-uefi': {
    spec: specOf({ firmware: 'uefi' }),
    facts: { firmware: { codePath: '/fw/CODE.fd', varsTemplatePath: '/fw/VARS.fd', format: 'raw' } },
  },
  'linux-uefi-qcow2-vars': {
    spec: specOf({ firmware: 'uefi' }),
    facts: { firmware: { codePath: '/fw/CODE.qcow2', varsTemplatePath: '/fw/VARS.qcow2', format: 'qcow2' } },
  },
  'linux-on-layers': {
    spec: specOf({ disks: [diskOf({ id: 'disk-with-the-longest-id', cache: 'none' })] }),
    facts: {
      disks: new Map([
        [
          'disk-with-the-longest-id',
          {
            path: '/home/ann/gh/guests/g000000000/disk0.qcow2',
            hostDevice: false,
            bases: [
              { path: '/home/ann/gh/layers/l000000000/disk.qcow2', format: 'qcow2' },
              { path: '/home/ann/gh/images/i000000000.raw', format: 'raw' },
            ],
          },
        ],
      ]),
    },
  },
  'windows-secure-tpm-kvm': {
    spec: specOf({ ...windows, disks: [diskOf({ bus: 'sata', cache: 'none' })], display: { device: 'qxl', heads: 2 } }),
    facts: { accelerator: 'kvm', firmware: { codePath: '/fw/CODE.secboot.fd', varsTemplatePath: '/fw/VARS.ms.fd', format: 'raw' } },
  },
  'windows-secure-tpm-emulated': {
    spec: specOf({ ...windows, nics: [nicOf({ model: 'e1000e' })] }),
    facts: { firmware: { codePath: '/fw/CODE.secboot.fd', varsTemplatePath: '/fw/VARS.ms.fd', format: 'raw' } },
  },
  'old-pc': {
    spec: specOf({
      machine: 'pc',
      os: unknownOs,
      cpu: { model: 'Nehalem', sockets: 2, cores: 1, threads: 2, online: null, pins: [] },
      accelerator: 'tcg',
      disks: [
        diskOf({ bus: 'ide', discard: false }),
        diskOf({ id: 'disk1', bus: 'sata', location: { kind: 'store', file: 'disk1.raw' }, format: 'raw', bootOrder: null }),
      ],
      cdDrives: [cdOf({ bus: 'ide', medium, bootOrder: 2 })],
      nics: [
        nicOf({ model: 'rtl8139' }),
        nicOf({ id: 'nic1', model: 'e1000', mac: '52:54:00:12:34:57' }),
        nicOf({ id: 'nic2', model: 'vmxnet3', mac: '52:54:00:12:34:58' }),
      ],
      display: { device: 'std', heads: 2 },
      sound: 'ac97',
      usbTablet: false,
      rng: false,
      balloon: false,
      serial: false,
      agents: { qemu: false, spice: false },
      panicDevice: false,
    }),
  },
  'every-bus': {
    spec: specOf({
      disks: (['virtio', 'scsi', 'sata', 'ide', 'nvme', 'usb'] as const).map((bus, index) =>
        diskOf({ id: `disk${index}`, bus, location: { kind: 'store', file: `disk${index}.qcow2` }, bootOrder: index + 1 }),
      ),
      cdDrives: (['sata', 'ide', 'scsi', 'usb'] as const).map((bus, index) =>
        cdOf({ id: `cd${index}`, bus, medium: index % 2 ? null : medium }),
      ),
    }),
  },
  'every-cache-mode': {
    spec: specOf({
      disks: (['none', 'writeback', 'writethrough', 'directsync', 'unsafe'] as const).map((cache, index) =>
        diskOf({ id: `disk${index}`, cache, discard: index % 2 === 0, readOnly: index === 4, bootOrder: null }),
      ),
    }),
  },
  iothreads: {
    spec: specOf({
      disks: [
        diskOf({ iothread: true }),
        diskOf({ id: 'disk1', bus: 'scsi', iothread: true, bootOrder: null }),
        diskOf({ id: 'disk2', bus: 'scsi', bootOrder: null }),
        diskOf({ id: 'disk3', bus: 'scsi', iothread: true, bootOrder: null }),
      ],
    }),
  },
  'many-sata': {
    spec: specOf({ disks: Array.from({ length: 8 }, (_, index) => diskOf({ id: `disk${index}`, bus: 'sata', bootOrder: index + 1 })) }),
  },
  'in-place': {
    spec: specOf({
      disks: [
        diskOf({ location: { kind: 'in-place', path: '/srv/disk, with comma.img' }, format: 'raw' }),
        diskOf({ id: 'disk1', location: { kind: 'in-place', path: '/dev/sdz' }, format: 'raw', bootOrder: null }),
      ],
      cdDrives: [cdOf({ medium: { kind: 'in-place', path: '/srv/a "quoted" cd.iso' }, bootOrder: 2 })],
    }),
  },
  forwards: {
    spec: specOf({
      nics: [
        nicOf({
          forwards: [
            { protocol: 'tcp', hostAddress: '127.0.0.1', hostPort: 2222, guestPort: 22 },
            { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 5353, guestPort: 53 },
          ],
        }),
        nicOf({ id: 'nic1', mac: '52:54:00:12:34:57', restricted: true }),
      ],
    }),
  },
  'cloud-answers': { spec: specOf(), facts: { seedDisc: { path: '/home/ann/gh/guests/g000000000/seed.iso', asDisk: true } } },
  'cloud-answers-no-virtio': {
    spec: specOf({ disks: [diskOf({ bus: 'sata' })], cdDrives: [cdOf()] }),
    facts: { seedDisc: { path: '/home/ann/gh/guests/g000000000/seed.iso', asDisk: true } },
  },
  'installer-answers-cd': {
    spec: specOf({ cdDrives: [cdOf({ medium, bootOrder: 2 })] }),
    facts: { seedDisc: { path: '/home/ann/gh/guests/g000000000/seed.iso', asDisk: false } },
  },
  'installer-first-start': {
    spec: specOf({ machine: 'pc', cdDrives: [cdOf({ bus: 'ide', medium, bootOrder: 2 })] }),
    facts: {
      seedDisc: { path: '/home/ann/gh/guests/g000000000/seed.iso', asDisk: false },
      firstStart: {
        kernel: '/home/ann/gh/guests/g000000000/installer-kernel',
        initrd: '/home/ann/gh/guests/g000000000/installer-initrd',
        commandLine: 'autoinstall',
      },
    },
  },
  'no-screen': { spec: specOf({ display: { device: 'none', heads: 1 } }) },
  'qxl-three-heads': { spec: specOf({ display: { device: 'qxl', heads: 3 } }) },
  'virtio-four-heads': { spec: specOf({ display: { device: 'virtio', heads: 4 }, sound: 'none' }) },
  'watchdog-pause': { spec: specOf({ watchdog: { model: 'i6300esb', action: 'pause' } }) },
  'watchdog-shutdown': { spec: specOf({ watchdog: { model: 'i6300esb', action: 'shutdown' } }) },
  'watchdog-poweroff': { spec: specOf({ clipboard: 'to-computer', watchdog: { model: 'i6300esb', action: 'poweroff' } }) },
  'watchdog-none': { spec: specOf({ clipboard: 'to-guest', watchdog: { model: 'i6300esb', action: 'none' } }) },
  'hostile-name': {
    spec: specOf({
      name: 'a,process=evil,debug-threads=off 👻',
      notes: 'n',
      tags: ['t'],
      favourite: true,
      autostart: true,
      clipboard: 'off',
      files: 'off',
    }),
  },
  'extra-arguments': { spec: specOf({ uuid: '0a0b9f0e-4b5a-4a53-9d6f-0c4b8b8f7a12', memoryMiB: 512, extraArguments: ['-device', 'edu'] }) },
  'room-to-grow': {
    spec: specOf({
      cpu: { model: 'auto', sockets: 1, cores: 4, threads: 1, online: 1, pins: [0, 1] },
      memoryMiB: 512,
      memoryMaxMiB: 4096,
      balloonTargetMiB: 256,
      cpuQuotaPercent: 50,
    }),
  },
  'numa-huge-pages': {
    spec: specOf({
      cpu: { model: 'auto', sockets: 2, cores: 2, threads: 1, online: null, pins: [] },
      memoryMiB: 1025,
      hugePages: true,
      numaNodes: 2,
    }),
  },
  'huge-pages': { spec: specOf({ hugePages: true }) },
  'boot-from-network': {
    spec: specOf({
      disks: [diskOf({ bootOrder: null, limits: { bytesPerSecond: 1_048_576, operationsPerSecond: 100 } })],
      nics: [nicOf({ bootOrder: 1 }), nicOf({ id: 'nic1', mac: '52:54:00:12:34:57', linkUp: false })],
      bootMenu: true,
    }),
  },
  'shared-folders': {
    spec: specOf({
      shares: [
        { id: 'share0', tag: 'work', path: '/home/ann/work, at home', readOnly: false, via: 'mount' },
        { id: 'share1', tag: 'music', path: '/srv/music', readOnly: true, via: 'mount' },
        { id: 'share2', tag: 'letters', path: '/home/ann/letters', readOnly: false, via: 'webdav' },
      ],
    }),
    facts: {
      shares: new Map([
        ['share0', 'virtiofs'],
        ['share1', '9p'],
        ['share2', 'webdav'],
      ]),
    },
  },
  'usb-devices': {
    spec: specOf({
      usbDevices: [
        { id: 'usb0', vendorId: '046d', productId: 'c52b', port: null },
        { id: 'usb1', vendorId: '0951', productId: '1666', port: '1-2.1' },
      ],
    }),
  },
  'isolated-network': {
    spec: specOf({ nics: [nicOf(), nicOf({ id: 'nic1', mac: '52:54:00:12:34:57', mode: 'isolated', network: 'lab' })] }),
  },
  bridge: { spec: specOf({ nics: [nicOf({ mode: 'bridge', bridge: 'br0' })] }) },
  resuming: { spec: specOf(), facts: { incoming: true, machine: 'pc-q35-7.2' } },
  'resuming-with-plugged-devices': {
    spec: specOf({
      disks: [diskOf(), diskOf({ id: 'disk1', location: { kind: 'store', file: 'disk1.qcow2' }, bootOrder: null })],
      nics: [nicOf(), nicOf({ id: 'nic1', mac: '52:54:00:12:34:57' })],
    }),
    facts: { incoming: true, machine: 'pc-q35-7.2', plugged: { disk1: 'port0', nic1: 'port1' } },
  },
  'without-seccomp': { spec: specOf(), facts: { sandbox: false, accelerator: 'hvf' } },
};

/** Facts as a host with everything would give them. */
export function goldenFacts(guest: GoldenGuest): LaunchFacts {
  const id = 'gabcdefghi' as GuestId;
  const files = layoutOf({
    home: '/home/ann/gh',
    run: '/home/ann/gh/run',
    logs: '/home/ann/gh/logs',
    engineSocket: '/home/ann/gh/run/engine.sock',
  }).guest(id);
  const { spec } = guest;
  return {
    id,
    files,
    accelerator: 'tcg',
    firmware: null,
    disks: new Map(
      spec.disks.map(({ id: disk, location }) => [
        disk,
        location.kind === 'store'
          ? { path: files.disk(location.file), hostDevice: false, bases: [] }
          : { path: location.path, hostDevice: location.path.startsWith('/dev/'), bases: [] },
      ]),
    ),
    media: new Map(
      spec.cdDrives.flatMap((drive) =>
        drive.medium
          ? [
              [
                drive.id,
                {
                  path: drive.medium.kind === 'image' ? '/home/ann/gh/images/i000000000.iso' : drive.medium.path,
                  hostDevice: false,
                  bases: [],
                },
              ] as const,
            ]
          : [],
      ),
    ),
    plugged: {},
    shares: new Map(),
    machine: null,
    incoming: false,
    bridgeHelper: '/usr/lib/qemu/qemu-bridge-helper',
    seedDisc: null,
    firstStart: null,
    sandbox: true,
    ...guest.facts,
  };
}
