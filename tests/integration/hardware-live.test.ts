/** Hardware changed while the guest runs, through the whole engine; what came of it is looked at inside the guest and on this computer. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CallInput, CallOutput } from '../../contract/calls.ts';
import type { HardwareChange } from '../../contract/guest-hardware.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { freePort } from '../support/free-port.ts';
import { ended, succeeded } from '../support/outcomes.ts';
import { makeStarterGuest, untilAgent } from '../support/starter-guest.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const mib = 1024 ** 2;
/** Where an ISO has its name: ECMA-119, 8.4.7. */
const labelAt = 16 * 2048 + 40;

async function openEngine() {
  const home = await engineHome();
  const client = await connect(home);
  onTestFinished(() => client.close());
  return { home, client };
}

/** A starter guest with the hardware that the test wants. */
async function starterWith(client: EngineClient, change: HardwareChange): Promise<GuestId> {
  const { id } = await makeStarterGuest(client, 'Starter');
  await edit(client, id, change);
  return id;
}

async function start(client: EngineClient, guest: GuestId): Promise<void> {
  await client.call('guest.start', { guest }, { timeoutMs: 60_000 });
  await untilAgent(client, guest);
}

/** Edits and waits for its job; gives what was planned. @throws the job's error */
async function edit(client: EngineClient, guest: GuestId, change: HardwareChange): Promise<CallOutput<'guest.edit'>['changes']> {
  return finish(client, await client.call('guest.edit', { guest, change } satisfies CallInput<'guest.edit'>));
}

async function finish(client: EngineClient, { job, changes }: CallOutput<'guest.edit'>) {
  if (!job) return changes;
  const { state, error } = await ended(client, job);
  if (state !== 'succeeded') throw Object.assign(new Error(error?.message ?? state), { error });
  return changes;
}

async function inside(client: EngineClient, guest: GuestId, command: string): Promise<string> {
  const { stdoutBase64 } = await client.call('guest.exec', { guest, command: ['/bin/sh', '-c', command], timeoutSeconds: 30 });
  return Buffer.from(stdoutBase64, 'base64').toString('utf8').trim();
}

const specOf = async (client: EngineClient, guest: GuestId) => (await client.call('guest.show', { guest })).spec;

function connects(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      settle(true);
    });
    socket.once('error', () => settle(false));
  });
}

test('a disk is added to a guest that runs, grows there, and is taken out and brought back with what is on it', async () => {
  const { home, client } = await openEngine();
  const guest = await starterWith(client, {});
  await start(client, guest);

  const { disks } = await specOf(client, guest);
  const changes = await edit(client, guest, { disks: [...disks, { sizeBytes: 64 * mib }] });
  expect(changes).toEqual([{ path: 'disks.disk1', kind: 'added', when: 'now', why: null }]);
  const size = 'cat /sys/block/vdb/size 2>/dev/null';
  await until('the guest sees the disk', async () => (await inside(client, guest, size)) === String((64 * mib) / 512));
  await inside(client, guest, 'echo kept-bytes > /dev/vdb; sync');

  const added = await specOf(client, guest);
  await edit(client, guest, { disks: added.disks.map((disk) => (disk.id === 'disk1' ? { ...disk, sizeBytes: 96 * mib } : disk)) });
  await until('the guest sees the disk grow', async () => (await inside(client, guest, size)) === String((96 * mib) / 512));

  await edit(client, guest, { disks });
  await until('the disk is gone from the guest', async () => (await inside(client, guest, size)) === '');
  const folder = join(home, 'guests', guest);
  const names = readdirSync(folder);
  expect(names.some((name) => name.startsWith('disk1'))).toBe(false);
  expect(names.some((name) => name.startsWith('removed-disk1'))).toBe(true);

  await finish(client, await client.call('guest.undoEdit', { guest }));
  await until('the disk is back', async () => (await inside(client, guest, size)) === String((96 * mib) / 512));
  expect(await inside(client, guest, 'head -c 10 /dev/vdb')).toBe('kept-bytes');
  await client.call('guest.forceOff', { guest });
  const file = readdirSync(folder).find((name) => name.startsWith('disk1')) ?? '';
  expect(execFileSync('qemu-img', ['check', join(folder, file)]).toString()).toContain('No errors');
});

test('a port forward of a guest that runs comes and goes at once', async () => {
  const { client } = await openEngine();
  const guest = await starterWith(client, {});
  await client.call('guest.start', { guest }, { timeoutMs: 60_000 });
  const { nics } = await specOf(client, guest);
  const hostPort = await freePort();
  const forwards = [{ protocol: 'tcp' as const, hostAddress: '127.0.0.1', hostPort, guestPort: 22 }];
  const [nic] = nics;
  if (!nic) throw new Error('The starter has no network card.');
  expect(await edit(client, guest, { nics: [{ ...nic, forwards }] })).toMatchObject([{ path: 'nics.nic0.forwards', when: 'now' }]);
  expect(await connects(hostPort)).toBe(true);
  await edit(client, guest, { nics: [{ ...nic, forwards: [] }] });
  expect(await connects(hostPort)).toBe(false);
  await client.call('guest.undoEdit', { guest });
  expect(await connects(hostPort)).toBe(true);
});

