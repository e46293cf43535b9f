/** Disks and CDs of a guest that runs. */
import { Failure } from '../../../../../contract/errors.ts';
import type { DiskLimits, GuestSpec } from '../../../../../contract/guest-spec.ts';
import type { BlockInfo } from '../../../qmp/qmp-commands.ts';
import { type BlockNode, deviceOfNode, diskDevice, diskNodes, diskThread, formatNode, mediumNodes } from '../arguments/storage.ts';
import { checkDisks, checkMedia } from '../disk-files.ts';
import { type Ensure, freePort, hasDevice, hasObject, type LiveGuest, plug, unplug, waitFor } from './live-guest.ts';

/** How long a guest has to open the tray of a CD drive that it was asked to. */
const trayTimeoutMs = 5_000;

export const ensureDisk: Ensure = async (guest, id, to) => {
  const disk = to.disks.find((one) => one.id === id);
  if (!disk) {
    await unplug(guest, id);
    await removeNodes(guest, id);
    if (await hasObject(guest, `${id}-iothread`)) await guest.execute('object-del', { id: `${id}-iothread` });
    return;
  }
  if (await hasDevice(guest, id)) return;
  const medium = (await checkDisks({ ...to, disks: [disk] }, guest.files)).get(id);
  if (!medium) throw new Failure('image/file-missing', `The disk ${id} has no file.`);
  const iothread = diskThread(disk);
  try {
    await addNodes(guest, diskNodes(disk, medium));
    if (iothread && !(await hasObject(guest, iothread))) await guest.execute('object-add', { 'qom-type': 'iothread', id: iothread });
    await plug(guest, diskDevice(disk), disk.bus === 'usb' ? 'usb.0' : freePort(guest));
  } catch (thrown) {
    await removeNodes(guest, id).catch(() => {});
    if (iothread) await guest.execute('object-del', { id: iothread }).catch(() => {});
    throw thrown;
  }
  await ensureLimits(guest, id, to);
};

/** A disk only grows, so that what is smaller than it is leaves it as it is. */
export const ensureSize: Ensure = async (guest, id, to) => {
  const disk = to.disks.find((one) => one.id === id);
  if (!disk) return;
  const node = await topNode(guest, id);
  const present = (await guest.execute('query-named-block-nodes', { flat: true })).find((one) => one['node-name'] === node)?.image?.[
    'virtual-size'
  ];
  if (present !== undefined && present >= disk.sizeBytes) return;
  await guest.execute('block_resize', { 'node-name': node, size: disk.sizeBytes });
};

export const ensureLimits: Ensure = async (guest, id, to) => {
  const limits = to.disks.find((one) => one.id === id)?.limits;
  if (limits) await setLimits(guest, id, limits);
};

export async function setLimits(guest: LiveGuest, id: string, { bytesPerSecond, operationsPerSecond }: DiskLimits): Promise<void> {
  const place = (await blockOf(guest, id))?.qdev;
  if (!place) throw new Failure('guest/qemu-refused', `${guest.name} has no disk ${id} now.`);
  const none = { bps_rd: 0, bps_wr: 0, iops_rd: 0, iops_wr: 0 };
  await guest.execute('block_set_io_throttle', {
    id: place,
    bps: bytesPerSecond ?? 0,
    iops: operationsPerSecond ?? 0,
    ...none,
    group: `${id}-limits`,
  });
}

export const hasLimits = ({ bytesPerSecond, operationsPerSecond }: DiskLimits): boolean =>
  bytesPerSecond !== null || operationsPerSecond !== null;

/** Gives a CD drive the medium of `to`, or none. What lies in it is only taken out when the guest lets go of it. */
export const ensureMedium: Ensure = async (guest, id, to) => {
  const drive = to.cdDrives.find((one) => one.id === id);
  if (!drive) return;
  const medium = await mediumOf(guest, id, to);
  const now = await blockOf(guest, id);
  if (!now) throw new Failure('guest/denied', `${guest.name} started without the CD drive ${id}.`, { hint: 'Start it again first.' });
  if (medium && now.inserted?.file === medium.path && now.tray_open !== true) return;
  if (now.inserted || medium) await openTray(guest, id);
  if (now.inserted) {
    await guest.execute('blockdev-remove-medium', { id });
    await removeNodes(guest, id);
  }
  if (medium) {
    try {
      await addNodes(guest, mediumNodes(id, medium));
      await guest.execute('blockdev-insert-medium', { id, 'node-name': formatNode(id) });
    } catch (thrown) {
      await removeNodes(guest, id).catch(() => {});
      await guest.execute('blockdev-close-tray', { id }).catch(() => {});
      throw thrown;
    }
  }
  await guest.execute('blockdev-close-tray', { id });
};

async function mediumOf(guest: LiveGuest, id: string, to: GuestSpec) {
  const drive = to.cdDrives.find((one) => one.id === id);
  if (!drive?.medium) return null;
  const { media, problems } = await checkMedia({ ...to, cdDrives: [drive] }, guest.context.imagePath);
  const medium = media.get(id);
  if (medium) return medium;
  throw new Failure('image/file-missing', problems[0] ?? `The CD for ${id} is missing.`);
}

async function openTray(guest: LiveGuest, id: string): Promise<void> {
  const isOpen = async () => (await blockOf(guest, id))?.tray_open === true;
  if (await isOpen()) return;
  // A tray that the guest has locked stays shut, and the guest is asked to open it.
  await guest.execute('blockdev-open-tray', { id });
  if (await waitFor(guest, isOpen, trayTimeoutMs)) return;
  throw new Failure('guest/device-busy', `${guest.name} holds the CD in ${id} and does not let go of it.`, {
    hint: 'Unmount it in the guest and try again.',
  });
}

/** The drive's entry among QEMU's block devices. A virtio disk is known there by the part of it that does the work. */
async function blockOf(guest: LiveGuest, id: string): Promise<BlockInfo | undefined> {
  const blocks = await guest.execute('query-block', {});
  return blocks.find(({ qdev }) => qdev === id || qdev?.startsWith(`/machine/peripheral/${id}/`));
}

async function topNode(guest: LiveGuest, id: string): Promise<string> {
  return (await blockOf(guest, id))?.inserted?.['node-name'] ?? formatNode(id);
}

async function nodeNames(guest: LiveGuest): Promise<string[]> {
  const nodes = await guest.execute('query-named-block-nodes', { flat: true });
  return nodes.flatMap((node) => node['node-name'] ?? []);
}

async function addNodes(guest: LiveGuest, nodes: readonly BlockNode[]): Promise<void> {
  const there = new Set(await nodeNames(guest));
  for (const node of nodes) if (!there.has(node['node-name'])) await guest.execute('blockdev-add', node);
}

/** Removes a device's nodes, each after those that use it. */
async function removeNodes(guest: LiveGuest, id: string): Promise<void> {
  let left = (await nodeNames(guest)).filter((node) => deviceOfNode(node) === id);
  while (left.length > 0) {
    const kept: string[] = [];
    let lastError: unknown = null;
    for (const node of left) {
      await guest.execute('blockdev-del', { 'node-name': node }).catch((thrown: unknown) => {
        lastError = thrown;
        kept.push(node);
      });
    }
    if (kept.length === left.length) throw lastError;
    left = kept;
  }
}
