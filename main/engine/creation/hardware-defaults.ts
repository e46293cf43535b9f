/** Which hardware an operating system of x86_64 gets when nobody says otherwise: what it has drivers for, and of that the quickest. Pure. */
import type { FirmwareKind, GuestSpec, OsIdentity } from '../../../contract/guest-spec.ts';
import type { MediumReport } from '../../../contract/image.ts';
import { starterOsId } from '../os/os-recognition.ts';
import type { KnownOs } from '../os/osinfo-index.ts';

type Disk = GuestSpec['disks'][number];
type Nic = GuestSpec['nics'][number];

export type HardwareDefaults = Pick<
  GuestSpec,
  | 'machine'
  | 'firmware'
  | 'tpm'
  | 'clock'
  | 'hypervEnlightenments'
  | 'memoryMiB'
  | 'display'
  | 'sound'
  | 'usbTablet'
  | 'rng'
  | 'balloon'
  | 'watchdog'
  | 'serial'
  | 'agents'
  | 'panicDevice'
> & {
  cpus: number;
  diskBus: Disk['bus'];
  cdBus: GuestSpec['cdDrives'][number]['bus'];
  nicModel: Nic['model'];
  /** Of a new empty disk; null: none is needed. */
  diskGiB: number | null;
};

export type DefaultsInput = {
  os: OsIdentity;
  /** What libosinfo knows of it, or of its nearest relative. */
  known: KnownOs | null;
  medium: Pick<MediumReport, 'firmware'>;
  host: { cpus: number; memoryMiB: number };
};

/** Everything that depends on the kind of operating system; what is left out is as in {@link safe}. */
type Profile = Partial<Omit<HardwareDefaults, 'firmware'>> & { minimumMemoryMiB?: number; firmware?: FirmwareKind };

const off = { model: 'none', action: 'none' } as const;

/** For what is not known: devices that every system of the last twenty years has drivers for. */
const safe = {
  machine: 'q35',
  tpm: false,
  clock: 'utc',
  hypervEnlightenments: false,
  memoryMiB: 2048,
  cpus: 2,
  diskGiB: 25,
  diskBus: 'sata',
  cdBus: 'sata',
  nicModel: 'e1000e',
  display: { device: 'std', heads: 1 },
  sound: 'hda',
  usbTablet: true,
  rng: false,
  balloon: false,
  watchdog: off,
  serial: true,
  agents: { qemu: true, spice: true },
  panicDevice: false,
} as const satisfies Profile;

/** A PC of the nineties: everything on the IDE bus, nothing that asks for ACPI, MSI or USB. */
const oldPc = {
  machine: 'pc',
  firmware: 'bios',
  diskBus: 'ide',
  cdBus: 'ide',
  nicModel: 'rtl8139',
  sound: 'ac97',
  cpus: 1,
  agents: { qemu: false, spice: false },
} as const satisfies Profile;

const modernLinux = {
  diskBus: 'virtio',
  nicModel: 'virtio',
  // Its driver sends whole rectangles of pixels, which the console shows best; qxl's may send operations that the console does not know.
  display: { device: 'virtio', heads: 1 },
  rng: true,
  balloon: true,
  panicDevice: true,
} as const satisfies Profile;

const windows = { clock: 'localtime', hypervEnlightenments: true, serial: false, panicDevice: false } as const satisfies Profile;

export function hardwareDefaults(input: DefaultsInput): HardwareDefaults {
  const profile = profileFor(input);
  const { minimumMemoryMiB = 0, ...hardware } = profile;
  return {
    ...safe,
    ...hardware,
    firmware: profile.firmware ?? input.medium.firmware,
    memoryMiB: fittingMemory(profile.memoryMiB ?? safe.memoryMiB, minimumMemoryMiB, input),
    cpus: Math.max(1, Math.min(profile.cpus ?? Math.max(safe.cpus, input.known?.resources.cpus ?? 1), input.host.cpus)),
  };
}

/** The wanted memory or what the database recommends, but no more than half of the host's unless the system could not run in that. */
function fittingMemory(wantedMiB: number, minimumMiB: number, { known, host, os }: DefaultsInput): number {
  const recommended = known && os.family !== 'dos' ? Math.max(known.resources.memoryMiB ?? 0, known.resources.minimumMemoryMiB ?? 0) : 0;
  const floor = Math.max(minimumMiB, known?.resources.minimumMemoryMiB ?? 0, 16);
  const half = Math.floor(host.memoryMiB / 2);
  return Math.max(floor, Math.min(Math.max(wantedMiB, recommended), half));
}

