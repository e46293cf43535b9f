/**
 * Disks and CD drives. Every drive is two block nodes with explicit drivers: `<id>-file` (the bytes) under `<id>-format` (their
 * meaning). What a disk builds upon is two nodes each as well, `<id>-f1` under `<id>-b1` for the nearest, and so on down.
 *
 * INVARIANT: a format is never probed and no backing file is opened but those that are named here (`build-arguments.test.ts`); a file
 * that names any other is refused before that (`disk-files.ts`).
 */
import { Failure } from '../../../../../contract/errors.ts';
import type { CdDrive, Disk, GuestSpec } from '../../../../../contract/guest-spec.ts';
import { type LaunchFacts, type MediumFile, machineFamily } from './launch-facts.ts';
import { device, type OptionValue } from './option.ts';

export const formatNode = (deviceId: string): string => `${deviceId}-format`;
const fileNode = (deviceId: string): string => `${deviceId}-file`;
/** QEMU's node names have 31 bytes at most, and a device's id may take 24 of them. */
const baseFormatNode = (deviceId: string, depth: number): string => `${deviceId}-b${depth}`;
const baseFileNode = (deviceId: string, depth: number): string => `${deviceId}-f${depth}`;
/** What was put upon a disk while it ran, by a number that counts up: `<id>-s1` over `<id>-t1`. */
const overlayNode = (deviceId: string, number: number): string => `${deviceId}-s${number}`;
const overlayFileNode = (deviceId: string, number: number): string => `${deviceId}-t${number}`;
/** The device of the spec that a block node belongs to, or null when it is none of ours. */
export const deviceOfNode = (node: string): string | null => /^(.+)-(?:format|file|[bfst]\d{1,3})$/.exec(node)?.[1] ?? null;
/** The node of the bytes under a node of ours that gives them a meaning. */
export const fileNodeOf = (node: string): string =>
  node
    .replace(/-format$/, '-file')
    .replace(/-s(\d+)$/, '-t$1')
    .replace(/-b(\d+)$/, '-f$1');

/** `none` and `directsync` bypass the host's cache; `unsafe` ignores flushes. The guest's own write cache is set at the device. */
const cacheModes: Record<Disk['cache'], { direct: boolean; noFlush: boolean; writeCache: boolean }> = {
  none: { direct: true, noFlush: false, writeCache: true },
  writeback: { direct: false, noFlush: false, writeCache: true },
  writethrough: { direct: false, noFlush: false, writeCache: false },
  directsync: { direct: true, noFlush: false, writeCache: false },
  unsafe: { direct: false, noFlush: true, writeCache: true },
};

const ahciPorts = 6;

export function storageArguments(spec: GuestSpec, facts: LaunchFacts): string[] {
  const buses = new BusPlan(spec, facts);
  const disks = spec.disks.flatMap((disk) => {
    const medium = facts.disks.get(disk.id);
    if (!medium) throw new Failure('image/file-missing', `The disk ${disk.id} has no file.`);
    return [...diskNodes(disk, medium).flatMap(blockdev), ...buses.disk(disk)];
  });
  const drives = spec.cdDrives.flatMap((drive) => {
    const medium = facts.media.get(drive.id);
    return [...(medium ? mediumNodes(drive.id, medium).flatMap(blockdev) : []), ...buses.cdDrive(drive, medium !== undefined)];
  });
  const seed = seedIsCd(spec, facts) ? [...seedNodes(facts), ...buses.cdDrive(seedDrive(spec), true)] : [];
  return [...buses.controllers(), ...disks, ...drives, ...seed];
}

/** No device of a spec has this id. */
const seedId = 'answers0';

function seedNodes({ seedDisc }: LaunchFacts): string[] {
  return seedDisc ? mediumNodes(seedId, { path: seedDisc.path, hostDevice: false, bases: [] }).flatMap(blockdev) : [];
}

/** A disk for it only where the guest has virtio's drivers for its own disk. */
function seedIsCd(spec: GuestSpec, { seedDisc }: LaunchFacts): boolean {
  return seedDisc !== null && !(seedDisc.asDisk && hasVirtioDisk(spec));
}

const hasVirtioDisk = (spec: GuestSpec): boolean => spec.disks.some(({ bus }) => bus === 'virtio' || bus === 'scsi');

/** Behind the guest's own drives, on the bus for which its system has a driver. */
function seedDrive(spec: GuestSpec): CdDrive {
  return { id: seedId, bus: spec.cdDrives[0]?.bus ?? 'sata', medium: null, bootOrder: null };
}

export function seedDiskArguments(spec: GuestSpec, facts: LaunchFacts): string[] {
  if (!facts.seedDisc || seedIsCd(spec, facts)) return [];
  return [...seedNodes(facts), ...device('virtio-blk-pci', { id: seedId, drive: formatNode(seedId), serial: seedId })];
}

