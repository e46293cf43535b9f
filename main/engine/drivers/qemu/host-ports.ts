/** Whether the host ports that a guest forwards are free, and who holds one that is not. */
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { Failure } from '../../../../contract/errors.ts';
import type { GuestSpec, PortForward } from '../../../../contract/guest-spec.ts';
import { portKey } from '../driver.ts';
import { allPids } from './process-table.ts';

/** @throws Failure `guest/port-taken` naming the port and, where it can be found out, who holds it. */
export async function checkForwards(spec: GuestSpec, holders: ReadonlyMap<string, string>): Promise<void> {
  for (const [index, nic] of spec.nics.entries()) {
    for (const [place, forward] of nic.forwards.entries()) {
      const problem = await tryPort(forward);
      if (problem === null) continue;
      const { protocol, hostAddress, hostPort } = forward;
      const where = `${protocol.toUpperCase()} port ${hostPort} on ${hostAddress}`;
      const path = `nics.${index}.forwards.${place}.hostPort`;
      if (problem === 'EACCES') {
        throw new Failure('guest/port-taken', `${spec.name} cannot forward ${where}: ports below 1024 need more rights.`, {
          hint: 'Choose a host port of 1024 or above.',
          path,
        });
      }
      if (problem === 'EADDRNOTAVAIL') {
        throw new Failure('guest/port-taken', `${spec.name} cannot forward ${where}: this computer does not have that address.`, {
          hint: 'Use 127.0.0.1, or 0.0.0.0 for every address.',
          path,
        });
      }
      const who = guestHolding(forward, holders) ?? processHolding(forward);
      throw new Failure('guest/port-taken', `${spec.name} cannot forward ${where}: ${who ? `${who} holds it` : 'it is in use'}.`, {
        hint: 'Choose another host port, or stop what holds it.',
        path,
      });
    }
  }
}

function guestHolding({ protocol, hostAddress, hostPort }: PortForward, holders: ReadonlyMap<string, string>): string | null {
  for (const address of [hostAddress, '0.0.0.0']) {
    const name = holders.get(portKey({ protocol, hostAddress: address, hostPort }));
    if (name) return `the guest ${name}`;
  }
  return null;
}

/** Null when the port can be had, else the error's code. */
function tryPort({ protocol, hostAddress, hostPort }: PortForward): Promise<string | null> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EADDRINUSE');
    if (protocol === 'tcp') {
      const server = createServer();
      server.once('error', failed);
      server.listen({ host: hostAddress, port: hostPort, exclusive: true }, () => server.close(() => resolve(null)));
    } else {
      const socket = createSocket('udp4');
      socket.once('error', failed);
      socket.bind({ address: hostAddress, port: hostPort, exclusive: true }, () => socket.close(() => resolve(null)));
    }
  });
}

/** "python3 (process 4711)"; null when it belongs to another user or cannot be found. */
function processHolding({ protocol, hostPort }: PortForward): string | null {
  const inodes = new Set([`/proc/net/${protocol}`, `/proc/net/${protocol}6`].flatMap((table) => socketInodes(table, hostPort)));
  if (inodes.size === 0) return null;
  for (const pid of allPids()) {
    let descriptors: string[];
    try {
      descriptors = readdirSync(`/proc/${pid}/fd`);
    } catch {
      continue;
    }
    for (const descriptor of descriptors) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
        if (inode && inodes.has(inode)) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (process ${pid})`;
      } catch {
        // The descriptor was closed in between.
      }
    }
  }
  return null;
}

/** Inodes of the sockets bound to `port`: column 2 is the local address in hexadecimal, column 10 the inode (proc(5)). */
function socketInodes(table: string, port: number): string[] {
  let text: string;
  try {
    text = readFileSync(table, 'utf8');
  } catch {
    return [];
  }
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${wanted}`))
    .flatMap((columns) => columns[9] ?? []);
}
