/** Clones of a guest that runs or is suspended, and a snapshot's memory that a second guest goes on from, seen from inside. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import { diskOf, nicOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { checkEveryDisk } from '../support/disk-content.ts';
import { forkEngine } from '../support/fork-engine.ts';
import { addStarter, type GuestEngine, openGuestEngine, untilBooted } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

let home: string;
let engine: GuestEngine;
let id: GuestId;

const status = (guest = id) => engine.guests.show(guest).state.status;
async function inside(command: string, guest = id): Promise<string> {
  const { exitStatus, stdoutBase64, stderrBase64 } = await engine.guests.exec(guest, ['/bin/sh', '-c', command], 60);
  if (exitStatus !== 0) throw new Error(`${command}: ${Buffer.from(stderrBase64, 'base64')}`);
  return Buffer.from(stdoutBase64, 'base64').toString().trim();
}
const untilAgent = (guest = id) => until('the agent answers', () => engine.guests.show(guest).state.run?.qemuAgent || null, 120_000);
const mount = (guest: GuestId) => inside('mkdir -p /mnt/one; [ -e /mnt/one/lost+found ] || mount /dev/vdb /mnt/one', guest);
async function clone(name: string, more: { keepSnapshot?: boolean } = {}): Promise<GuestId> {
  const { guests, job } = await engine.clones.clone({ guest: id, name, newIdentity: false, ...more }, 'test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded', error: null });
  return guests[0]?.id as GuestId;
}
const layerCount = () => readdirSync(engine.layout.layers).length;
const snapshotNames = () => engine.snapshots.tree(id).snapshots.map(({ name }) => name);
async function remove(guest: GuestId): Promise<void> {
  await engine.guests.forceOff(guest).catch(() => undefined);
  await engine.guests.delete(guest);
  await engine.jobs.ended((await engine.guests.purge(guest, 'test')).id);
}

beforeAll(async () => {
  home = await mkdtemp('/tmp/gh-');
  engine = await openGuestEngine(home);
  execFileSync('mkdir', ['-p', engine.layout.layers, engine.layout.trash]);
  const second = diskOf({ id: 'disk1', location: { kind: 'store', file: 'disk1.qcow2' }, sizeBytes: 64 * 2 ** 20, bootOrder: null });
  id = await addStarter(engine, {
    name: 'Original',
    disks: [diskOf({ sizeBytes: 2 ** 30 }), second],
    nics: [nicOf({ forwards: [] })],
    agents: { qemu: true, spice: false },
  });
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', engine.layout.guest(id).disk('disk1.qcow2'), '64M']);
  await engine.guests.start(id);
  (await untilBooted(engine, id)).detach();
  await untilAgent();
  await inside('mke2fs -q -F /dev/vdb && mkdir -p /mnt/one && mount /dev/vdb /mnt/one');
}, 240_000);
afterAll(async () => {
  for (const { id: each } of engine.guests.list()) await engine.guests.forceOff(each).catch(() => undefined);
  await engine.close();
  await rm(home, { recursive: true, force: true });
}, 120_000);

test('a clone of a running guest boots from its disks of one instant, at rest, and neither notices the other', async () => {
  await inside('echo then > /mnt/one/file');
  const plan = await engine.clones.plan({ guest: id, name: 'Copy' });
  expect(plan).toMatchObject({ moment: 'quiesced', share: true });
  expect(plan.copyProblem).toContain('cannot be copied whole');
  const known = layerCount();
  const copy = await clone('Copy');
  expect(status()).toBe('running');
  expect(snapshotNames()).toEqual([]);
  expect(layerCount()).toBe(known + 2);
  await inside('echo now > /mnt/one/file; sync');
  await engine.guests.start(copy);
  await untilAgent(copy);
  // Clean: nothing has to be put right at the first mount.
  expect(await inside('dumpe2fs -h /dev/vdb 2>/dev/null | grep -i "filesystem state" || true', copy)).not.toContain('not clean');
  await mount(copy);
  expect(await inside('cat /mnt/one/file', copy)).toBe('then');
  await inside('echo scribbled > /mnt/one/file; sync', copy);
  expect(await inside('echo 3 > /proc/sys/vm/drop_caches; cat /mnt/one/file')).toBe('now');
  const [mine, its] = [id, copy].map((guest) => engine.guests.show(guest).spec.nics[0]?.mac);
  expect(its).not.toBe(mine);
  checkEveryDisk(engine.layout);
  await remove(copy);
}, 240_000);

test('the snapshot that a clone was made from stays when that is asked for, and copying whole is refused', async () => {
  const copy = await clone('With snapshot', { keepSnapshot: true });
  expect(snapshotNames()).toEqual(['Cloned as With snapshot']);
  expect(engine.snapshots.tree(id).snapshots[0]).toMatchObject({ reason: 'user', quiesced: true, state: 'ready' });
  await expect(engine.clones.clone({ guest: id, name: 'Whole', share: false }, 'test')).rejects.toMatchObject({
    error: { code: 'guest/denied', path: 'share' },
  });
  expect(
    engine.guests
      .list()
      .map(({ spec }) => spec.name)
      .sort(),
  ).toEqual(['Original', 'With snapshot']);
  await remove(copy);
  for (const one of engine.snapshots.tree(id).snapshots) engine.snapshots.delete(one.id);
}, 120_000);

test('a paused and a suspended guest are cloned as after a power cut, and go on from where they were', async () => {
  await inside('echo in-memory > /tmp/memory; echo saved > /mnt/one/file; sync');
  await engine.guests.pause(id);
  expect(await engine.clones.plan({ guest: id, name: 'Paused' })).toMatchObject({ moment: 'power-cut' });
  await remove(await clone('Paused'));
  expect(status()).toBe('paused');
  await engine.guests.resume(id);
  expect((await engine.jobs.ended((await engine.guests.suspend(id, 'test')).id)).state).toBe('succeeded');
  expect(await engine.clones.plan({ guest: id, name: 'Suspended' })).toMatchObject({ moment: 'suspended' });
  const copy = await clone('Suspended');
  expect([status(), status(copy)]).toEqual(['suspended', 'off']);
  await engine.guests.start(copy);
  await untilAgent(copy);
  await mount(copy);
  expect(await inside('cat /mnt/one/file; ls /tmp/memory 2>/dev/null || true', copy)).toBe('saved');
  await engine.guests.start(id);
  await untilAgent();
  expect(await inside('cat /tmp/memory')).toBe('in-memory');
  await remove(copy);
  checkEveryDisk(engine.layout);
}, 240_000);

test('an engine killed while a running guest is cloned leaves whole clones or none, and no half snapshot', async () => {
  await inside('echo in-memory > /tmp/memory');
  for (const afterMs of [30, 90, 150, 260].map((ms) => ms + Math.floor(Math.random() * 40))) {
    const said = `killed after ${afterMs} ms`;
    await engine.close();
    const other = await forkEngine(home);
    await other.orderAndKill({ verb: 'clone', id, name: `Killed ${afterMs}` }, afterMs);
    engine = await openGuestEngine(home);
    await until('the jobs have ended', () => engine.jobs.list().every(({ endedAt }) => endedAt !== null) || null);
    expect([said, status()]).toEqual([said, 'running']);
    expect([said, snapshotNames()]).toEqual([said, []]);
    const made = engine.guests.list().filter((guest) => guest.id !== id);
    expect([said, made.map((guest) => guest.state.status).filter((one) => one !== 'off')]).toEqual([said, []]);
    for (const guest of made) expect(existsSync(engine.layout.guest(guest.id).disk('disk1.qcow2'))).toBe(true);
    checkEveryDisk(engine.layout);
    for (const guest of made) await remove(guest.id);
  }
  await untilAgent();
  expect(await inside('cat /tmp/memory')).toBe('in-memory');
}, 240_000);

test('a snapshot opened from its memory goes on from that moment beside the original, with a network that leads nowhere', async () => {
  await inside('echo only-in-memory > /tmp/moment; sleep 1000 </dev/null >/dev/null 2>&1 & echo $! > /tmp/pid; echo then > /mnt/one/file');
  const { snapshot, job } = await engine.snapshots.create(id, { name: 'Moment', memory: true }, 'test');
  expect((await engine.jobs.ended(job.id)).state).toBe('succeeded');
  await inside('rm /tmp/moment; echo now > /mnt/one/file; sync');
  const memory = statSync(engine.layout.guest(id).snapshot(snapshot.id).memory);

  const opened = await engine.snapshots.open(snapshot.id, true, 'test');
  const copy = opened.guest.id;
  expect(await engine.jobs.ended(opened.job.id)).toMatchObject({ state: 'succeeded', error: null });
  expect([status(), status(copy)]).toEqual(['running', 'running']);
  await untilAgent(copy);
  expect(await inside('cat /tmp/moment /mnt/one/file; kill -0 $(cat /tmp/pid) && echo alive', copy)).toBe('only-in-memory\nthen\nalive');
  const mac = async (guest: GuestId) => inside('cat /sys/class/net/e*/address', guest);
  expect(await mac(copy)).toBe(await mac(id));
  const card = engine.guests.show(copy).spec.nics[0];
  expect(card).toMatchObject({ mode: 'user', restricted: true, forwards: [] });
  // What QEMU says of the network that the card is on.
  const network = await engine.guests.expert(copy, 'human-monitor-command', { 'command-line': 'info network' });
  expect(String(network)).toContain('restrict=on');
  await inside('echo scribbled > /mnt/one/file; sync', copy);
  expect(await inside('cat /mnt/one/file')).toBe('now');

  await engine.guests.forceOff(copy);
  await until('the clone is gone', () => !engine.guests.list().some((one) => one.id === copy) || null);
  const after = statSync(engine.layout.guest(id).snapshot(snapshot.id).memory);
  expect([after.ino, after.size, after.nlink]).toEqual([memory.ino, memory.size, 1]);
  await engine.jobs.ended((await engine.snapshots.revert(snapshot.id, { keepPresent: false, forceOff: true }, 'test')).id);
  await engine.guests.start(id);
  await untilAgent();
  expect(await inside('cat /tmp/moment /mnt/one/file')).toBe('only-in-memory\nthen');
  checkEveryDisk(engine.layout);
}, 240_000);

test('memory is not gone on from where there is none, and nothing is made', async () => {
  const { snapshot, job } = await engine.snapshots.create(id, { name: 'Without' }, 'test');
  await engine.jobs.ended(job.id);
  await expect(engine.snapshots.open(snapshot.id, true, 'test')).rejects.toMatchObject({ error: { code: 'guest/denied', path: 'memory' } });
  expect(engine.guests.list()).toHaveLength(1);
}, 60_000);
