/** What another user of the same computer gets to see and reach: nothing. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { askEngine } from '../../main/client/start-engine.ts';
import { makeStarterGuest } from '../support/starter-guest.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

/** What a user whom nobody knows may do with `path`: "r" read or list, "w" write or connect, "x" enter. */
function rightsOfNobody(path: string): string {
  const script = 'for right in r w x; do if [ -$right "$1" ]; then printf $right; fi; done';
  return spawnSync('/bin/sh', ['-c', script, 'sh', path], { uid: 65_534, gid: 65_534, encoding: 'utf8' }).stdout;
}

function everythingBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}

/** Ports on which a process listens, of TCP and TCP over IPv6. */
function listeningPorts(pid: number): number[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      // 0A is the state LISTEN of proc_net_tcp(5).
      .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
      .map((fields) => Number.parseInt(fields[1]?.split(':').at(-1) ?? '', 16)),
  );
}

test('another user can neither enter the data folder nor reach a socket in it, even if the folder above is open to all', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) return skip('only root can try as another user');
  const home = await engineHome();
  const client = await connect(home);
  const { id } = await makeStarterGuest(client, 'Private');
  await client.call('guest.start', { guest: id });
  const { spiceSocketPath } = await client.call('guest.consoles', { guest: id });
  // Whoever sets GUESTHOUSE_HOME may have made that folder for all to see.
  chmodSync(home, 0o755);
  const paths = everythingBelow(home);
  expect(paths).toContain(spiceSocketPath);
  expect(paths).toContain(join(home, 'run', 'engine.sock'));
  expect(paths.length).toBeGreaterThan(12);
  for (const path of paths) expect([path, rightsOfNobody(path)]).toEqual([path, '']);
  client.close();
}, 120_000);

test('neither the engine nor a guest without port forwards listens on a port', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const { pid } = await askEngine(client);
  const { id } = await makeStarterGuest(client, 'Silent');
  await client.call('guest.start', { guest: id });
  const qemu = (await client.call('guest.show', { guest: id })).state.run?.pid ?? 0;
  expect(statSync(`/proc/${qemu}`).isDirectory()).toBe(true);
  const { spec } = await client.call('guest.show', { guest: id });
  const forwards = spec.nics.flatMap((nic) => nic.forwards.map((forward) => forward.hostPort));
  expect(listeningPorts(pid)).toEqual([]);
  expect(listeningPorts(qemu)).toEqual(forwards);
  client.close();
}, 120_000);
