/** From what was asked for to a whole spec: what a new device does not say is chosen for it. Pure but for new addresses. */
import { Failure } from '../../../contract/errors.ts';
import { type DeviceList, devicePrefixes, type HardwareChange, type NewDisk } from '../../../contract/guest-hardware.ts';
import type { CdDrive, Disk, GuestSpec, Nic, Share, UsbDevice } from '../../../contract/guest-spec.ts';
import { newMac } from '../creation/plan-spec.ts';
import { machineFamily } from '../drivers/qemu/arguments/launch-facts.ts';

export type ChangeFacts = {
  /** Files in the guest's folder, whose names no new disk may have. */
  files: ReadonlySet<string>;
  /** Addresses of all guests. */
  macs: ReadonlySet<string>;
  /** What is known of each file that is to be used in place, by its path. */
  inPlace: ReadonlyMap<string, Pick<Disk, 'format' | 'sizeBytes'>>;
};

type Given<Name extends DeviceList> = NonNullable<HardwareChange[Name]>[number];

/** @throws Failure `guest/spec-invalid` for a device that does not exist, and for a disk that would be of another file or smaller. */
export function completeChange(spec: GuestSpec, change: HardwareChange, facts: ChangeFacts): GuestSpec {
  const { cpu, display, watchdog, agents, disks, cdDrives, nics, shares, usbDevices, ...whole } = change;
  const given = Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined));
  const next: GuestSpec = {
    ...spec,
    ...given,
    cpu: merge(spec.cpu, cpu),
    display: merge(spec.display, display),
    watchdog: merge(spec.watchdog, watchdog),
    agents: merge(spec.agents, agents),
  };
  return {
    ...next,
    disks: disks ? completeDisks(spec, disks, facts) : spec.disks,
    cdDrives: cdDrives ? completeDrives(next, cdDrives) : spec.cdDrives,
    nics: nics ? completeNics(spec, nics, facts) : spec.nics,
    shares: shares ? completeShares(spec, shares) : spec.shares,
    usbDevices: usbDevices ? completeUsb(spec, usbDevices) : spec.usbDevices,
  };
}

function merge<Value extends object>(before: Value, change: { [Key in keyof Value]?: Value[Key] | undefined } | undefined): Value {
  return { ...before, ...Object.fromEntries(Object.entries(change ?? {}).filter(([, value]) => value !== undefined)) };
}

function completeDisks(spec: GuestSpec, given: readonly Given<'disks'>[], facts: ChangeFacts): Disk[] {
  const ids = idsFor('disks', spec.disks, given, (id) => facts.files.has(`${id}.qcow2`) || facts.files.has(`removed-${id}.qcow2`));
  return given.map((one, index) => {
    if (!('id' in one)) return newDisk(spec, one, ids(), facts, index);
    const before = known(spec.disks, one, 'disks', index);
    const path = `disks.${one.id}`;
    // Which file of the store it is, is not the client's to know: a snapshot may have given it another since it looked.
    const inStore = one.location.kind === 'store' && before.location.kind === 'store';
    if ((!inStore && JSON.stringify(one.location) !== JSON.stringify(before.location)) || one.format !== before.format) {
      throw new Failure('guest/spec-invalid', `The disk ${one.id} keeps its file and its format.`, {
        hint: 'Add another disk instead.',
        path: `${path}.location`,
      });
    }
    if (one.sizeBytes < before.sizeBytes) {
      throw new Failure('guest/spec-invalid', `The disk ${one.id} cannot be made smaller.`, {
        hint: 'Add a smaller one and copy what is on it, in the guest.',
        path: `${path}.sizeBytes`,
      });
    }
    if (one.sizeBytes > before.sizeBytes && one.location.kind === 'in-place') {
      throw new Failure('guest/spec-invalid', `The disk ${one.id} is a file of your own and keeps its size.`, {
        hint: 'Grow the file with qemu-img resize while the guest is off.',
        path: `${path}.sizeBytes`,
      });
    }
    return { ...one, location: before.location };
  });
}

