import { expect, test } from 'vitest';
import { type OsIdentity, unknownOs } from '../../../contract/guest-spec.ts';
import type { KnownOs } from '../os/osinfo-index.ts';
import { type HardwareDefaults, hardwareDefaults } from './hardware-defaults.ts';

const host = { cpus: 8, memoryMiB: 32_768 };

const os = (id: string | null, family: OsIdentity['family'], distro: string | null = null, version: string | null = null): OsIdentity => ({
  id,
  name: id ?? 'Unknown',
  family,
  version,
  distro,
});

const known = (parts: Partial<KnownOs>): KnownOs => ({
  fullId: 'http://x/1',
  id: 'x1',
  name: 'X',
  version: null,
  family: 'linux',
  distro: 'x',
  releaseDate: null,
  endOfLife: null,
  parents: [],
  firmware: { bios: null, uefi: null },
  resources: { minimumMemoryMiB: null, memoryMiB: null, cpus: null, minimumDiskGiB: null, diskGiB: null },
  devices: [],
  devicesRemoved: [],
  media: [],
  ...parts,
});

type Row = [what: string, os: OsIdentity, known: KnownOs | null, expected: Partial<HardwareDefaults>];

test.each<Row>([
  [
    'Windows 11 has what its installer asks for, and no device without a driver in it',
    os('win11', 'windows', 'win', '11.0'),
    null,
    {
      machine: 'q35',
      firmware: 'uefi-secure',
      tpm: true,
      diskBus: 'sata',
      cdBus: 'sata',
      nicModel: 'e1000e',
      clock: 'localtime',
      hypervEnlightenments: true,
      sound: 'hda',
      display: { device: 'std', heads: 1 },
      memoryMiB: 4096,
      rng: false,
      balloon: false,
    },
  ],
  [
    'Windows 10 boots as its medium does',
    os('win10', 'windows', 'win'),
    null,
    { machine: 'q35', firmware: 'uefi', tpm: false, diskBus: 'sata', clock: 'localtime', hypervEnlightenments: true },
  ],
  [
    'Windows 7 is a PC with IDE and e1000',
    os('win7', 'windows', 'win'),
    null,
    { machine: 'pc', firmware: 'bios', diskBus: 'ide', cdBus: 'ide', nicModel: 'e1000', hypervEnlightenments: true },
  ],
  [
    'Windows XP is a PC with IDE and rtl8139',
    os('winxp', 'windows', 'win'),
    null,
    {
      machine: 'pc',
      firmware: 'bios',
      diskBus: 'ide',
      nicModel: 'rtl8139',
      sound: 'ac97',
      memoryMiB: 1024,
      cpus: 1,
      hypervEnlightenments: false,
      clock: 'localtime',
    },
  ],
  ['Windows 95 has no USB', os('win95', 'windows', 'win'), null, { machine: 'pc', memoryMiB: 256, cpus: 1, usbTablet: false }],
  [
    'a Linux of today has virtio everywhere',
    os('debian12', 'linux', 'debian', '12'),
    known({ id: 'debian11', releaseDate: '2021-08-14' }),
    {
      machine: 'q35',
      diskBus: 'virtio',
      nicModel: 'virtio',
      display: { device: 'virtio', heads: 1 },
      rng: true,
      balloon: true,
      panicDevice: true,
      clock: 'utc',
      memoryMiB: 2048,
    },
  ],
  ['an unknown Linux is taken for one of today', os('newlinux1', 'linux', 'newlinux'), null, { diskBus: 'virtio', nicModel: 'virtio' }],
  [
    'a Linux of 2007 gets virtio only when the database knows that it has it',
    os('old1', 'linux', 'old'),
    known({ id: 'old1', releaseDate: '2007-05-01' }),
    { machine: 'pc', firmware: 'bios', diskBus: 'ide', nicModel: 'e1000', rng: false },
  ],
  [
    'a Linux of 2009 with virtio in the database gets it',
    os('old2', 'linux', 'old'),
    known({ id: 'old2', releaseDate: '2009-05-01', devices: ['http://pcisig.com/pci/1af4/1000', 'http://pcisig.com/pci/1af4/1001'] }),
    { machine: 'pc', diskBus: 'virtio', nicModel: 'virtio' },
  ],
  [
    'a Linux of 1999 is an old PC',
    os('rhl6', 'linux', 'rhl'),
    known({ id: 'rhl6', releaseDate: '1999-04-26' }),
    { machine: 'pc', diskBus: 'ide', nicModel: 'rtl8139', cpus: 1 },
  ],
  [
    'FreeBSD 14 has virtio',
    os('freebsd14.1', 'bsd', 'freebsd', '14.1'),
    null,
    { diskBus: 'virtio', nicModel: 'virtio', display: { device: 'std', heads: 1 } },
  ],
  ['FreeBSD 8 has not', os('freebsd8.4', 'bsd', 'freebsd', '8.4'), null, { diskBus: 'sata', nicModel: 'e1000' }],
  ['OpenBSD 7 has virtio', os('openbsd7.5', 'bsd', 'openbsd', '7.5'), null, { diskBus: 'virtio', nicModel: 'virtio' }],
  ['Haiku is a PC', os('haiku', 'other', 'haiku'), null, { machine: 'pc', diskBus: 'ide', nicModel: 'e1000', memoryMiB: 2048 }],
  [
    'ReactOS is an old PC',
    os('reactos', 'windows', 'reactos'),
    null,
    { machine: 'pc', diskBus: 'ide', nicModel: 'rtl8139', hypervEnlightenments: false },
  ],
  [
    'FreeDOS is small',
    os('freedos', 'dos', 'freedos'),
    null,
    { machine: 'pc', diskBus: 'ide', memoryMiB: 64, cpus: 1, usbTablet: false, sound: 'none' },
  ],
  ['a memory test needs no disk', os('memtest86', 'other', 'memtest86'), null, { diskGiB: null, memoryMiB: 256 }],
  ['the starter is small and has virtio', os('guesthouse-starter', 'linux', 'debian', '1'), null, { diskBus: 'virtio', memoryMiB: 512 }],
  [
    'what is not known gets what everything has drivers for',
    unknownOs,
    null,
    { machine: 'q35', diskBus: 'sata', nicModel: 'e1000e', display: { device: 'std', heads: 1 }, tpm: false, firmware: 'uefi' },
  ],
])('%s', (_what, identity, knowledge, expected) => {
  expect(hardwareDefaults({ os: identity, known: knowledge, medium: { firmware: 'uefi' }, host })).toMatchObject(expected);
});

test('memory follows the database, but leaves half of the host to itself', () => {
  const wants = known({ resources: { minimumMemoryMiB: 2048, memoryMiB: 8192, cpus: 2, minimumDiskGiB: 10, diskGiB: 40 } });
  const input = { os: os('x1', 'linux', 'x'), known: wants, medium: { firmware: 'bios' as const } };
  expect(hardwareDefaults({ ...input, host })).toMatchObject({ memoryMiB: 8192, diskGiB: 40 });
  expect(hardwareDefaults({ ...input, host: { cpus: 1, memoryMiB: 8192 } })).toMatchObject({ memoryMiB: 4096, cpus: 1 });
  // What it cannot run without is planned all the same; the check of sizes says that it does not fit.
  expect(hardwareDefaults({ ...input, host: { cpus: 1, memoryMiB: 2048 } }).memoryMiB).toBe(2048);
});

test('no operating system gets more processors than the host has', () => {
  for (const family of ['linux', 'windows', 'bsd', 'dos', 'solaris', 'other'] as const) {
    expect(
      hardwareDefaults({ os: os('win11', family), known: null, medium: { firmware: 'bios' }, host: { cpus: 1, memoryMiB: 4096 } }).cpus,
    ).toBe(1);
  }
});
