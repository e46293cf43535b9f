/**
 * The specs of a guest that comes in a capsule, its present one and those of its snapshots: as they were, but for what belongs to another guest
 * here, or should not come from a stranger. Going back to a snapshot gives the guest that snapshot's hardware, so all are treated alike.
 */
import { randomUUID } from 'node:crypto';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { MachineFinding } from '../../../contract/machine.ts';
import { newMac } from '../creation/plan-spec.ts';
import type { Capsule } from './capsule.ts';

export type Others = { uuids: ReadonlySet<string>; macs: ReadonlySet<string> };

export type CapsuleSpecs = {
  spec: GuestSpec;
  /** The same for any other spec of the capsule. */
  cleaned(other: GuestSpec): GuestSpec;
  findings: MachineFinding[];
};

type Told = Pick<Capsule, 'spec' | 'snapshots' | 'unreadSnapshots'>;

export function capsuleSpec(capsule: Told, name: string, others: Others): CapsuleSpecs {
  const original = capsule.spec;
  const all = [original, ...capsule.snapshots.flatMap(({ spec, memory }) => [spec, ...(memory?.spec ? [memory.spec] : [])])];
  const uuids = new Map([...new Set(all.map(({ uuid }) => uuid))].map((uuid) => [uuid, others.uuids.has(uuid) ? randomUUID() : uuid]));
  const macs = newMacs(all, others.macs);
  const cleaned = (spec: GuestSpec): GuestSpec => ({
    ...spec,
    uuid: uuids.get(spec.uuid) ?? spec.uuid,
    favourite: false,
    autostart: false,
    extraArguments: [],
    shares: [],
    usbDevices: [],
    nics: withoutTwins(spec.nics, macs, others.macs),
    cdDrives: spec.cdDrives.map((drive) => ({ ...drive, medium: null })),
    disks: spec.disks.map((disk, index) => ({
      ...disk,
      location: { kind: 'store' as const, file: `disk${index}.qcow2` },
      format: 'qcow2' as const,
    })),
  });
  return { spec: { ...cleaned(original), name }, cleaned, findings: [...findingsOf(all, others), ...snapshotFindings(capsule)] };
}

/** Addresses that other guests have here, with those that stand for them in every spec. */
function newMacs(all: readonly GuestSpec[], taken: ReadonlySet<string>): Map<string, string> {
  const used = new Set([...taken, ...all.flatMap(({ nics }) => nics.map(({ mac }) => mac))]);
  const macs = new Map<string, string>();
  for (const { mac } of all.flatMap(({ nics }) => nics)) {
    if (!taken.has(mac) || macs.has(mac)) continue;
    const fresh = newMac(used);
    used.add(fresh);
    macs.set(mac, fresh);
  }
  return macs;
}

function withoutTwins(nics: GuestSpec['nics'], macs: ReadonlyMap<string, string>, taken: ReadonlySet<string>): GuestSpec['nics'] {
  const used = new Set(taken);
  return nics.map((nic) => {
    const wanted = macs.get(nic.mac) ?? nic.mac;
    const mac = used.has(wanted) ? newMac(used) : wanted;
    used.add(mac);
    return { ...nic, mac };
  });
}

