/** Puts together what a new guest is to be: the defaults for its operating system, and over them what was chosen. Pure but for new ids. */
import { randomInt, randomUUID } from 'node:crypto';
import type { CreateChoices } from '../../../contract/guest-creation.ts';
import { defaultGuestKeyboard } from '../../../contract/guest-keyboard.ts';
import { type GuestSpec, guestSpecVersion, type OsIdentity } from '../../../contract/guest-spec.ts';
import type { HardwareDefaults } from './hardware-defaults.ts';

/** What becomes the guest's first disk and its CD. */
export type PlannedMedia = {
  cd: NonNullable<GuestSpec['cdDrives'][number]['medium']> | null;
  disk: { location: GuestSpec['disks'][number]['location']; format: 'qcow2' | 'raw'; sizeBytes: number } | null;
};

/** The file name of a guest's first disk inside its folder. */
export const firstDiskFile = 'disk0.qcow2';

export function buildSpec(
  name: string,
  os: OsIdentity,
  defaults: HardwareDefaults,
  choices: CreateChoices,
  media: PlannedMedia,
  macsTaken: ReadonlySet<string>,
): GuestSpec {
  const diskBus = choices.diskBus ?? defaults.diskBus;
  const device = choices.display?.device ?? defaults.display.device;
  return {
    version: guestSpecVersion,
    uuid: randomUUID(),
    name,
    notes: choices.notes ?? '',
    tags: choices.tags ?? [],
    favourite: false,
    clipboard: 'both',
    files: 'to-guest',
    os,
    architecture: choices.architecture ?? 'x86_64',
    machine: choices.machine ?? (choices.firmware === 'uefi-secure' ? 'q35' : defaults.machine),
    accelerator: choices.accelerator ?? 'auto',
    cpu: cpuOf(choices.cpu, defaults.cpus),
    cpuQuotaPercent: null,
    memoryMiB: choices.memoryMiB ?? defaults.memoryMiB,
    memoryMaxMiB: null,
    balloonTargetMiB: null,
    hugePages: false,
    numaNodes: 1,
    firmware: choices.firmware ?? defaults.firmware,
    tpm: choices.tpm ?? defaults.tpm,
    clock: choices.clock ?? defaults.clock,
    hypervEnlightenments: choices.hypervEnlightenments ?? defaults.hypervEnlightenments,
    disks: media.disk
      ? [
          {
            id: 'disk0',
            ...media.disk,
            bus: diskBus,
            cache: choices.diskCache ?? 'writeback',
            discard: true,
            iothread: diskBus === 'virtio' || diskBus === 'scsi',
            readOnly: false,
            // The disk first: while it is empty the CD is started, and afterwards what was installed.
            bootOrder: 1,
            limits: { bytesPerSecond: null, operationsPerSecond: null },
          },
        ]
      : [],
    cdDrives: [{ id: 'cd0', bus: defaults.cdBus, medium: media.cd, bootOrder: media.disk ? 2 : 1 }],
    nics: nicsOf(choices, defaults, macsTaken),
    bootMenu: false,
    shares: [],
    usbDevices: [],
    display: { device, heads: choices.display?.heads ?? 1 },
    sound: choices.sound ?? defaults.sound,
    usbTablet: choices.usbTablet ?? defaults.usbTablet,
    rng: choices.rng ?? defaults.rng,
    balloon: choices.balloon ?? defaults.balloon,
    watchdog: choices.watchdog ?? defaults.watchdog,
    serial: choices.serial ?? defaults.serial,
    agents: choices.agents ?? defaults.agents,
    panicDevice: choices.panicDevice ?? defaults.panicDevice,
    autostart: choices.autostart ?? false,
    keyboard: defaultGuestKeyboard,
    extraArguments: choices.extraArguments ?? [],
  };
}

/** Cores by default: some systems count sockets for their licence, and none counts cores. */
function cpuOf(chosen: CreateChoices['cpu'], cpus: number): GuestSpec['cpu'] {
  const topologyChosen = chosen?.sockets !== undefined || chosen?.cores !== undefined || chosen?.threads !== undefined;
  return {
    model: chosen?.model ?? 'auto',
    sockets: chosen?.sockets ?? 1,
    cores: chosen?.cores ?? (topologyChosen ? 1 : cpus),
    threads: chosen?.threads ?? 1,
    online: chosen?.online ?? null,
    pins: chosen?.pins ?? [],
  };
}

function nicsOf(choices: CreateChoices, defaults: HardwareDefaults, taken: ReadonlySet<string>): GuestSpec['nics'] {
  const network = choices.network ?? 'user';
  if (network === 'none') return [];
  return [
    {
      id: 'nic0',
      mode: 'user',
      model: choices.nicModel ?? defaults.nicModel,
      mac: newMac(taken),
      restricted: network === 'restricted',
      forwards: choices.forwards ?? [],
      bridge: null,
      network: null,
      linkUp: true,
      bootOrder: null,
    },
  ];
}

/** A random address of QEMU's own range. */
export function newMac(taken: ReadonlySet<string>): string {
  for (;;) {
    const tail = Array.from({ length: 3 }, () => randomInt(256).toString(16).padStart(2, '0')).join(':');
    const mac = `52:54:00:${tail}`;
    if (!taken.has(mac)) return mac;
  }
}
