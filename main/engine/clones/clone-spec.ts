/** What a clone is to be: its original with an identity of its own. Pure but for new ids. */
import { randomUUID } from 'node:crypto';
import type { Disk, GuestSpec, PortForward } from '../../../contract/guest-spec.ts';
import { newMac } from '../creation/plan-spec.ts';
import { portKey } from '../drivers/driver.ts';

/** What other guests have and a clone must not. Added to as clones get theirs. */
export type Taken = { macs: Set<string>; ports: Set<string> };

export function takenBy(specs: readonly GuestSpec[]): Taken {
  const nics = specs.flatMap((spec) => spec.nics);
  return {
    macs: new Set(nics.map((nic) => nic.mac)),
    ports: new Set(nics.flatMap((nic) => nic.forwards.map(portKey))),
  };
}

/** The file of a clone's disk, in its own folder. */
export const cloneFile = (disk: Pick<Disk, 'id'>): string => `${disk.id}.qcow2`;

/** A disk of the user's own that nobody writes to is used by the clone as well. */
export const isSharedInPlace = (disk: Disk): boolean => disk.location.kind === 'in-place' && disk.readOnly;

export function cloneSpec(original: GuestSpec, name: string, taken: Taken): GuestSpec {
  const nics = original.nics.map((nic) => {
    const mac = newMac(taken.macs);
    taken.macs.add(mac);
    return { ...nic, mac, forwards: nic.forwards.map((forward) => freeForward(forward, taken.ports)) };
  });
  const disks = original.disks.map((disk): Disk => {
    if (isSharedInPlace(disk)) return disk;
    return { ...disk, location: { kind: 'store', file: cloneFile(disk) }, format: 'qcow2' };
  });
  // Fifty clones of a guest that starts by itself must not all start by themselves.
  return { ...original, uuid: randomUUID(), name, favourite: false, autostart: false, disks, nics };
}

/**
 * As `cloneSpec`, for a guest that goes on from the original's memory. The system in it has the original's addresses already and would keep them
 * whatever its cards were given, so each card leads to a network of its own that reaches nothing.
 */
export function continuedSpec(original: GuestSpec, name: string, taken: Taken): GuestSpec {
  const spec = cloneSpec(original, name, taken);
  const nics = original.nics.map((nic) => ({ ...nic, mode: 'user' as const, restricted: true, forwards: [], network: null, bridge: null }));
  return { ...spec, nics };
}

/** The next port of the host that no guest forwards; there is none when all above are taken, and then the clone is told at its start. */
function freeForward(forward: PortForward, ports: Set<string>): PortForward {
  for (let hostPort = forward.hostPort; hostPort <= 65_535; hostPort++) {
    const key = portKey({ ...forward, hostPort });
    if (ports.has(key)) continue;
    ports.add(key);
    return { ...forward, hostPort };
  }
  return forward;
}
