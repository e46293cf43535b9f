/**
 * Changes to the hardware of a guest: what can be asked for, and in what two specs differ. Whether a difference can be made while the
 * guest runs stands in `edit-timing.ts`.
 */
import { z } from 'zod';
import { cdDrive, cdMedium, deviceId, disk, diskFormat, type GuestSpec, guestSpec, nic, share, usbDevice } from './guest-spec.ts';
import { instant } from './ids.ts';

/** The fields of a spec that are hardware. The others (name, notes, tags, favourite, autostart, clipboard, files, keyboard) are changed by other calls. */
export const hardwareFields = [
  'os',
  'machine',
  'accelerator',
  'cpu',
  'cpuQuotaPercent',
  'memoryMiB',
  'memoryMaxMiB',
  'balloonTargetMiB',
  'hugePages',
  'numaNodes',
  'firmware',
  'tpm',
  'clock',
  'hypervEnlightenments',
  'disks',
  'cdDrives',
  'nics',
  'shares',
  'usbDevices',
  'bootMenu',
  'display',
  'sound',
  'usbTablet',
  'rng',
  'balloon',
  'watchdog',
  'serial',
  'agents',
  'panicDevice',
  'extraArguments',
] as const satisfies readonly (keyof GuestSpec)[];
export type HardwareField = (typeof hardwareFields)[number];

/** The lists of devices. Each device has an id, which it keeps for life. */
export const deviceLists = ['disks', 'cdDrives', 'nics', 'shares', 'usbDevices'] as const satisfies readonly HardwareField[];
export type DeviceList = (typeof deviceLists)[number];

/** What a new device's id begins with. */
export const devicePrefixes: Record<DeviceList, string> = {
  disks: 'disk',
  cdDrives: 'cd',
  nics: 'nic',
  shares: 'share',
  usbDevices: 'usb',
};

/** A disk that is not there yet: an empty one of `sizeBytes`, or a file of the user's own that is used in place. */
const newDisk = z.strictObject({
  sizeBytes: disk.shape.sizeBytes.optional(),
  path: z.string().startsWith('/').optional(),
  bus: disk.shape.bus.optional(),
  cache: disk.shape.cache.optional(),
  discard: disk.shape.discard.optional(),
  iothread: disk.shape.iothread.optional(),
  readOnly: disk.shape.readOnly.optional(),
  bootOrder: disk.shape.bootOrder.optional(),
  limits: disk.shape.limits.optional(),
});
export type NewDisk = z.infer<typeof newDisk>;
const newCdDrive = z.strictObject({
  bus: cdDrive.shape.bus.optional(),
  medium: cdMedium.nullable().optional(),
  bootOrder: cdDrive.shape.bootOrder.optional(),
});
const newNic = nic.omit({ id: true }).partial().strict();
const newShare = z.strictObject({
  path: share.shape.path,
  tag: share.shape.tag.optional(),
  readOnly: z.boolean().optional(),
  via: share.shape.via.optional(),
});
const newUsbDevice = usbDevice.omit({ id: true }).extend({ port: usbDevice.shape.port.optional() }).strict();

/**
 * A change: every field that is given replaces the one of the spec, a list of devices as a whole. Devices keep their ids; one without an
 * id is new, and what it does not say is chosen for it. A device that is not in the list any more is taken out.
 */
export const hardwareChange = guestSpec
  .pick(Object.fromEntries(hardwareFields.map((field) => [field, true])) as Record<HardwareField, true>)
  .extend({
    cpu: guestSpec.shape.cpu.partial(),
    display: guestSpec.shape.display.partial(),
    watchdog: guestSpec.shape.watchdog.partial(),
    agents: guestSpec.shape.agents.partial(),
    disks: z.array(z.union([disk, newDisk])).max(24),
    cdDrives: z.array(z.union([cdDrive, newCdDrive])).max(4),
    nics: z.array(z.union([nic, newNic])).max(8),
    shares: z.array(z.union([share, newShare])).max(8),
    usbDevices: z.array(z.union([usbDevice, newUsbDevice])).max(8),
  })
  .partial()
  .strict();
export type HardwareChange = z.infer<typeof hardwareChange>;

/**
 * One difference between two specs. `path` is dotted, with a device's id for its place in the list: "memoryMiB", "cpu.cores",
 * "disks.disk1" (added, removed), "nics.nic0.forwards".
 */
export const specDifference = z.object({ path: z.string(), kind: z.enum(['changed', 'added', 'removed']) });
export type SpecDifference = z.infer<typeof specDifference>;

/** When a difference takes effect. `why` says why not at once, in a sentence. */
export const editTimingSchema = z.object({ when: z.enum(['now', 'next-start', 'power-off']), why: z.string().nullable() });
export type EditTiming = z.infer<typeof editTimingSchema>;