function profileFor(input: DefaultsInput): Profile {
  const { os } = input;
  if (os.id === starterOsId) return { ...modernLinux, memoryMiB: 512, minimumMemoryMiB: 192, diskGiB: 2 };
  if (os.id === 'memtest86') return { memoryMiB: 256, cpus: 1, diskGiB: null, sound: 'none', agents: { qemu: false, spice: false } };
  if (os.distro === 'reactos') return { ...oldPc, clock: 'localtime', memoryMiB: 1024, diskGiB: 10 };
  if (os.distro === 'haiku')
    return { ...oldPc, nicModel: 'e1000', sound: 'hda', cpus: 2, memoryMiB: 2048, minimumMemoryMiB: 512, diskGiB: 10 };
  switch (os.family) {
    case 'windows':
      return windowsProfile(os);
    case 'linux':
      return linuxProfile(input);
    case 'bsd':
      return bsdProfile(input);
    case 'dos':
      return { ...oldPc, clock: 'localtime', memoryMiB: 64, diskGiB: 1, sound: 'none', usbTablet: false, serial: true };
    case 'solaris':
      return { ...oldPc, nicModel: 'e1000', sound: 'hda', cpus: 2, memoryMiB: 4096, diskGiB: 30 };
    default:
      return {};
  }
}

/** Releases by what drivers they bring; ids are libosinfo's. No release of Windows brings virtio drivers. */
function windowsProfile(os: OsIdentity): Profile {
  const id = os.id ?? '';
  if (id === 'win11' || id === 'win2k25') {
    return { ...windows, firmware: 'uefi-secure', tpm: true, memoryMiB: 4096, minimumMemoryMiB: 4096, cpus: 4, diskGiB: 80 };
  }
  if (['win1.0', 'win2.0', 'win2.1', 'win3.1', 'win95', 'win98', 'winme', 'winnt3.1', 'winnt3.5', 'winnt3.51', 'winnt4.0'].includes(id)) {
    return { ...oldPc, clock: 'localtime', memoryMiB: 256, diskGiB: 4, usbTablet: id === 'win98' || id === 'winme', serial: false };
  }
  if (['win2k', 'winxp', 'win2k3', 'win2k3r2'].includes(id)) {
    return { ...oldPc, clock: 'localtime', memoryMiB: 1024, diskGiB: 20, serial: false, agents: { qemu: true, spice: true } };
  }
  if (['winvista', 'win7', 'win2k8', 'win2k8r2'].includes(id)) {
    return {
      ...oldPc,
      ...windows,
      nicModel: 'e1000',
      sound: 'hda',
      cpus: 2,
      memoryMiB: 2048,
      diskGiB: 40,
      agents: { qemu: true, spice: true },
    };
  }
  return { ...windows, memoryMiB: 4096, minimumMemoryMiB: 2048, diskGiB: 64 };
}

/** Since about 2010 every kernel has the virtio drivers; before, only what the database says. */
function linuxProfile({ os, known }: DefaultsInput): Profile {
  const isThis = known?.id === os.id;
  const released = isThis ? (known?.releaseDate ?? null) : null;
  const old = released !== null && released < '2010-06';
  const veryOld = released !== null && released < '2006';
  const diskGiB = Math.max(25, known?.resources.diskGiB ?? 0);
  if (veryOld) return { ...oldPc, memoryMiB: 512, diskGiB: 10 };
  if (old) {
    const virtio = knowsDevice(known, '1af4/1001') && knowsDevice(known, '1af4/1000');
    return {
      machine: 'pc',
      firmware: 'bios',
      diskBus: virtio ? 'virtio' : 'ide',
      cdBus: 'ide',
      nicModel: virtio ? 'virtio' : 'e1000',
      memoryMiB: 1024,
      diskGiB: 20,
    };
  }
  return { ...modernLinux, memoryMiB: 2048, minimumMemoryMiB: 256, diskGiB };
}

function bsdProfile({ os, known }: DefaultsInput): Profile {
  const major = Number.parseFloat(os.version ?? '');
  /** First release whose installer has virtio drivers. */
  const since: Record<string, number> = { freebsd: 10, openbsd: 6, netbsd: 8, dragonflybsd: 4 };
  const virtio = Number.isNaN(major) || major >= (since[os.distro ?? ''] ?? 0) || knowsDevice(known, '1af4/1001');
  return {
    diskBus: virtio ? 'virtio' : 'sata',
    nicModel: virtio ? 'virtio' : 'e1000',
    rng: virtio,
    memoryMiB: 2048,
    minimumMemoryMiB: 128,
    diskGiB: 20,
    agents: { qemu: true, spice: false },
  };
}

/** Whether the database lists a PCI device by "vendor/device". */
function knowsDevice(known: KnownOs | null, pciId: string): boolean {
  return known?.devices.includes(`http://pcisig.com/pci/${pciId}`) ?? false;
}
