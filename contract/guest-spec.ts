/**
 * What a guest is wanted to be: stored, versioned by a number, migrated forward. What it is observed to be stands in
 * `guest-state.ts`; the two are never mixed.
 */
import { z } from 'zod';
import { guestKeyboard } from './guest-keyboard.ts';
import { imageId } from './ids.ts';

/** The newest `GuestSpec.version`. A spec of an older version is migrated when it is read (main/engine/guests/spec-migrations.ts). */
export const guestSpecVersion = 6;

export const guestNameMaxLength = 120;

/** Says why a name cannot be used, or null when it can. Names are shown, never used as a path. */
export function guestNameProblem(name: string): string | null {
  if (name.trim() === '') return 'A guest needs a name.';
  if (name !== name.trim()) return 'A name cannot begin or end with a space.';
  if (name === '.' || name === '..') return 'A name cannot be only dots.';
  if (/[/\\]/.test(name)) return 'A name cannot contain a slash.';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being refused
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) return 'A name cannot contain a line break or another control character.';
  if ([...name].length > guestNameMaxLength)
    return `A name can have ${guestNameMaxLength} characters at most; this one has ${[...name].length}.`;
  return null;
}

export const guestName = z.string().superRefine((name, context) => {
  const problem = guestNameProblem(name);
  if (problem) context.addIssue({ code: 'custom', message: problem });
});

/** Which operating system, as libosinfo names it (`id` is its short id, "debian12"), or unknown. */
export const osIdentity = z.object({
  id: z.string().nullable(),
  name: z.string(),
  family: z.enum(['linux', 'windows', 'bsd', 'macos', 'solaris', 'dos', 'other']),
  version: z.string().nullable(),
  distro: z.string().nullable(),
});
export type OsIdentity = z.infer<typeof osIdentity>;
export const unknownOs: OsIdentity = { id: null, name: 'Unknown', family: 'other', version: null, distro: null };

/** A device's id within its guest, also its QEMU device id: "disk0", "cd0", "nic0". */
export const deviceId = z.string().regex(/^[a-z][a-z0-9-]{0,23}$/);

/** Where a disk's bytes are: a file in the guest's own folder (`file` is a bare name), or a file of the user's own used in place. */
export const diskLocation = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('store'), file: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/) }),
  z.object({ kind: z.literal('in-place'), path: z.string().startsWith('/') }),
]);

export const diskFormat = z.enum(['qcow2', 'raw']);
export type DiskFormat = z.infer<typeof diskFormat>;

/** The most that a disk may move; null is as much as it can. */
export const diskLimits = z.object({
  bytesPerSecond: z.number().int().min(4096).max(1_000_000_000_000).nullable(),
  operationsPerSecond: z.number().int().min(1).max(100_000_000).nullable(),
});
export type DiskLimits = z.infer<typeof diskLimits>;

export const disk = z.object({
  id: deviceId,
  location: diskLocation,
  format: diskFormat,
  /** Virtual size. */
  sizeBytes: z.number().int().positive(),
  bus: z.enum(['virtio', 'scsi', 'sata', 'ide', 'nvme', 'usb']),
  cache: z.enum(['none', 'writeback', 'writethrough', 'directsync', 'unsafe']),
  discard: z.boolean(),
  iothread: z.boolean(),
  readOnly: z.boolean(),
  /** 1 boots first; null is not booted from. */
  bootOrder: z.number().int().min(1).max(99).nullable(),
  limits: diskLimits,
});
export type Disk = z.infer<typeof disk>;

export const cdMedium = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('image'), imageId }),
  z.object({ kind: z.literal('in-place'), path: z.string().startsWith('/') }),
]);
export const cdDrive = z.object({
  id: deviceId,
  bus: z.enum(['sata', 'ide', 'scsi', 'usb']),
  medium: cdMedium.nullable(),
  bootOrder: z.number().int().min(1).max(99).nullable(),
});
export type CdDrive = z.infer<typeof cdDrive>;

