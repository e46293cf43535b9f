/**
 * Changes of a guest that runs: all that are asked for, or none. Each kind is an `Ensure`, which looks at what QEMU has and does only what
 * is missing; so the same functions carry out, take back, and carry on after an engine died half-way.
 *
 * INVARIANT: when a change fails, those before it are taken back, and the error names the device (`tests/integration/live-change.test.ts`).
 */

import { ruleName } from '../../../../../contract/edit-timing.ts';
import { Failure } from '../../../../../contract/errors.ts';
import type { SpecDifference } from '../../../../../contract/guest-hardware.ts';
import type { GuestSpec } from '../../../../../contract/guest-spec.ts';
import { guestFailure } from '../qmp-failure.ts';
import type { Ensure, LiveGuest } from './live-guest.ts';
import { ensureForwards, ensureLink, ensureNic } from './live-network.ts';
import { ensureBalloon, ensureMemory, ensurePins, ensureProcessors, ensureQuota, ensureWatchdogAction } from './live-processor.ts';
import { ensureDisk, ensureLimits, ensureMedium, ensureSize, hasLimits } from './live-storage.ts';
import { ensureUsbDevice } from './live-usb.ts';

/** A folder that goes over the console is looked up anew whenever the guest asks; QEMU knows nothing of it. */
const nothing: Ensure = async () => undefined;

/** By the name of the line in contract/edit-timing.ts. */
const kinds: Record<string, Ensure> = {
  'disks.+': ensureDisk,
  'disks.-': ensureDisk,
  'disks.*.sizeBytes': ensureSize,
  'disks.*.limits': ensureLimits,
  'cdDrives.*.medium': ensureMedium,
  'nics.+': ensureNic,
  'nics.-': ensureNic,
  'nics.*.forwards': ensureForwards,
  'nics.*.linkUp': ensureLink,
  'shares.+': nothing,
  'shares.-': nothing,
  'shares.*.tag': nothing,
  'shares.*.path': nothing,
  'shares.*.readOnly': nothing,
  'usbDevices.+': ensureUsbDevice,
  'usbDevices.-': ensureUsbDevice,
  'cpu.online': ensureProcessors,
  'cpu.pins': ensurePins,
  cpuQuotaPercent: ensureQuota,
  memoryMiB: ensureMemory,
  balloonTargetMiB: ensureBalloon,
  'watchdog.action': ensureWatchdogAction,
};

export const liveKinds: readonly string[] = Object.keys(kinds);

/** @throws Failure of the change that failed; what was done before it is taken back then */
export async function changeLive(
  guest: LiveGuest,
  differences: readonly SpecDifference[],
  running: GuestSpec,
  wanted: GuestSpec,
): Promise<void> {
  const begun: SpecDifference[] = [];
  for (const difference of inOrder(differences)) {
    begun.push(difference);
    try {
      guest.context.signal.throwIfAborted();
      await ensure(guest, difference, wanted);
    } catch (thrown) {
      const failure = naming(guest, difference, thrown);
      const back: LiveGuest = { ...guest, context: { ...guest.context, signal: new AbortController().signal } };
      // What cannot be taken back (memory that the guest uses) is told by the first error; the next edit finds it as it is.
      for (const one of begun.reverse()) await ensure(back, one, running).catch(() => {});
      throw failure;
    }
  }
}

/** What a guest starts without, or goes on without, since QEMU has no argument for it: cables that are out, limits, the balloon, pins. */
export async function settleStart(guest: LiveGuest, spec: GuestSpec, resuming: boolean): Promise<void> {
  for (const { id, limits } of spec.disks) if (hasLimits(limits)) await ensureLimits(guest, id, spec);
  for (const { id, linkUp } of spec.nics) if (!linkUp) await ensureLink(guest, id, spec);
  // The saved state knows how far the balloon was blown up.
  if (!resuming && spec.balloon && spec.balloonTargetMiB !== null) await ensureBalloon(guest, '', spec);
  if (spec.cpu.pins.length > 0) await ensurePins(guest, '', spec);
}

async function ensure(guest: LiveGuest, difference: SpecDifference, to: GuestSpec): Promise<void> {
  const kind = kinds[ruleName(difference)];
  if (!kind) throw new Failure('engine/internal', `${difference.path} cannot be changed while a guest runs.`);
  await kind(guest, difference.path.split('.')[1] ?? '', to);
}

/** What is taken out goes first: what comes in may want its place. */
function inOrder(differences: readonly SpecDifference[]): SpecDifference[] {
  const rank = ({ kind }: SpecDifference) => (kind === 'removed' ? 0 : kind === 'added' ? 1 : 2);
  return differences.toSorted((one, other) => rank(one) - rank(other));
}

/** The failure with the device in its words. */
function naming(guest: LiveGuest, { path }: SpecDifference, thrown: unknown): unknown {
  if (guest.context.signal.aborted && thrown === guest.context.signal.reason) return thrown;
  const { code, message, ...more } = guestFailure(guest.name, thrown).error;
  const device = path.split('.')[1];
  const named = device === undefined || message.includes(device) ? message : `${device}: ${message}`;
  return new Failure(code, named, { ...more, path: more.path ?? path });
}