/** A block node as QEMU takes it, by -blockdev or by QMP's blockdev-add. */
export type BlockNode = { driver: string; 'node-name': string; [option: string]: unknown };

function blockdev(node: BlockNode): string[] {
  return ['-blockdev', JSON.stringify(node)];
}

const fileDriver = (medium: MediumFile): string => (medium.hostDevice ? 'host_device' : 'file');

/** A disk's nodes, each after those that it names. */
export function diskNodes(disk: Disk, medium: MediumFile): BlockNode[] {
  const both = { 'read-only': disk.readOnly, ...nodeOptions(disk) };
  return [
    ...baseNodes(disk.id, medium.bases, both.cache),
    { driver: fileDriver(medium), 'node-name': fileNode(disk.id), filename: medium.path, ...both },
    {
      driver: disk.format,
      'node-name': formatNode(disk.id),
      file: fileNode(disk.id),
      ...both,
      ...(disk.format === 'qcow2' ? { backing: medium.bases.length > 0 ? baseFormatNode(disk.id, 1) : null } : {}),
    },
  ];
}

/** What a disk builds upon, from the ground up: a node can only name one that is there already. */
function baseNodes(deviceId: string, bases: MediumFile['bases'], cache: { direct: boolean; 'no-flush': boolean }): BlockNode[] {
  const readOnly = { 'read-only': true, 'auto-read-only': false, cache };
  return bases
    .map(({ path, format }, index) => {
      const depth = index + 1;
      const below = depth < bases.length ? baseFormatNode(deviceId, depth + 1) : null;
      return [
        { driver: 'file', 'node-name': baseFileNode(deviceId, depth), filename: path, ...readOnly },
        {
          driver: format,
          'node-name': baseFormatNode(deviceId, depth),
          file: baseFileNode(deviceId, depth),
          ...readOnly,
          ...(format === 'qcow2' ? { backing: below } : {}),
        },
      ];
    })
    .reverse()
    .flat();
}

/** How the nodes of a disk treat its bytes, whichever file they are in. */
function nodeOptions(disk: Disk) {
  const { direct, noFlush } = cacheModes[disk.cache];
  return { 'auto-read-only': false, cache: { direct, 'no-flush': noFlush }, discard: disk.discard ? 'unmap' : 'ignore' } as const;
}

/** The two nodes of an empty qcow2 file that is to be put upon a disk that runs; nothing lies under it yet. */
export function overlayNodes(disk: Disk, path: string, number: number) {
  const both = { 'read-only': false, ...nodeOptions(disk) };
  const file = { driver: 'file', 'node-name': overlayFileNode(disk.id, number), filename: path, ...both };
  const overlay = { driver: 'qcow2', 'node-name': overlayNode(disk.id, number), file: file['node-name'], backing: null, ...both };
  return [file, overlay] as const;
}

/** The nodes of a medium in a CD drive, each after those that it names. */
export function mediumNodes(driveId: string, medium: MediumFile): BlockNode[] {
  const readOnly = { 'read-only': true, 'auto-read-only': false };
  return [
    { driver: fileDriver(medium), 'node-name': fileNode(driveId), filename: medium.path, ...readOnly },
    { driver: 'raw', 'node-name': formatNode(driveId), file: fileNode(driveId), ...readOnly },
  ];
}

/** A device with its properties, of the types that QMP wants: an `OnOffAuto` is text there. */
export type DeviceOptions = { driver: string; properties: Record<string, OptionValue | null> };

/** A disk as a device, without the place that it is plugged into. */
export function diskDevice(disk: Disk): DeviceOptions {
  const own = {
    id: disk.id,
    drive: formatNode(disk.id),
    bootindex: disk.bootOrder,
    serial: disk.id,
    'write-cache': cacheModes[disk.cache].writeCache ? 'on' : 'off',
  };
  // A guest whose disk fails stands still with a reason, instead of seeing errors that are the host's.
  const onError = { werror: 'stop', rerror: 'stop' };
  switch (disk.bus) {
    case 'virtio':
      return { driver: 'virtio-blk-pci', properties: { ...own, ...onError, discard: disk.discard, iothread: diskThread(disk) } };
    case 'scsi':
      return { driver: 'scsi-hd', properties: { ...own, ...onError, rotation_rate: 1 } };
    case 'sata':
    case 'ide':
      return { driver: 'ide-hd', properties: { ...own, ...onError, rotation_rate: 1 } };
    case 'nvme':
      // QEMU's NVMe controller has no error policy: a failing host disk is reported to the guest.
      return { driver: 'nvme', properties: own };
    case 'usb':
      return { driver: 'usb-storage', properties: { ...own, ...onError, removable: false } };
  }
}