/** What is said of the specs, each thing once, whichever of them has it. */
function findingsOf(all: readonly GuestSpec[], others: Others): MachineFinding[] {
  const findings: MachineFinding[] = [];
  const add = (id: string, severity: MachineFinding['severity'], title: string, text: string, action: string) =>
    findings.push({ id, severity, title, text, action });
  const isTwin = all.some(({ uuid, nics }) => others.uuids.has(uuid) || nics.some((nic) => others.macs.has(nic.mac)));
  if (isTwin) {
    add(
      'capsule/twin',
      'info',
      'A guest with its identity is here already',
      'Its UUID or network address belongs to another guest, perhaps the one that it was exported from.',
      'It gets new ones. Everything else is as it was.',
    );
  } else
    add(
      'capsule/same',
      'ok',
      'A guest of another Guesthouse',
      'It is taken with its identity, its firmware and its TPM.',
      'Nothing needs doing.',
    );
  const every = (of: (spec: GuestSpec) => string[]) => [...new Set(all.flatMap(of))];
  const extra = every(({ extraArguments }) => (extraArguments.length > 0 ? [extraArguments.join(' ')] : []));
  if (extra.length > 0) {
    add(
      'capsule/extra-arguments',
      'warning',
      'It has extra arguments for QEMU',
      `Such arguments can reach any file of yours: ${extra.join('; ').slice(0, 500)}`,
      'They are left out. Add them again if you trust where it comes from.',
    );
  }
  const shares = every((spec) => spec.shares.map(({ path, readOnly }) => `${path}${readOnly ? ' (to read)' : ''}`));
  if (shares.length > 0) {
    add(
      'capsule/shares',
      'warning',
      'It shares folders of the computer that it runs on',
      `Here these would be yours: ${shares.join(', ').slice(0, 500)}`,
      'They are left out. Share the folders that it should have.',
    );
  }
  const usb = every((spec) => spec.usbDevices.map(({ vendorId, productId }) => `${vendorId}:${productId}`));
  if (usb.length > 0)
    add(
      'capsule/usb',
      'info',
      'It takes USB devices of the computer',
      usb.join(', '),
      'They are left out. Attach those that it should have.',
    );
  const forwards = every((spec) =>
    spec.nics.flatMap((nic) => nic.forwards.map(({ hostAddress, hostPort, guestPort }) => `${hostAddress}:${hostPort} to ${guestPort}`)),
  );
  if (forwards.length > 0)
    add(
      'capsule/forwards',
      'info',
      'It forwards ports of this computer',
      forwards.join(', '),
      'They are kept, and take effect when it is started.',
    );
  const networks = every((spec) =>
    spec.nics.flatMap(({ bridge, network }) => [...(bridge ? [`bridge ${bridge}`] : []), ...(network ? [`network “${network}”`] : [])]),
  );
  if (networks.length > 0) {
    add(
      'capsule/networks',
      'info',
      'It is on networks with others',
      networks.join(', '),
      'It joins those of the same name here when it is started. Change its cards first if it should not.',
    );
  }
  if (all.some(({ cdDrives }) => cdDrives.some(({ medium }) => medium !== null)))
    add('capsule/media', 'info', 'A disc was in its CD drive', 'Discs are no part of a capsule.', 'The drive is empty.');
  if (all[0]?.autostart) add('capsule/autostart', 'info', 'It starts by itself', 'A copy should not, unasked.', 'That is switched off.');
  return findings;
}

function snapshotFindings({ snapshots, unreadSnapshots }: Told): MachineFinding[] {
  const findings: MachineFinding[] = [];
  if (snapshots.length > 0) {
    findings.push({
      id: 'capsule/snapshots',
      severity: 'info',
      title: snapshots.length === 1 ? 'Its snapshot comes along' : `Its ${snapshots.length} snapshots come along`,
      text: 'They have their names, notes, times and pictures, and it can be taken back to each.',
      action: 'Nothing needs doing.',
    });
  }
  const withMemory = snapshots.filter(({ memory }) => memory !== null);
  if (withMemory.length > 0) {
    findings.push({
      id: 'capsule/memory',
      severity: 'info',
      title: withMemory.length === 1 ? 'A snapshot of it holds memory' : `${withMemory.length} of them hold memory`,
      text: 'Memory goes on only with a QEMU and a processor like those that it was saved with, and QEMU has to trust what it loads.',
      action: 'It is kept. Take the guest back to such a snapshot only if you trust where it comes from.',
    });
  }
  if (unreadSnapshots > 0) {
    findings.push({
      id: 'source/snapshots',
      severity: 'warning',
      title: 'It has snapshots',
      text: 'This Guesthouse cannot take them along.',
      action: 'Only its present state is imported.',
    });
  }
  return findings;
}