test('processors and memory are added to a guest that started with room for them', async (context) => {
  if (cpus().length < 2) context.skip('there is one processor only');
  const { client } = await openEngine();
  const guest = await starterWith(client, {
    cpu: { sockets: 1, cores: 2, threads: 1, online: 1 },
    memoryMiB: 256,
    memoryMaxMiB: 1024,
  });
  await start(client, guest);
  expect(await inside(client, guest, 'cat /sys/devices/system/cpu/present')).toBe('0');
  const before = Number(await inside(client, guest, "awk '/MemTotal/{print $2}' /proc/meminfo"));

  expect(await edit(client, guest, { cpu: { online: 2 }, memoryMiB: 512 })).toMatchObject([
    { path: 'cpu.online', when: 'now' },
    { path: 'memoryMiB', when: 'now' },
  ]);
  await until('the guest works with the second processor', async () => (await inside(client, guest, 'nproc')) === '2');
  const total = async () => Number(await inside(client, guest, "awk '/MemTotal/{print $2}' /proc/meminfo"));
  await until('the guest works with the memory', async () => (await total()) > before + 200 * 1024);
  // Nothing could give it the very same again.
  const job = await client.call('guest.suspend', { guest });
  expect(await ended(client, job)).toMatchObject({ state: 'failed', error: { code: 'guest/denied' } });
  expect((await client.call('guest.show', { guest })).state.status).toBe('running');
});

test('a CD is put in, changed and taken out, and one that the guest holds stays', async () => {
  const { home, client } = await openEngine();
  const guest = await starterWith(client, {});
  const iso = join(home, 'first.iso');
  const other = join(home, 'other.iso');
  for (const [path, label] of [
    [iso, 'FIRST'],
    [other, 'OTHER'],
  ] as const) {
    const bytes = readFileSync('/usr/lib/memtest86+/memtest86+x64.iso');
    bytes.write(label, labelAt);
    writeFileSync(path, bytes);
  }
  await start(client, guest);
  const label = `dd if=/dev/sr0 bs=1 skip=${labelAt} count=5 2>/dev/null`;
  const insert = (path: string | null) =>
    specOf(client, guest).then(({ cdDrives: [drive] }) => {
      if (!drive) throw new Error('The starter has no CD drive.');
      return edit(client, guest, { cdDrives: [{ ...drive, medium: path === null ? null : { kind: 'in-place', path } }] });
    });
  await insert(iso);
  await until('the guest reads the first CD', async () => (await inside(client, guest, label)) === 'FIRST');
  await insert(other);
  await until('the guest reads the other CD', async () => (await inside(client, guest, label)) === 'OTHER');

  // Linux locks the door of a drive that somebody reads.
  const reader = await inside(client, guest, 'sleep 600 < /dev/sr0 > /dev/null 2>&1 & echo $!');
  await expect(insert(null)).rejects.toMatchObject({ error: { code: 'guest/device-busy' } });
  expect((await specOf(client, guest)).cdDrives[0]?.medium).toMatchObject({ path: other });
  expect(await inside(client, guest, label)).toBe('OTHER');
  await inside(client, guest, `kill ${reader}`);
  await insert(null);
  await until('the drive is empty', async () => (await inside(client, guest, label)) === '');

  await expect(insert(join(home, 'none.iso'))).rejects.toMatchObject({ error: { code: 'image/file-missing' } });
  expect((await specOf(client, guest)).cdDrives[0]?.medium).toBeNull();
});

test('a network card comes, loses its cable and goes', async () => {
  const { client } = await openEngine();
  const guest = await starterWith(client, {});
  await start(client, guest);
  const { nics } = await specOf(client, guest);
  const count = 'ls /sys/class/net | grep -vc lo';
  expect(await edit(client, guest, { nics: [...nics, {}] })).toMatchObject([{ path: 'nics.nic1', when: 'now' }]);
  await until('the guest has two cards', async () => (await inside(client, guest, count)) === '2');
  const two = (await specOf(client, guest)).nics;
  const added = two[1];
  if (!added) throw new Error('The card is not in the spec.');
  const find = `for card in /sys/class/net/*; do if [ "$(cat $card/address)" = ${added.mac} ]; then echo \${card##*/}; fi; done`;
  const card = await inside(client, guest, find);
  const carrier = `ip link set ${card} up; cat /sys/class/net/${card}/carrier`;
  await until('the cable is in', async () => (await inside(client, guest, carrier)) === '1');
  await edit(client, guest, { nics: two.map((one) => (one.id === 'nic1' ? { ...one, linkUp: false } : one)) });
  await until('the cable is out', async () => (await inside(client, guest, carrier)) === '0');
  await edit(client, guest, { nics });
  await until('the guest has one card again', async () => (await inside(client, guest, count)) === '1');
});

