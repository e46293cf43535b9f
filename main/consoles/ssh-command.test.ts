import { expect, test } from 'vitest';
import type { Guest } from '../../contract/guest-state.ts';
import { consoleTarget } from '../../contract/shell.ts';
import { buildSshArguments, findSshEndpoint } from './ssh-command.ts';

type Known = {
  forwards?: { protocol: 'tcp' | 'udp'; hostAddress: string; hostPort: number; guestPort: number }[];
  addresses?: string[];
  running?: boolean;
  nics?: number;
};

function guestWith({ forwards = [], addresses = [], running = true, nics = 1 }: Known): Pick<Guest, 'spec' | 'state'> {
  return {
    spec: { name: 'Debian', nics: Array.from({ length: nics }, () => ({ mode: 'user', forwards })) },
    state: running ? { run: { addresses } } : {},
  } as unknown as Pick<Guest, 'spec' | 'state'>;
}

test('a forward to port 22 is the way in, and one on every address is reached on this computer', () => {
  const forward = { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 2222, guestPort: 22 } as const;
  expect(findSshEndpoint(guestWith({ forwards: [forward] }))).toEqual({ address: '127.0.0.1', port: 2222 });
  const other = { ...forward, guestPort: 80 };
  expect(() => findSshEndpoint(guestWith({ forwards: [other, { ...forward, protocol: 'udp' }] }))).toThrow('Nothing is known');
});

test('an address that the guest reports is used only where it leads somewhere', () => {
  expect(() => findSshEndpoint(guestWith({ addresses: ['10.0.2.15'] }))).toThrow('Nothing is known');
  expect(findSshEndpoint(guestWith({ nics: 0, addresses: ['192.0.2.7'] }))).toEqual({ address: '192.0.2.7', port: 22 });
});

test('a guest cannot lead ssh astray by what it says of its addresses', () => {
  for (const address of [
    '-oProxyCommand=touch /tmp/x',
    'host.example',
    '127.0.0.1',
    '::1',
    'fe80::1%eth0',
    '::ffff:127.0.0.1',
    '0.0.0.0',
    '',
  ]) {
    expect(() => findSshEndpoint(guestWith({ nics: 0, addresses: [address] }))).toThrow('Nothing is known');
  }
});

test('a guest that does not run is said not to', () => {
  expect(() => findSshEndpoint(guestWith({ running: false }))).toThrow('“Debian” is not running.');
});

test('every option stands before the address, with keys of its own for every guest', () => {
  const words = buildSshArguments({
    guest: 'gabc',
    user: 'root',
    endpoint: { address: '127.0.0.1', port: 2222 },
    knownHostsPath: '/d/k h/gabc',
  });
  expect(words.slice(-2)).toEqual(['--', '127.0.0.1']);
  expect(words).toContain('UserKnownHostsFile="/d/k h/gabc"');
  expect(words).toContain('HostKeyAlias=gabc');
  expect(words).toContain('StrictHostKeyChecking=accept-new');
});

test('a user name that could be an option or a command is refused', () => {
  for (const user of ['-oProxyCommand=x', 'a b', 'a;b', '$(x)', '', 'x'.repeat(40), 'root\n']) {
    expect(consoleTarget.safeParse({ kind: 'ssh', guest: 'g000000000', user, columns: 80, rows: 24 }).success).toBe(false);
  }
});
