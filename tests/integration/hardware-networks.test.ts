/** Isolated networks between real guests. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { makeStarterGuest, untilAgent } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

async function run(client: EngineClient, guest: GuestId, command: string): Promise<number> {
  return (await client.call('guest.exec', { guest, command: ['/bin/sh', '-c', command], timeoutSeconds: 30 })).exitStatus;
}

/** A guest with one card, on the network of this name. */
async function guestOn(client: EngineClient, name: string, network: string): Promise<GuestId> {
  const { id, spec } = await makeStarterGuest(client, name);
  const [nic] = spec.nics;
  if (!nic) throw new Error('The starter has no network card.');
  await client.call('guest.edit', { guest: id, change: { nics: [{ ...nic, mode: 'isolated', network }] } });
  await client.call('guest.start', { guest: id }, { timeoutMs: 60_000 });
  return id;
}

const networksIn = (home: string): string[] => readdirSync(join(home, 'run')).filter((name) => /^n[0-9a-f]{9}$/.test(name));

/** The sockets of a process that are neither Unix sockets nor anything else that stays on this computer. */
function internetSockets(pid: number): string[] {
  const tables = ['tcp', 'tcp6', 'udp', 'udp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8')).join('\n');
  const inodes = new Set(tables.split('\n').map((line) => line.trim().split(/\s+/)[9]));
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
    .filter((target) => inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? 'none'));
}

const address = (place: number) => `ip link set eth0 up; ip addr add 10.9.0.${place}/24 dev eth0`;
const reaches = (place: number) => `ping -c 1 -W 2 10.9.0.${place}`;

test('guests on one isolated network reach each other and nobody else, also when the engine died', async () => {
  const home = await engineHome();
  const first = await connect(home);
  const guests = [await guestOn(first, 'One', 'lab'), await guestOn(first, 'Two', 'lab'), await guestOn(first, 'Three', 'elsewhere')];
  const [one, two, three] = guests;
  if (!one || !two || !three) throw new Error('The guests are not there.');
  for (const guest of guests) await untilAgent(first, guest);
  for (const [index, guest] of guests.entries()) expect(await run(first, guest, address(index + 1))).toBe(0);
  await until('one guest reaches the other', async () => (await run(first, one, reaches(2))) === 0);
  expect(await run(first, three, reaches(1))).not.toBe(0);
  expect(await run(first, one, reaches(3))).not.toBe(0);
  for (const network of networksIn(home))
    expect(internetSockets(Number(readFileSync(join(home, 'run', network, 'qemu.pid'), 'utf8')))).toEqual([]);

  await killEngine(first);
  const client = await connect(home);
  onTestFinished(() => client.close());
  await untilAgent(client, one);
  await until('they still reach each other', async () => (await run(client, one, reaches(2))) === 0);
  const networks = () => networksIn(home);
  expect(networks()).toHaveLength(2);
  await client.call('guest.forceOff', { guest: three });
  expect(networks()).toHaveLength(1);
  await client.call('guest.forceOff', { guest: one });
  expect(networks()).toHaveLength(1);
  await client.call('guest.forceOff', { guest: two });
  expect(networks()).toHaveLength(0);
  expect(existsSync(join(home, 'run', one))).toBe(false);
});
