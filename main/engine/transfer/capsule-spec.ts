/** The spec of a guest that comes in a capsule: as it was, but for what belongs to another guest here, or should not come from a stranger. */
import { randomUUID } from 'node:crypto';
import type { GuestSpec } from '../../../contract/guest-spec.ts';
import type { MachineFinding } from '../../../contract/machine.ts';
import { newMac } from '../creation/plan-spec.ts';

export type Others = { uuids: ReadonlySet<string>; macs: ReadonlySet<string> };

export function capsuleSpec(
  original: GuestSpec,
  name: string,
  others: Others,
  snapshots: number,
): { spec: GuestSpec; findings: MachineFinding[] } {
  const findings: MachineFinding[] = [];
  const add = (id: string, severity: MachineFinding['severity'], title: string, text: string, action: string) =>
    findings.push({ id, severity, title, text, action });
  const isTwin = others.uuids.has(original.uuid) || original.nics.some((nic) => others.macs.has(nic.mac));
  const macs = new Set(others.macs);
  const nics = original.nics.map((nic) => {
    const mac = macs.has(nic.mac) ? newMac(macs) : nic.mac;
    macs.add(mac);
    return { ...nic, mac };
  });
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
  if (original.extraArguments.length > 0) {
    add(
      'capsule/extra-arguments',
      'warning',
      'It has extra arguments for QEMU',
      `Such arguments can reach any file of yours: ${original.extraArguments.join(' ').slice(0, 500)}`,
      'They are left out. Add them again if you trust where it comes from.',
    );
  }
  const forwards = original.nics.flatMap((nic) => nic.forwards);
  if (forwards.length > 0) {
    const list = forwards.map(({ hostAddress, hostPort, guestPort }) => `${hostAddress}:${hostPort} to ${guestPort}`).join(', ');
    add('capsule/forwards', 'info', 'It forwards ports of this computer', list, 'They are kept, and take effect when it is started.');
  }
  if (original.cdDrives.some(({ medium }) => medium !== null)) {
    add('capsule/media', 'info', 'A disc was in its CD drive', 'Discs are no part of a capsule.', 'The drive is empty.');
  }
  if (original.autostart) add('capsule/autostart', 'info', 'It starts by itself', 'A copy should not, unasked.', 'That is switched off.');
  if (snapshots > 0) {
    add(
      'source/snapshots',
      'warning',
      'It has snapshots',
      'This Guesthouse cannot take them along.',
      'Only its present state is imported.',
    );
  }
  const spec: GuestSpec = {
    ...original,
    name,
    uuid: others.uuids.has(original.uuid) ? randomUUID() : original.uuid,
    favourite: false,
    autostart: false,
    extraArguments: [],
    nics,
    cdDrives: original.cdDrives.map((drive) => ({ ...drive, medium: null })),
    disks: original.disks.map((disk, index) => ({
      ...disk,
      location: { kind: 'store' as const, file: `disk${index}.qcow2` },
      format: 'qcow2' as const,
    })),
  };
  return { spec, findings };
}
