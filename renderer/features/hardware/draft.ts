/** What was changed in the editor and not yet applied, and what of the guest is shown for it. Pure. */
import type { FieldNote } from '../../../contract/guest-creation.ts';
import {
  deviceLists,
  type HardwareChange,
  type HardwareField,
  hardwareChange,
  type PlannedChange,
} from '../../../contract/guest-hardware.ts';
import { cpusOnline, type GuestSpec } from '../../../contract/guest-spec.ts';

/** Whole values of the fields that were changed. */
export type Draft = Partial<Pick<GuestSpec, HardwareField>>;

/** The draft without what is as it was: typing a number and the old one again changes nothing. */
export function withChange(spec: GuestSpec, draft: Draft, change: Draft): Draft {
  const next = { ...draft, ...change };
  const kept = Object.entries(next).filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(spec[field as HardwareField]));
  return Object.fromEntries(kept) as Draft;
}

/**
 * The draft after the guest was changed elsewhere: devices that came or went meanwhile have done so in the draft as well, and what the draft does not
 * change of them is as it is now.
 */
export function afterChange(before: GuestSpec, now: GuestSpec, draft: Draft): Draft {
  const lists = deviceLists.flatMap((list) => {
    const devices = draft[list];
    return devices ? [[list, mergeDevices<{ id: string }>(before[list], now[list], devices)]] : [];
  });
  return withChange(now, draft, Object.fromEntries(lists));
}

function mergeDevices<Device extends { id: string }>(
  before: readonly Device[],
  now: readonly Device[],
  draft: readonly Device[],
): Device[] {
  const isIn = (list: readonly Device[], { id }: Device) => list.some((one) => one.id === id);
  const kept = draft
    .filter((device) => isIn(now, device) || !isIn(before, device))
    .map((device) => {
      const was = before.find(({ id }) => id === device.id);
      const isUntouched = was !== undefined && JSON.stringify(was) === JSON.stringify(device);
      return (isUntouched && now.find(({ id }) => id === device.id)) || device;
    });
  return [...kept, ...now.filter((device) => !isIn(before, device) && !isIn(draft, device))];
}

export const isEmptyDraft = (draft: Draft): boolean => Object.keys(draft).length === 0;

/** The draft as the engine takes it, or what the contract's own schema says against it. */
export function checkDraft(spec: GuestSpec, draft: Draft): { change: HardwareChange | null; notes: FieldNote[] } {
  if (isEmptyDraft(draft)) return { change: null, notes: [] };
  const parsed = hardwareChange.safeParse(draft);
  if (parsed.success) return { change: parsed.data, notes: [] };
  return {
    change: null,
    notes: parsed.error.issues.flatMap((issue) => {
      // A device may be one that is there or a new one, and the schema complains once for each of the two.
      const inner = issue.code === 'invalid_union' ? (issue.errors[0] ?? []) : [issue];
      return inner.map(({ path, message }) => {
        const whole = issue.code === 'invalid_union' ? [...issue.path, ...path] : path;
        return { path: withIds({ ...spec, ...draft }, whole), severity: 'problem' as const, message };
      });
    }),
  };
}

function withIds(spec: GuestSpec, path: readonly PropertyKey[]): string {
  const [list, index, ...rest] = path;
  const isList = deviceLists.find((one) => one === list);
  const id = isList && typeof index === 'number' ? spec[isList][index]?.id : undefined;
  return [list, id ?? index, ...rest].filter((one) => one !== undefined).join('.');
}

/** What stands beside a field: when its change takes effect, or that an earlier one still waits. */
export type Mark = { kind: PlannedChange['when'] | 'waits'; why: string | null };

export function markOf(path: string, planned: readonly PlannedChange[], pending: readonly { path: string }[]): Mark | null {
  const change = planned.find((one) => one.path === path);
  if (change) return { kind: change.when, why: change.why };
  return pending.some((one) => one.path === path) ? { kind: 'waits', why: null } : null;
}

export type ItemId =
  | 'system'
  | 'processor'
  | 'memory'
  | 'display'
  | 'devices'
  | 'removed'
  | 'arguments'
  | 'command'
  | 'qmp'
  | 'xml'
  | `disks.${string}`
  | `cdDrives.${string}`
  | `nics.${string}`
  | `shares.${string}`
  | `usbDevices.${string}`;

/** To which item of the list a path of the spec belongs. */
export function itemOf(path: string): ItemId {
  const [field = '', id] = path.split('.');
  const list = deviceLists.find((one) => one === field);
  if (list) return `${list}.${id}`;
  if (field === 'cpu' || field === 'cpuQuotaPercent' || field === 'numaNodes') return 'processor';
  if (field.startsWith('memory') || field.startsWith('balloon') || field === 'hugePages') return 'memory';
  if (field === 'display' || field === 'sound') return 'display';
  if (field === 'extraArguments') return 'arguments';
  const devices = ['usbTablet', 'rng', 'watchdog', 'serial', 'agents', 'panicDevice'];
  return devices.includes(field) ? 'devices' : 'system';
}

/** How many processors are there at the start, for a line of the list. */
export const cpuLine = (spec: GuestSpec): number => cpusOnline(spec.cpu);