export const portForward = z.object({
  protocol: z.enum(['tcp', 'udp']),
  hostAddress: z.ipv4(),
  hostPort: z.number().int().min(1).max(65535),
  guestPort: z.number().int().min(1).max(65535),
});
export type PortForward = z.infer<typeof portForward>;

export const nic = z.object({
  id: deviceId,
  /**
   * `user`: through this computer's own connections. `bridge`: a network card of its own on a bridge of this computer. `isolated`: on a
   * network of guests only, with those that name the same one.
   */
  mode: z.enum(['user', 'bridge', 'isolated']),
  model: z.enum(['virtio', 'e1000e', 'e1000', 'rtl8139', 'vmxnet3']),
  mac: z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
  /** A guest without a way out keeps its NIC, but reaches nothing beyond it. */
  restricted: z.boolean(),
  /** Of a card in `user` mode only. */
  forwards: z.array(portForward).max(64),
  /** The bridge of a card in `bridge` mode: "br0". */
  bridge: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/)
    .nullable(),
  /** The network of a card in `isolated` mode: "lab". */
  network: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,39}$/u)
    .nullable(),
  /** False is a cable that is pulled out. */
  linkUp: z.boolean(),
  /** Place in the boot order, for booting from the network; null is not booted from. */
  bootOrder: z.number().int().min(1).max(99).nullable(),
});
export type Nic = z.infer<typeof nic>;

/** A folder of this computer that the guest knows by its tag. */
export const share = z.object({
  id: deviceId,
  /** The longest that virtiofs takes is 35 bytes. */
  tag: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,34}$/),
  path: z.string().startsWith('/').max(4096),
  readOnly: z.boolean(),
  /**
   * How the guest reaches it. `mount`: a file system of the guest's kernel, with virtiofs or 9p. `webdav`: spice-webdavd in the guest,
   * while its console is open.
   */
  via: z.enum(['mount', 'webdav']),
});
export type Share = z.infer<typeof share>;
/** What a share is carried by: of those that are mounted, whichever this computer can serve. */
export const shareProtocol = z.enum(['virtiofs', '9p', 'webdav']);
export type ShareProtocol = z.infer<typeof shareProtocol>;

/** Whether the guest has a port for spice-webdavd. Without a screen there is no console that could carry it. */
export const sharesOverConsole = ({ shares, display }: Pick<GuestSpec, 'shares' | 'display'>): boolean =>
  display.device !== 'none' && shares.some(({ via }) => via === 'webdav');

const usbId = z.string().regex(/^[0-9a-f]{4}$/);

/** A USB device of this computer that the guest gets whenever it is plugged in. */
export const usbDevice = z.object({
  id: deviceId,
  vendorId: usbId,
  productId: usbId,
  /** "1-2.1": only when it is plugged in there, as Linux names the place; null is anywhere. */
  port: z
    .string()
    .regex(/^\d{1,3}-\d{1,3}(\.\d{1,3}){0,6}$/)
    .nullable(),
});
export type UsbDevice = z.infer<typeof usbDevice>;

export const architecture = z.enum(['x86_64', 'aarch64']);
export const acceleratorName = z.enum(['kvm', 'hvf', 'whpx', 'tcg']);
export type AcceleratorName = z.infer<typeof acceleratorName>;
export const firmwareKind = z.enum(['bios', 'uefi', 'uefi-secure']);
export type FirmwareKind = z.infer<typeof firmwareKind>;

/** Which way what is copied goes between this computer and a guest. */
export const clipboardPolicy = z.enum(['off', 'to-guest', 'to-computer', 'both']);
export type ClipboardPolicy = z.infer<typeof clipboardPolicy>;
/** Whether files that are dropped on a guest's console go to it. */
export const filesPolicy = z.enum(['off', 'to-guest']);
export type FilesPolicy = z.infer<typeof filesPolicy>;