/** The I/O thread of a disk's own; those on SCSI share their controller's. */
export const diskThread = (disk: Disk): string | null => (disk.bus === 'virtio' && disk.iothread ? `${disk.id}-iothread` : null);

const scsiController = (iothread: boolean): string => (iothread ? 'scsi-fast' : 'scsi');

/** Hands out places on controllers and remembers which controllers that takes. */
class BusPlan {
  readonly #isQ35: boolean;
  readonly #plugged: LaunchFacts['plugged'];
  #controllers = new Map<string, string[]>();
  /** How many places are taken, by controller or kind of controller. */
  #taken = new Map<string, number>();

  constructor(spec: GuestSpec, facts: LaunchFacts) {
    this.#isQ35 = machineFamily(facts.machine ?? spec.machine) === 'q35';
    this.#plugged = facts.plugged;
    // Claimed in the order of the spec, so that a place depends on nothing but the spec.
    for (const disk of spec.disks) if (disk.bus === 'scsi') this.#scsiController(disk.iothread);
    if (spec.cdDrives.some((drive) => drive.bus === 'scsi')) this.#scsiController(false);
  }

  controllers(): string[] {
    return [...this.#controllers.values()].flat();
  }

  disk(disk: Disk): string[] {
    const { driver, properties } = diskDevice(disk);
    const iothread = diskThread(disk);
    return [...(iothread ? ['-object', `iothread,id=${iothread}`] : []), ...device(driver, { ...this.#place(disk), ...properties })];
  }

  #place(disk: Disk): Record<string, OptionValue> {
    if (disk.bus === 'scsi') return this.#scsiPlace(disk.iothread);
    if (disk.bus === 'sata' || disk.bus === 'ide') return this.#ataPlace(disk.bus);
    if (disk.bus === 'usb') return { bus: 'usb.0' };
    const port = this.#plugged[disk.id];
    return port === undefined ? {} : { bus: port };
  }

  cdDrive(drive: CdDrive, loaded: boolean): string[] {
    // A damaged disc is the guest's to report, so reads keep the default policy and the guest goes on.
    const own = { id: drive.id, drive: loaded ? formatNode(drive.id) : null, bootindex: drive.bootOrder };
    switch (drive.bus) {
      case 'scsi':
        return device('scsi-cd', { ...this.#scsiPlace(false), ...own });
      case 'sata':
      case 'ide':
        return device('ide-cd', { ...this.#ataPlace(drive.bus), ...own });
      case 'usb':
        return [
          ...device('usb-bot', { id: `${drive.id}-usb`, bus: 'usb.0' }),
          ...device('scsi-cd', { bus: `${drive.id}-usb.0`, 'scsi-id': 0, lun: 0, ...own }),
        ];
    }
  }

  #scsiController(iothread: boolean): string {
    const id = scsiController(iothread);
    if (!this.#controllers.has(id)) {
      this.#controllers.set(id, [
        ...(iothread ? ['-object', `iothread,id=${id}-iothread`] : []),
        ...device('virtio-scsi-pci', { id, iothread: iothread ? `${id}-iothread` : null }),
      ]);
    }
    return id;
  }

  #scsiPlace(iothread: boolean): Record<string, OptionValue> {
    const controller = this.#scsiController(iothread);
    return { bus: `${controller}.0`, channel: 0, 'scsi-id': this.#take(controller), lun: 0 };
  }

  /** q35 has an AHCI controller with six ports and no IDE; pc has IDE with four places and no AHCI, until one is added. */
  #ataPlace(bus: 'sata' | 'ide'): Record<string, OptionValue> {
    if (bus === 'ide' && !this.#isQ35) {
      const place = this.#take('ide');
      if (place >= 4) throw new Failure('guest/spec-invalid', 'A PC of this type has room for four IDE drives; this guest has more.');
      return { bus: `ide.${Math.floor(place / 2)}`, unit: place % 2 };
    }
    const place = this.#take('sata');
    const controller = Math.floor(place / ahciPorts);
    const port = place % ahciPorts;
    if (this.#isQ35 && controller === 0) return { bus: `ide.${port}` };
    const id = `sata${controller}`;
    if (!this.#controllers.has(id)) this.#controllers.set(id, device('ich9-ahci', { id }));
    return { bus: `${id}.${port}` };
  }

  #take(what: string): number {
    const place = this.#taken.get(what) ?? 0;
    this.#taken.set(what, place + 1);
    return place;
  }
}

/** Why QEMU cannot save the state of a guest with this storage, or null when it can. */
export function storageBlocksSuspend(spec: GuestSpec): string | null {
  const nvme = spec.disks.find((disk) => disk.bus === 'nvme');
  return nvme ? `The disk ${nvme.id} is on an NVMe controller, whose state QEMU cannot save.` : null;
}