export const plannedChange = specDifference.extend(editTimingSchema.shape);
export type PlannedChange = z.infer<typeof plannedChange>;

/** An edit that was made, for its undoing. */
export const pastEdit = z.object({ id: z.number().int(), at: instant, who: z.string(), changes: z.array(specDifference) });
export type PastEdit = z.infer<typeof pastEdit>;

/** A disk that was taken out of a guest; its file is kept until it is deleted for good. */
export const removedDisk = z.object({
  /** The name that its file had in the guest's folder. */
  file: z.string(),
  /** What it was called; null when that is not known any more. */
  id: deviceId.nullable(),
  format: diskFormat,
  /** Virtual size. */
  sizeBytes: z.number(),
  /** What its file takes up. */
  realBytes: z.number(),
  removedAt: instant,
});
export type RemovedDisk = z.infer<typeof removedDisk>;

/** How many edits of a guest are kept for undoing. */
export const keptEdits = 20;

/** In what the hardware of two specs differs, in the order of the fields. */
export function specDifferences(before: GuestSpec, after: GuestSpec): SpecDifference[] {
  return hardwareFields.flatMap((field) =>
    isDeviceList(field) ? deviceDifferences(field, before[field], after[field]) : valueDifferences(field, before[field], after[field]),
  );
}

/** `spec` with the hardware of `other`; name, notes, tags and the like stay. */
export function withHardwareOf(spec: GuestSpec, other: GuestSpec): GuestSpec {
  return { ...spec, ...Object.fromEntries(hardwareFields.map((field) => [field, other[field]])) };
}

/** `spec` with what `other` has at the paths of `differences`. */
export function withDifferences(spec: GuestSpec, other: GuestSpec, differences: readonly SpecDifference[]): GuestSpec {
  const next = { ...spec } as GuestSpec & Record<string, unknown>;
  for (const { path, kind } of differences) {
    const [field = '', id, ...rest] = path.split('.');
    const value = valueAt(other, path);
    if (id === undefined) next[field as 'memoryMiB'] = value as number;
    else if (!isDeviceList(field as HardwareField)) next[field as 'cpu'] = { ...(next[field as 'cpu'] as GuestSpec['cpu']), [id]: value };
    else next[field as 'disks'] = withDevice(next[field as 'disks'], other[field as 'disks'], id, kind, rest[0], value);
  }
  return next;
}

/** A list of devices with one difference made; devices stand in the order of `order`, those that it does not have first. */
function withDevice<One extends Device>(
  list: readonly One[],
  order: readonly One[],
  id: string,
  kind: SpecDifference['kind'],
  field: string | undefined,
  value: unknown,
): One[] {
  if (kind === 'removed') return list.filter((one) => one.id !== id);
  if (kind === 'changed') return list.map((one) => (one.id === id ? { ...one, [field ?? '']: value } : one));
  const place = (one: Device) => order.findIndex((other) => other.id === one.id);
  return [...list.filter((one) => one.id !== id), value as One].sort((one, other) => place(one) - place(other));
}

/** The value at a difference's path; undefined where there is none. */
export function valueAt(spec: GuestSpec, path: string): unknown {
  let value: unknown = spec;
  for (const name of path.split('.')) {
    if (Array.isArray(value)) value = value.find((one: { id?: string }) => one.id === name);
    else if (typeof value === 'object' && value !== null) value = (value as Record<string, unknown>)[name];
    else return undefined;
  }
  return value;
}

function isDeviceList(field: HardwareField): field is DeviceList {
  return (deviceLists as readonly string[]).includes(field);
}

type Device = { id: string };

function deviceDifferences(list: DeviceList, before: readonly Device[], after: readonly Device[]): SpecDifference[] {
  const removed = before.filter(({ id }) => !after.some((one) => one.id === id));
  return [
    ...removed.map(({ id }): SpecDifference => ({ path: `${list}.${id}`, kind: 'removed' })),
    ...after.flatMap((device): SpecDifference[] => {
      const path = `${list}.${device.id}`;
      const was = before.find(({ id }) => id === device.id);
      return was ? valueDifferences(path, was, device) : [{ path, kind: 'added' }];
    }),
  ];
}

/** Objects are compared field by field, one level deep; all else as a whole. */
function valueDifferences(path: string, before: unknown, after: unknown): SpecDifference[] {
  if (isPlain(before) && isPlain(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.filter((key) => !equal(before[key], after[key])).map((key) => ({ path: `${path}.${key}`, kind: 'changed' }));
  }
  return equal(before, after) ? [] : [{ path, kind: 'changed' }];
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((each, index) => equal(each, other[index]));
  if (!isPlain(one) || !isPlain(other)) return false;
  return Object.keys({ ...one, ...other }).every((key) => equal(one[key], other[key]));
}