export const guestSpec = z.object({
  version: z.literal(guestSpecVersion),
  /** SMBIOS UUID, kept for life. */
  uuid: z.uuid(),
  name: guestName,
  notes: z.string().max(20_000),
  tags: z.array(z.string().min(1).max(40)).max(32),
  favourite: z.boolean(),
  os: osIdentity,
  architecture,
  /** A QEMU machine type or alias: "q35", "pc", "pc-q35-7.2". */
  machine: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,40}$/),
  /** "auto" takes the best accelerator that passed its probe. */
  accelerator: z.enum(['auto', ...acceleratorName.options]),
  cpu: z.object({
    /** A QEMU CPU model, or "auto": "host" where the accelerator can, else "max". */
    model: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,60}$/),
    sockets: z.number().int().min(1).max(64),
    cores: z.number().int().min(1).max(256),
    threads: z.number().int().min(1).max(8),
    /** How many of the processors that the topology has room for are there; null is all. The others can be added while it runs. */
    online: z.number().int().min(1).max(2048).nullable(),
    /** Processors of this computer that the guest's run on, one after the other and from the start again; empty is any. */
    pins: z.array(z.number().int().min(0).max(4095)).max(512),
  }),
  /** The most that the guest's processors together may use: 100 is one processor of this computer. Null is no limit. */
  cpuQuotaPercent: z.number().int().min(1).max(409_600).nullable(),
  memoryMiB: z.number().int().min(16).max(16_777_216),
  /** Up to which size memory can be added while the guest runs; null is not at all. */
  memoryMaxMiB: z.number().int().min(16).max(16_777_216).nullable(),
  /** To how much the balloon shrinks the guest's memory; null leaves it all of it. */
  balloonTargetMiB: z.number().int().min(16).max(16_777_216).nullable(),
  /** Takes the memory from this computer's pool of huge pages. */
  hugePages: z.boolean(),
  /** Over how many NUMA nodes the processors and the memory are spread; 1 is none. */
  numaNodes: z.number().int().min(1).max(8),
  firmware: firmwareKind,
  tpm: z.boolean(),
  /** What the guest takes the hardware clock to be: Windows wants local time. */
  clock: z.enum(['utc', 'localtime']),
  hypervEnlightenments: z.boolean(),
  disks: z.array(disk).max(24),
  cdDrives: z.array(cdDrive).max(4),
  nics: z.array(nic).max(8),
  /** The firmware offers a menu of what to boot from. */
  bootMenu: z.boolean(),
  shares: z.array(share).max(8),
  usbDevices: z.array(usbDevice).max(8),
  display: z.object({ device: z.enum(['virtio', 'qxl', 'std', 'none']), heads: z.number().int().min(1).max(16) }),
  sound: z.enum(['hda', 'ac97', 'none']),
  usbTablet: z.boolean(),
  rng: z.boolean(),
  balloon: z.boolean(),
  watchdog: z.object({ model: z.enum(['i6300esb', 'none']), action: z.enum(['reset', 'shutdown', 'poweroff', 'pause', 'none']) }),
  serial: z.boolean(),
  agents: z.object({ qemu: z.boolean(), spice: z.boolean() }),
  /** pvpanic: lets the guest report its own panic. */
  panicDevice: z.boolean(),
  autostart: z.boolean(),
  clipboard: clipboardPolicy,
  files: filesPolicy,
  keyboard: guestKeyboard,
  /** Appended to QEMU's arguments as they are. Unsafe: nothing checks them. */
  extraArguments: z.array(z.string().max(4096)).max(64),
});
export type GuestSpec = z.infer<typeof guestSpec>;

/** How many virtual CPUs the topology has room for. */
export function cpuCount(cpu: Pick<GuestSpec['cpu'], 'sockets' | 'cores' | 'threads'>): number {
  return cpu.sockets * cpu.cores * cpu.threads;
}

/** How many virtual CPUs the guest has when it starts. */
export function cpusOnline(cpu: GuestSpec['cpu']): number {
  return cpu.online ?? cpuCount(cpu);
}
