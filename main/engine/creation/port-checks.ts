/** Whether the host's ports that a guest wants to forward can be had. */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { GuestSpec, PortForward } from '../../../contract/guest-spec.ts';
import type { PlanNote } from './plan-note.ts';

/** What binding a port would end in: null when it is free. */
export type PortProbe = (forward: PortForward) => Promise<'EADDRINUSE' | 'EADDRNOTAVAIL' | 'EACCES' | null>;

type OtherGuest = { name: string; forwards: readonly PortForward[] };

export async function checkForwards(
  forwards: readonly PortForward[],
  others: readonly OtherGuest[],
  probe: PortProbe = probePort,
): Promise<PlanNote[]> {
  const notes: PlanNote[] = [];
  const lowest = await firstUnprivilegedPort();
  for (const [index, forward] of forwards.entries()) {
    const path = `forwards.${index}.hostPort`;
    const what = `Port ${forward.hostPort} (${forward.protocol.toUpperCase()})`;
    const note = (severity: PlanNote['severity'], message: string, hint: string) =>
      notes.push({ path, severity, code: 'guest/port-taken', message, hint });
    if (forwards.slice(0, index).some((earlier) => clash(earlier, forward))) {
      note('problem', `${what} is forwarded twice.`, 'Choose another port of the host for one of them.');
      continue;
    }
    if (forward.hostPort < lowest) {
      note('problem', `${what} needs administrator’s rights on this computer.`, `Choose a port from ${Math.max(1024, lowest)} on.`);
      continue;
    }
    const user = others.find((other) => other.forwards.some((theirs) => clash(theirs, forward)));
    const error = await probe(forward);
    if (error === 'EADDRINUSE') {
      note(
        'problem',
        user ? `${what} is in use now by “${user.name}”.` : `${what} is in use now by another program.`,
        'Choose another port of the host.',
      );
    } else if (error === 'EADDRNOTAVAIL') {
      note(
        'problem',
        `${forward.hostAddress} is no address of this computer.`,
        'Use 127.0.0.1 for this computer only, or 0.0.0.0 for everyone who can reach it.',
      );
    } else if (error === 'EACCES') {
      note('problem', `${what} may not be used by you on this computer.`, 'Choose another port of the host.');
    } else if (user) {
      note(
        'warning',
        `${what} is also forwarded to “${user.name}”: only one of the two can run at a time.`,
        'Choose another port to run both.',
      );
    }
    if (!error && forward.hostAddress !== '127.0.0.1' && !forward.hostAddress.startsWith('127.')) {
      notes.push({
        path: `forwards.${index}.hostAddress`,
        severity: 'warning',
        code: 'guest/port-taken',
        message: `${what} will be reachable from other computers.`,
        hint: 'Use 127.0.0.1 to keep it to this computer.',
      });
    }
  }
  return notes;
}

function clash(one: PortForward, other: PortForward): boolean {
  if (one.protocol !== other.protocol || one.hostPort !== other.hostPort) return false;
  return one.hostAddress === other.hostAddress || one.hostAddress === '0.0.0.0' || other.hostAddress === '0.0.0.0';
}

async function firstUnprivilegedPort(): Promise<number> {
  if (process.platform === 'win32' || process.getuid?.() === 0) return 1;
  const setting = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '1024');
  return Number.parseInt(setting, 10) || 1;
}

/** Binds the port for an instant. */
export const probePort: PortProbe = ({ protocol, hostAddress, hostPort }) =>
  new Promise((resolve) => {
    const settle = (error: NodeJS.ErrnoException | null) => {
      const code = error?.code;
      resolve(code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EACCES' ? code : null);
    };
    if (protocol === 'udp') {
      const socket = createSocket('udp4');
      socket.once('error', (error) => {
        socket.close();
        settle(error);
      });
      socket.bind({ address: hostAddress, port: hostPort, exclusive: true }, () => socket.close(() => settle(null)));
      return;
    }
    const server = createServer();
    server.once('error', settle);
    server.listen({ host: hostAddress, port: hostPort, exclusive: true }, () => server.close(() => settle(null)));
  });

/** The forwards of all other guests, with their names. */
export function forwardsOf(specs: readonly Pick<GuestSpec, 'name' | 'nics'>[]): OtherGuest[] {
  return specs
    .map(({ name, nics }) => ({ name, forwards: nics.flatMap((nic) => nic.forwards) }))
    .filter(({ forwards }) => forwards.length > 0);
}