test('what fails on a running guest is taken back as a whole, and the error names the device', async () => {
  const { home, client } = await openEngine();
  const guest = await starterWith(client, {});
  await start(client, guest);
  const before = await specOf(client, guest);
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as { port: number };
  const [nic] = before.nics;
  if (!nic) throw new Error('The starter has no network card.');
  const free = await freePort();
  const forwards = [free, port].map((hostPort) => ({ protocol: 'tcp' as const, hostAddress: '127.0.0.1', hostPort, guestPort: 22 }));
  const refused = edit(client, guest, { disks: [...before.disks, { sizeBytes: 64 * mib }], nics: [{ ...nic, forwards }] });
  await expect(refused).rejects.toMatchObject({ error: { code: 'guest/port-taken', path: 'nics.nic0.forwards.1.hostPort' } });

  // As the driver finds it when the port is only taken after the checks: the bus of the disk has no such device.
  const file = join(home, 'guests', guest, 'disk1.qcow2');
  const busy = edit(client, guest, { disks: [...before.disks, { sizeBytes: 64 * mib }, { path: join(home, 'gone.raw') }] });
  await expect(busy).rejects.toMatchObject({ error: { code: 'image/file-missing' } });
  expect(existsSync(file)).toBe(false);
  expect(await specOf(client, guest)).toEqual(before);
  expect(await connects(free)).toBe(false);
  expect(await inside(client, guest, 'ls /sys/block | grep -c vdb')).toBe('0');
});

test('an edit whose engine is killed is carried on by the next engine', async () => {
  const { home, client } = await openEngine();
  const guest = await starterWith(client, {});
  await start(client, guest);
  const { disks } = await specOf(client, guest);
  const { job } = await client.call('guest.edit', {
    guest,
    change: { disks: [...disks, { sizeBytes: 64 * mib }, { sizeBytes: 32 * mib }] },
  });
  if (!job) throw new Error('There is no job.');
  await killEngine(client);
  const next = await connect(home);
  onTestFinished(() => next.close());
  await succeeded(next, job);
  await untilAgent(next, guest);
  await until('the guest has both disks', async () => (await inside(next, guest, 'ls /sys/block | grep -c "^vd"')) === '3');
  expect((await specOf(next, guest)).disks.map(({ id }) => id)).toEqual(['disk0', 'disk1', 'disk2']);
  expect(await next.call('guest.edits', { guest })).toHaveLength(1);
});

test('a guest has the NUMA nodes that it was given, with their processors and memory', async (context) => {
  if (cpus().length < 2) context.skip('there is one processor only');
  const { client } = await openEngine();
  const guest = await starterWith(client, { cpu: { sockets: 2, cores: 1, threads: 1 }, memoryMiB: 512, numaNodes: 2 });
  await start(client, guest);
  expect(await inside(client, guest, 'cat /sys/devices/system/node/online')).toBe('0-1');
  expect(await inside(client, guest, 'cat /sys/devices/system/node/node1/cpulist')).toBe('1');
  const sizes = (await inside(client, guest, "cat /sys/devices/system/node/node*/meminfo | awk '/MemTotal/{print $4}'"))
    .split('\n')
    .map(Number);
  for (const kib of sizes) expect(kib).toBeGreaterThan(150 * 1024);
  await expect(edit(client, guest, { cpu: { sockets: 1 } })).resolves.toMatchObject([{ path: 'cpu.sockets', when: 'next-start' }]);
  await expect(edit(client, guest, { numaNodes: 3 })).rejects.toMatchObject({ error: { code: 'guest/spec-invalid', path: 'numaNodes' } });
});

test('what waits for the next start shows as such, and is there after it', async () => {
  const { client } = await openEngine();
  const guest = await starterWith(client, {});
  await client.call('guest.start', { guest }, { timeoutMs: 60_000 });
  const { memoryMiB } = await specOf(client, guest);
  await edit(client, guest, { memoryMiB: memoryMiB + 64 });
  expect((await client.call('guest.show', { guest })).pending).toEqual([{ path: 'memoryMiB', kind: 'changed' }]);
  await client.call('guest.forceOff', { guest });
  expect((await client.call('guest.show', { guest })).pending).toBeUndefined();
  const { arguments: argv } = await client.call('guest.arguments', { guest });
  expect(argv).toContain(`size=${memoryMiB + 64}M`);
});