function newDisk(spec: GuestSpec, { path, sizeBytes, ...given }: NewDisk, id: string, facts: ChangeFacts, index: number): Disk {
  const bus = given.bus ?? spec.disks[0]?.bus ?? 'virtio';
  const chosen = {
    id,
    bus,
    cache: given.cache ?? 'writeback',
    discard: given.discard ?? true,
    iothread: given.iothread ?? bus === 'virtio',
    readOnly: given.readOnly ?? false,
    bootOrder: given.bootOrder ?? null,
    limits: given.limits ?? { bytesPerSecond: null, operationsPerSecond: null },
  } as const;
  const found = path === undefined ? undefined : facts.inPlace.get(path);
  if (path !== undefined && found) return { ...chosen, location: { kind: 'in-place', path }, ...found };
  if (sizeBytes === undefined) {
    throw new Failure('guest/spec-invalid', 'A new disk needs a size, or a file that is used in place.', {
      path: `disks.${index}.sizeBytes`,
    });
  }
  // QEMU counts in sectors of 512 bytes.
  return { ...chosen, location: { kind: 'store', file: `${id}.qcow2` }, format: 'qcow2', sizeBytes: Math.ceil(sizeBytes / 512) * 512 };
}

function completeDrives(spec: GuestSpec, given: readonly Given<'cdDrives'>[]): CdDrive[] {
  const ids = idsFor('cdDrives', spec.cdDrives, given, () => false);
  const usualBus = machineFamily(spec.machine) === 'pc' ? 'ide' : 'sata';
  return given.map((one, index) => {
    if ('id' in one) {
      known(spec.cdDrives, one, 'cdDrives', index);
      return one;
    }
    return { id: ids(), bus: one.bus ?? spec.cdDrives[0]?.bus ?? usualBus, medium: one.medium ?? null, bootOrder: one.bootOrder ?? null };
  });
}

function completeNics(spec: GuestSpec, given: readonly Given<'nics'>[], facts: ChangeFacts): Nic[] {
  const ids = idsFor('nics', spec.nics, given, () => false);
  const macs = new Set(facts.macs);
  return given.map((one, index) => {
    if ('id' in one) {
      known(spec.nics, one, 'nics', index);
      return one;
    }
    const mac = one.mac ?? newMac(macs);
    macs.add(mac);
    return {
      id: ids(),
      mode: one.mode ?? 'user',
      model: one.model ?? spec.nics[0]?.model ?? 'virtio',
      mac,
      restricted: one.restricted ?? false,
      forwards: one.forwards ?? [],
      bridge: one.bridge ?? null,
      network: one.network ?? null,
      linkUp: one.linkUp ?? true,
      bootOrder: one.bootOrder ?? null,
    };
  });
}

function completeShares(spec: GuestSpec, given: readonly Given<'shares'>[]): Share[] {
  const ids = idsFor('shares', spec.shares, given, () => false);
  return given.map((one, index) => {
    if ('id' in one) {
      known(spec.shares, one, 'shares', index);
      return one;
    }
    return {
      id: ids(),
      path: one.path,
      tag: one.tag ?? tagAfter(one.path),
      readOnly: one.readOnly ?? false,
      // Windows has no file system for either of the two that are mounted.
      via: one.via ?? (spec.os.family === 'windows' && spec.display.device !== 'none' ? 'webdav' : 'mount'),
    };
  });
}

/** "/home/ann/My work" is "My-work". */
function tagAfter(path: string): string {
  const last = path.split('/').filter(Boolean).at(-1) ?? '';
  const tag = last
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 35);
  return tag || 'share';
}

function completeUsb(spec: GuestSpec, given: readonly Given<'usbDevices'>[]): UsbDevice[] {
  const ids = idsFor('usbDevices', spec.usbDevices, given, () => false);
  return given.map((one, index) => {
    if ('id' in one) {
      known(spec.usbDevices, one, 'usbDevices', index);
      return one;
    }
    return { id: ids(), vendorId: one.vendorId, productId: one.productId, port: one.port ?? null };
  });
}

function known<One extends { id: string }>(list: readonly One[], { id }: { id: string }, name: DeviceList, index: number): One {
  const found = list.find((one) => one.id === id);
  if (found) return found;
  throw new Failure('guest/spec-invalid', `The guest has no ${id}.`, {
    hint: 'A new device is given without an id.',
    path: `${name}.${index}.id`,
  });
}

/** Gives one id after the other that no device has or had. */
function idsFor(
  list: DeviceList,
  before: readonly { id: string }[],
  given: readonly object[],
  isTaken: (id: string) => boolean,
): () => string {
  const taken = new Set([...before.map(({ id }) => id), ...given.flatMap((one) => ('id' in one ? [String(one.id)] : []))]);
  return () => {
    for (let number = 0; ; number++) {
      const id = `${devicePrefixes[list]}${number}`;
      if (taken.has(id) || isTaken(id)) continue;
      taken.add(id);
      return id;
    }
  };
}
