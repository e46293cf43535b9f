/**
 * When a change of a guest's hardware takes effect: one pure table. The engine acts by it and the window shows it at every field.
 *
 * INVARIANT: every field of a spec's hardware has its line here (`main/engine/hardware/edit-timing.test.ts`).
 */
import type { EditTiming, PlannedChange, SpecDifference } from './guest-hardware.ts';
import { specDifferences, valueAt } from './guest-hardware.ts';
import { cpuCount, cpusOnline, type Disk, type GuestSpec, type Nic, type Share, sharesOverConsole } from './guest-spec.ts';

/** `running` is what the guest runs with, `wanted` what it is to be. */
type Context = { running: GuestSpec; wanted: GuestSpec };
type Rule = EditTiming | ((context: Context, path: string) => EditTiming);

const now: EditTiming = { when: 'now', why: null };
const nextStart = (why: string): EditTiming => ({ when: 'next-start', why });
const powerOff = (why: string): EditTiming => ({ when: 'power-off', why });

const built = nextStart('The machine is put together when it starts.');
const cpuTopology = nextStart('How the processors are arranged is fixed when the machine starts.');

const usbIdentity = nextStart('Which device it is, is fixed until it is taken out.');

/** Memory is added in pieces that Linux and Windows can take. */
export const memoryPieceMiB = 128;

const diskOf = ({ running, wanted }: Context, path: string): Disk => (valueAt(wanted, path) ?? valueAt(running, path)) as Disk;
const nicOf = ({ running, wanted }: Context, path: string): Nic => (valueAt(wanted, path) ?? valueAt(running, path)) as Nic;
const parent = (path: string): string => path.slice(0, path.lastIndexOf('.'));

const isOldPc = ({ running }: Context): boolean => running.machine === 'pc' || running.machine.startsWith('pc-i440fx');

const withArticle = (bus: Disk['bus']): string =>
  `${bus === 'ide' || bus === 'nvme' ? 'An' : 'A'} ${bus === 'nvme' ? 'NVMe' : bus.toUpperCase()}`;

/** Buses to which a disk can be added, and from which it can be taken, while the guest runs. */
function diskPlugs(context: Context, path: string): string | null {
  const { bus } = diskOf(context, path);
  if (bus === 'virtio' || bus === 'nvme' || bus === 'usb') return null;
  return `${withArticle(bus)} disk can only be plugged in while the guest is off.`;
}

/** Cards that fit into a port of the running machine. */
function nicPlugs(context: Context, path: string): string | null {
  const { model } = nicOf(context, path);
  if (model === 'virtio' || model === 'e1000e' || model === 'vmxnet3' || isOldPc(context)) return null;
  return `A card of type ${model} is an old PCI card, which cannot be plugged into a machine that runs.`;
}

const sharedFromStart = nextStart('Folders are shared from the start of a machine on.');

/** A share that the engine looks up anew for every request: it needs no more than the port, which has been there since the start. */
function goesOverConsole({ running, wanted }: Context, path: string): boolean {
  const shares = [valueAt(running, path), valueAt(wanted, path)].filter((share) => share !== undefined) as Share[];
  return sharesOverConsole(running) && shares.length > 0 && shares.every(({ via }) => via === 'webdav');
}

const orNow = (why: string | null, otherwise: (why: string) => EditTiming): EditTiming => (why === null ? now : otherwise(why));

