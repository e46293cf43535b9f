/**
 * Brings stored specs of older versions forward. A step takes a spec of its version to the next; specs are never written back unless
 * they are changed, so that an older Guesthouse can still read what this one did not touch.
 */
import { Failure } from '../../../contract/errors.ts';
import { type GuestSpec, guestSpec, guestSpecVersion } from '../../../contract/guest-spec.ts';

type OldSpec = Record<string, unknown>;

/** From version N to N + 1. What is not of the right shape is passed on as it is, for the schema to refuse. */
const steps: Readonly<Record<number, (spec: OldSpec) => OldSpec>> = {
  // Version 2 can be changed while the guest runs. A guest of version 1 has no room to grow and no limits.
  1: (spec) => ({
    ...spec,
    cpu: isObject(spec.cpu) ? { ...spec.cpu, online: null, pins: [] } : spec.cpu,
    cpuQuotaPercent: null,
    memoryMaxMiB: null,
    balloonTargetMiB: null,
    hugePages: false,
    numaNodes: 1,
    disks: withMore(spec.disks, { limits: { bytesPerSecond: null, operationsPerSecond: null } }),
    nics: withMore(spec.nics, { bridge: null, network: null, linkUp: true, bootOrder: null }),
    bootMenu: false,
    shares: [],
    usbDevices: [],
  }),
  // Version 3 says which way what is copied goes; there was no shared clipboard before.
  2: (spec) => ({ ...spec, clipboard: 'both' }),
  // Version 4 knows the guest's keyboard; before, text was typed as on a US one and every key was the guest's.
  3: (spec) => ({ ...spec, keyboard: { layout: 'us', localKeys: [] } }),
  // Version 5 says whether files can be sent to the guest, which nobody could before.
  4: (spec) => ({ ...spec, files: 'to-guest' }),
  // Version 6 shares folders over the console as well; before, all were mounted.
  5: (spec) => ({ ...spec, shares: withMore(spec.shares, { via: 'mount' }) }),
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function withMore(devices: unknown, more: object): unknown {
  return Array.isArray(devices) ? devices.map((device: unknown) => (isObject(device) ? { ...device, ...more } : device)) : devices;
}

/** @throws Failure `database/newer` for a spec of a later version, `database/damaged` for one that is not a spec. */
export function parseStoredSpec(json: string): GuestSpec {
  let spec: OldSpec;
  try {
    spec = JSON.parse(json) as OldSpec;
  } catch (thrown) {
    throw new Failure('database/damaged', 'The hardware of a guest is not readable in the database.', { detail: String(thrown) });
  }
  let version = typeof spec?.version === 'number' ? spec.version : Number.NaN;
  if (version > guestSpecVersion) {
    throw new Failure('database/newer', `A guest was written by a newer Guesthouse (spec version ${version}).`, {
      hint: 'Update Guesthouse.',
    });
  }
  for (; version < guestSpecVersion; version++) {
    const step = steps[version];
    if (!step) break;
    spec = { ...step(spec), version: version + 1 };
  }
  const parsed = guestSpec.safeParse(spec);
  if (!parsed.success) {
    throw new Failure('database/damaged', 'The hardware of a guest in the database is not as it should be.', {
      detail: parsed.error.message,
    });
  }
  return parsed.data;
}
