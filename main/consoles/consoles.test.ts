import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Failure } from '../../contract/errors.ts';
import { type GuestId, guestId } from '../../contract/ids.ts';
import { consoleTarget } from '../../contract/shell.ts';
import type { Port } from './console-port.ts';
import { Consoles, maxConsolesPerPage } from './consoles.ts';
import type { ConsoleDirectory } from './transport.ts';

const guest = guestId.parse('g000000000');
let folder: string;
let server: Server;
let connected: Set<Socket>;
let directory: ConsoleDirectory;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gh-'));
  connected = new Set();
  server = createServer((socket) => {
    connected.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => connected.delete(socket));
    socket.resume();
  });
  const path = join(folder, 's');
  await new Promise<void>((settle) => server.listen(path, settle));
  const nowhere = () => Promise.reject(new Failure('console/unavailable', 'The guest has no serial console now.'));
  directory = { spiceSocketPath: () => Promise.resolve(path), openSerial: nowhere, openFolders: nowhere, sshEndpoint: nowhere };
});

afterEach(() => {
  for (const socket of connected) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const deafPort = (): Port => ({ post() {}, listen() {}, close() {} });
const knownHosts = (id: GuestId) => join(folder, id);

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((settle) => setImmediate(settle));
  }
}

test('all consoles of a page end with it, and those of other pages do not', async () => {
  const consoles = new Consoles<string>(directory, knownHosts);
  for (const page of ['a', 'a', 'b']) await consoles.open(page, { kind: 'spice', guest }, deafPort);
  await until(() => connected.size === 3);
  consoles.closeAll('a');
  await until(() => connected.size === 1);
  expect([consoles.openCount('a'), consoles.openCount('b')]).toEqual([0, 1]);
  consoles.closeAll('b');
});

test('a page cannot have more consoles open than the limit, and can open one again when one has ended', async () => {
  const consoles = new Consoles<string>(directory, knownHosts);
  for (let opened = 0; opened < maxConsolesPerPage; opened++) await consoles.open('a', { kind: 'spice', guest }, deafPort);
  await expect(consoles.open('a', { kind: 'spice', guest }, deafPort)).rejects.toThrow('already has 128');
  await until(() => connected.size === maxConsolesPerPage);
  const [first] = connected;
  first?.destroy();
  await until(() => consoles.openCount('a') === maxConsolesPerPage - 1);
  await consoles.open('a', { kind: 'spice', guest }, deafPort);
  consoles.closeAll('a');
});

test('a console that cannot be opened is an answer, makes no port and takes no place', async () => {
  const consoles = new Consoles<string>(directory, knownHosts);
  let ports = 0;
  const makePort = () => {
    ports++;
    return deafPort();
  };
  await expect(consoles.open('a', { kind: 'serial', guest }, makePort)).rejects.toThrow('no serial console');
  expect([ports, consoles.openCount('a')]).toEqual([0, 0]);
});

test('a page names a guest and one of its two places, and no address', async () => {
  const asked: string[] = [];
  const places = {
    ...directory,
    spiceSocketPath: (id: GuestId, place: 'home' | 'moved') => {
      asked.push(`${id} ${place}`);
      return directory.spiceSocketPath(id, place);
    },
  };
  const consoles = new Consoles<string>(places, knownHosts);
  await consoles.open('a', { kind: 'spice', guest }, deafPort);
  await consoles.open('a', { kind: 'spice', guest, place: 'moved' }, deafPort);
  expect(asked).toEqual([`${guest} home`, `${guest} moved`]);
  for (const more of [{ place: '/run/other.sock' }, { host: '192.0.2.1' }, { port: 5900 }])
    expect(consoleTarget.safeParse({ kind: 'spice', guest, ...more }).success).toBe(false);
  consoles.closeAll('a');
});

test('a page that leaves while its console is being looked for gets none', async () => {
  let answer: (path: string) => void = () => {};
  const slow = { ...directory, spiceSocketPath: () => new Promise<string>((settle) => (answer = settle)) };
  const consoles = new Consoles<string>(slow, knownHosts);
  const opening = consoles.open('a', { kind: 'spice', guest }, () => {
    throw new Error('a port was made');
  });
  consoles.closeAll('a');
  answer(join(folder, 's'));
  await opening;
  expect(consoles.openCount('a')).toBe(0);
});
