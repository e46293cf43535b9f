/** Where ssh reaches a guest, and the command line that goes there. Pure; nothing passes through a shell. */
import { isIP } from 'node:net';
import { Failure } from '../../contract/errors.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { SshEndpoint } from './transport.ts';

const anyAddress = '0.0.0.0';

/**
 * A forward to the guest's port 22 on this computer if there is one, else the first address that the guest's agent reported. What a guest
 * says of itself is not trusted: only literal addresses count, and none of this computer's own.
 * @throws Failure `console/unavailable`
 */
export function findSshEndpoint(guest: Pick<Guest, 'spec' | 'state'>): SshEndpoint {
  const name = guest.spec.name;
  if (!guest.state.run) throw new Failure('console/unavailable', `“${name}” is not running.`, { hint: 'Start it first.' });
  for (const nic of guest.spec.nics) {
    const forward = nic.forwards.find(({ protocol, guestPort }) => protocol === 'tcp' && guestPort === 22);
    if (forward) return { address: forward.hostAddress === anyAddress ? '127.0.0.1' : forward.hostAddress, port: forward.hostPort };
  }
  // Behind user-mode networking the guest's own address (10.0.2.15) leads nowhere from here.
  const behindUserNetwork = guest.spec.nics.length > 0 && guest.spec.nics.every(({ mode }) => mode === 'user');
  const address = behindUserNetwork ? undefined : guest.state.run.addresses.find(isOutsideAddress);
  if (address) return { address, port: 22 };
  throw new Failure('console/unavailable', `Nothing is known through which ssh could reach “${name}”.`, {
    hint: 'Give it a port forward to its port 22.',
  });
}

function isOutsideAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  return !/^(127\.|0\.|169\.254\.|::1$|::$|fe80:|::ffff:)/i.test(address);
}

/**
 * Arguments for `ssh`. `user` was checked by the contract's schema and `address` is a literal IP address, so neither can be taken for an
 * option; each guest has a file of known hosts of its own, since forwarded guests all share 127.0.0.1.
 */
export function buildSshArguments(options: { guest: string; user: string; endpoint: SshEndpoint; knownHostsPath: string }): string[] {
  const { guest, user, endpoint, knownHostsPath } = options;
  return [
    '-o',
    'StrictHostKeyChecking=accept-new',
    '-o',
    `UserKnownHostsFile="${knownHostsPath}"`,
    '-o',
    'GlobalKnownHostsFile=none',
    '-o',
    `HostKeyAlias=${guest}`,
    '-o',
    'ForwardAgent=no',
    '-o',
    'ForwardX11=no',
    '-p',
    String(endpoint.port),
    '-l',
    user,
    '--',
    endpoint.address,
  ];
}