const rules: Record<string, Rule> = {
  os: built,
  machine: built,
  accelerator: built,
  'cpu.model': built,
  'cpu.sockets': cpuTopology,
  'cpu.cores': cpuTopology,
  'cpu.threads': cpuTopology,
  'cpu.online': ({ running, wanted }) => {
    const has = cpusOnline(running.cpu);
    const wants = cpusOnline(wanted.cpu);
    if (wants < has) return nextStart('Processors can be added while the guest runs, not taken away.');
    if (running.cpu.online === null || wants > cpuCount(running.cpu))
      return nextStart('The guest started without room for more processors.');
    return now;
  },
  'cpu.pins': now,
  cpuQuotaPercent: now,
  memoryMiB: ({ running, wanted }) => {
    const more = wanted.memoryMiB - running.memoryMiB;
    if (more < 0) return nextStart('Memory can be added while the guest runs, not taken away. The balloon can give some back.');
    if (running.memoryMaxMiB === null || wanted.memoryMiB > running.memoryMaxMiB)
      return nextStart('The guest started without room for more memory.');
    if (more % memoryPieceMiB !== 0) return nextStart(`Memory is added to a guest that runs in pieces of ${memoryPieceMiB} MiB.`);
    return now;
  },
  memoryMaxMiB: nextStart('How far the memory can grow is fixed when the machine starts.'),
  balloonTargetMiB: ({ running }) => (running.balloon ? now : nextStart('The guest started without a memory balloon.')),
  hugePages: built,
  numaNodes: built,
  firmware: built,
  tpm: built,
  clock: built,
  hypervEnlightenments: built,
  'disks.+': (context, path) => orNow(diskPlugs(context, path), nextStart),
  'disks.-': (context, path) => orNow(diskPlugs(context, path), powerOff),
  'disks.*.location': powerOff('A disk keeps its file while the guest runs.'),
  'disks.*.format': powerOff('A disk keeps its format while the guest runs.'),
  'disks.*.sizeBytes': (context, path) => {
    const { bus } = diskOf(context, parent(path));
    if (bus === 'virtio' || bus === 'scsi') return now;
    return powerOff(`${withArticle(bus)} disk cannot grow while the guest runs.`);
  },
  'disks.*.bus': built,
  'disks.*.cache': built,
  'disks.*.discard': built,
  'disks.*.iothread': built,
  'disks.*.readOnly': built,
  'disks.*.bootOrder': nextStart('The boot order counts when the machine starts.'),
  'disks.*.limits': now,
  'cdDrives.+': built,
  'cdDrives.-': built,
  'cdDrives.*.bus': built,
  'cdDrives.*.medium': now,
  'cdDrives.*.bootOrder': nextStart('The boot order counts when the machine starts.'),
  'nics.+': (context, path) => orNow(nicPlugs(context, path), nextStart),
  'nics.-': (context, path) => orNow(nicPlugs(context, path), nextStart),
  'nics.*.mode': nextStart('A network card stays on its network while the guest runs.'),
  'nics.*.bridge': nextStart('A network card stays on its network while the guest runs.'),
  'nics.*.network': nextStart('A network card stays on its network while the guest runs.'),
  'nics.*.model': built,
  'nics.*.mac': built,
  'nics.*.restricted': nextStart('How far a network reaches is fixed when the machine starts.'),
  'nics.*.forwards': ({ running }, path) => {
    const was = valueAt(running, parent(path)) as Nic | undefined;
    return was?.mode === 'user' ? now : nextStart('The card is not on the user-mode network yet.');
  },
  'nics.*.linkUp': now,
  'nics.*.bootOrder': nextStart('The boot order counts when the machine starts.'),
  'shares.+': (context, path) => (goesOverConsole(context, path) ? now : sharedFromStart),
  'shares.-': ({ running, wanted }, path) => {
    if (!goesOverConsole({ running, wanted }, path)) return nextStart('Folders are shared until the machine ends.');
    if (sharesOverConsole(wanted)) return now;
    return nextStart('It is out of reach at once; the port over which it went stays until the machine ends.');
  },
  'shares.*.tag': (context, path) => (goesOverConsole(context, parent(path)) ? now : sharedFromStart),
  'shares.*.path': (context, path) => (goesOverConsole(context, parent(path)) ? now : sharedFromStart),
  'shares.*.readOnly': (context, path) => (goesOverConsole(context, parent(path)) ? now : sharedFromStart),
  'shares.*.via': sharedFromStart,
  'usbDevices.+': now,
  'usbDevices.-': now,
  'usbDevices.*.vendorId': usbIdentity,
  'usbDevices.*.productId': usbIdentity,
  'usbDevices.*.port': usbIdentity,
  bootMenu: nextStart('The boot menu shows when the machine starts.'),
  'display.device': built,
  'display.heads': built,
  sound: built,
  usbTablet: built,
  rng: built,
  balloon: built,
  'watchdog.model': built,
  'watchdog.action': now,
  serial: built,
  'agents.qemu': built,
  'agents.spice': built,
  panicDevice: built,
  extraArguments: nextStart('QEMU reads its arguments when it starts.'),
};

/** The line of the table for a difference: "memoryMiB", "disks.+", "disks.*.cache". */
export function ruleName({ path, kind }: SpecDifference): string {
  const [list, id, field] = path.split('.');
  if (kind === 'added') return `${list}.+`;
  if (kind === 'removed') return `${list}.-`;
  return field === undefined || id === undefined ? path : `${list}.*.${field}`;
}

export const editRuleNames: readonly string[] = Object.keys(rules);

/**
 * When a difference takes effect on a guest that runs with `running` and is to be `wanted`.
 * A difference without a line is of a field that nobody thought of: it waits for the next start.
 */
export function editTiming(difference: SpecDifference, running: GuestSpec, wanted: GuestSpec): EditTiming {
  const [list = '', id] = difference.path.split('.');
  const name = ruleName(difference);
  if (id !== undefined && /[+*-]/.test(name)) {
    const isThere = valueAt(running, `${list}.${id}`) !== undefined;
    // What comes and goes between two starts was never a part of what runs.
    if (difference.kind === 'removed' && !isThere) return now;
    if (difference.kind === 'added' && isThere) return now;
    if (difference.kind === 'changed' && !isThere) return nextStart('The device itself is only there from the next start on.');
  }
  const rule = rules[name] ?? built;
  return typeof rule === 'function' ? rule({ running, wanted }, difference.path) : rule;
}

/** All differences with when they take effect; `running` is null for a guest that is off, to which everything applies at once. */
export function planChanges(before: GuestSpec, after: GuestSpec, running: GuestSpec | null): PlannedChange[] {
  return specDifferences(before, after).map((difference) => ({
    ...difference,
    ...(running ? editTiming(difference, running, after) : now),
  }));
}
