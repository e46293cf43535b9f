/** Snapshots of a guest that runs: seen from inside it through its agent, with and without memory, and with QEMU or engines killed in the midst. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GuestSnapshot } from '../../contract/guest-snapshot.ts';
import type { GuestId, SnapshotId } from '../../contract/ids.ts';
import { diskOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { findQemu } from '../../main/engine/drivers/qemu/find-qemu.ts';
import { checkEveryDisk } from '../support/disk-content.ts';
import { forkEngine } from '../support/fork-engine.ts';
import { addStarter, type GuestEngine, openGuestEngine, untilBooted, untilStatus } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

let home: string;
let engine: GuestEngine;
let id: GuestId;

const files = () => engine.layout.guest(id);
const status = () => engine.guests.show(id).state.status;

async function inside(command: string): Promise<string> {
  const { exitStatus, stdoutBase64, stderrBase64 } = await engine.guests.exec(id, ['/bin/sh', '-c', command], 60);
  if (exitStatus !== 0) throw new Error(`${command}: ${Buffer.from(stderrBase64, 'base64')}`);
  return Buffer.from(stdoutBase64, 'base64').toString().trim();
}
const untilAgent = () => until('the agent answers', () => engine.guests.show(id).state.run?.qemuAgent || null, 120_000);

async function take(name: string, memory = false): Promise<GuestSnapshot> {
  const { snapshot, job } = await engine.snapshots.create(id, { name, memory }, 'test');
  const ended = await engine.jobs.ended(job.id);
  if (ended.state !== 'succeeded') throw new Error(`${ended.error?.message} ${ended.error?.detail}`);
  return engine.snapshots.show(snapshot.id);
}
async function goBack(snapshot: SnapshotId): Promise<void> {
  const job = await engine.jobs.ended((await engine.snapshots.revert(snapshot, { keepPresent: false, forceOff: true }, 'test')).id);
  if (job.state !== 'succeeded') throw new Error(`${job.error?.message} ${job.error?.detail}`);
}
const mounts = [
  ['/dev/vdb', '/mnt/one'],
  ['/dev/vdc', '/mnt/two'],
] as const;
async function startAgain(): Promise<void> {
  await engine.guests.start(id);
  await untilAgent();
  // The system itself lives in memory, so after a boot nothing is mounted.
  for (const [device, folder] of mounts) await inside(`mkdir -p ${folder}; [ -e ${folder}/lost+found ] || mount ${device} ${folder}`);
}
async function reopen(): Promise<void> {
  engine = await openGuestEngine(home);
}

beforeAll(async () => {
  home = await mkdtemp('/tmp/gh-');
  engine = await openGuestEngine(home);
  execFileSync('mkdir', ['-p', engine.layout.layers, engine.layout.trash]);
  const more = ['disk1', 'disk2'].map((disk) =>
    diskOf({
      id: disk,
      location: { kind: 'store', file: `${disk}.qcow2` },
      sizeBytes: 64 * 2 ** 20,
      bootOrder: null,
      iothread: disk === 'disk2',
    }),
  );
  id = await addStarter(engine, { name: 'Live', disks: [diskOf({ sizeBytes: 2 ** 30 }), ...more], agents: { qemu: true, spice: false } });
  for (const disk of ['disk1', 'disk2']) execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', files().disk(`${disk}.qcow2`), '64M']);
  await engine.guests.start(id);
  (await untilBooted(engine, id)).detach();
  await untilAgent();
  await inside(
    'mke2fs -q -F /dev/vdb && mke2fs -q -F /dev/vdc && mkdir -p /mnt/one /mnt/two && mount /dev/vdb /mnt/one && mount /dev/vdc /mnt/two',
  );
}, 240_000);
afterAll(async () => {
  await engine.guests.forceOff(id).catch(() => undefined);
  await engine.close();
  await rm(home, { recursive: true, force: true });
}, 120_000);

test('a snapshot of a guest that writes is of both disks at one instant, at rest, and the guest notices nothing', async () => {
  // Each number is in the first disk before it is in the second one, so at any instant the first is ahead by one at most.
  await inside(
    'touch /tmp/go; (i=0; while [ -e /tmp/go ]; do i=$((i+1)); echo $i > /mnt/one/n; sync; echo $i > /mnt/two/n; sync; done) </dev/null >/dev/null 2>&1 &',
  );
  const written = async () => Number(await inside('cat /mnt/one/n 2>/dev/null || echo 0'));
  await until('the guest writes', async () => (await written()) > 10, 60_000);
  const made = await take('While writing');
  expect(made).toMatchObject({ guestWas: 'running', quiesced: true, withMemory: false, state: 'ready' });
  expect(status()).toBe('running');
  const before = await until('the guest has written a number', written);
  await until('the guest goes on writing', async () => (await written()) > before);
  await inside('rm /tmp/go');
  await goBack(made.id);
  await startAgain();
  const [first, second] = (await inside('cat /mnt/one/n /mnt/two/n')).split('\n').map(Number) as [number, number];
  expect(first).toBeLessThanOrEqual(before);
  expect([0, 1]).toContain(first - second);
}, 240_000);

test('with memory a guest goes on from the very moment, with what was only in memory', async () => {
  await inside(
    'echo kept > /mnt/one/file; mkdir -p /tmp/m; mount -t tmpfs none /tmp/m; echo only-in-memory > /tmp/m/file; sleep 1000 </dev/null >/dev/null 2>&1 & echo $! > /tmp/m/pid',
  );
  const made = await take('With memory', true);
  expect(made).toMatchObject({ withMemory: true, guestWas: 'running' });
  expect(made.sizeBytes).toBeGreaterThan(10 * 2 ** 20);
  expect(status()).toBe('running');
  await inside('echo changed > /mnt/one/file; rm /tmp/m/file; sync');
  await goBack(made.id);
  expect(status()).toBe('suspended');
  await startAgain();
  expect(await inside('cat /mnt/one/file /tmp/m/file; kill -0 $(cat /tmp/m/pid) && echo alive')).toBe('kept\nonly-in-memory\nalive');
  // The memory is still the snapshot's: it can be gone back to again.
  await goBack(made.id);
  await startAgain();
  expect(await inside('cat /tmp/m/file')).toBe('only-in-memory');
}, 240_000);

test('a paused guest stays paused, and snapshots can follow each other', async () => {
  await engine.guests.pause(id);
  const first = await take('Paused', true);
  expect(first.guestWas).toBe('paused');
  expect(status()).toBe('paused');
  await take('Paused again', true);
  await take('Paused without');
  expect(status()).toBe('paused');
  await engine.guests.resume(id);
  expect(await inside('echo goes on > /mnt/one/file; cat /mnt/one/file')).toBe('goes on');
  for (let count = 0; count < 3; count++) await take(`Quick ${count}`);
  expect(await inside('sync; cat /mnt/one/file')).toBe('goes on');
}, 240_000);

test('cancelled while memory is saved the guest goes on, and nothing of the snapshot is left', async () => {
  const known = engine.snapshots.tree(id).snapshots.map((one) => one.id);
  const { snapshot, job } = await engine.snapshots.create(id, { name: 'Cancelled', memory: true }, 'test');
  await until('memory is being saved', () => (existsSync(`${files().snapshot(snapshot.id).memory}.new`) ? true : null));
  engine.jobs.cancel(job.id, 'The test wants it so.');
  expect((await engine.jobs.ended(job.id)).state).toBe('cancelled');
  expect(engine.snapshots.tree(id).snapshots.map((one) => one.id)).toEqual(known);
  expect(existsSync(files().snapshot(snapshot.id).folder)).toBe(false);
  await untilStatus(engine, id, 'running');
  expect(await inside('echo after > /mnt/one/after; sync; cat /mnt/one/after')).toBe('after');
}, 240_000);

test('QEMU killed while a snapshot is made leaves a crashed guest that starts with what it had, and no half snapshot', async () => {
  await inside('echo precious > /mnt/one/precious; sync');
  const known = engine.snapshots.tree(id).snapshots.map((one) => one.id);
  const { snapshot, job } = await engine.snapshots.create(id, { name: 'Killed', memory: true }, 'test');
  await until('memory is being saved', () => (existsSync(`${files().snapshot(snapshot.id).memory}.new`) ? true : null));
  process.kill(findQemu(files())?.pid as number, 'SIGKILL');
  expect((await engine.jobs.ended(job.id)).state).toBe('failed');
  await untilStatus(engine, id, 'crashed');
  expect(engine.snapshots.tree(id).snapshots.map((one) => one.id)).toEqual(known);
  checkEveryDisk(engine.layout);
  await startAgain();
  expect(await inside('cat /mnt/one/precious')).toBe('precious');
}, 240_000);

test('an engine killed while a snapshot is made leaves a guest that runs and a snapshot that is whole or not there', async () => {
  await inside('echo kept > /mnt/one/kept; echo here > /tmp/here; sync');
  for (const [memory, afterMs] of [
    [false, 20 + Math.floor(Math.random() * 150)],
    [true, 50 + Math.floor(Math.random() * 600)],
    [true, 100 + Math.floor(Math.random() * 1500)],
  ] as const) {
    await engine.close();
    const other = await forkEngine(home);
    await other.orderAndKill({ verb: 'snapshot', id, memory }, afterMs);
    await reopen();
    const said = `killed after ${afterMs} ms`;
    expect([said, status()]).toEqual([said, 'running']);
    const { snapshots } = engine.snapshots.tree(id);
    for (const { state, withMemory, id: one } of snapshots) {
      expect(state).toBe('ready');
      if (withMemory) expect(existsSync(files().snapshot(one).memory)).toBe(true);
    }
    await untilAgent();
    expect(await inside('cat /tmp/here /mnt/one/kept; echo more >> /mnt/one/kept; sync')).toContain('here\nkept');
  }
  checkEveryDisk(engine.layout);
}, 240_000);

test('a snapshot opened as a disposable clone is a guest of its own, and is as it was when that is gone', async () => {
  await inside('echo then > /mnt/one/opened; sync');
  const made = await take('To be opened');
  await inside('echo now > /mnt/one/opened; sync');
  await engine.guests.forceOff(id);
  const { guest, job } = await engine.snapshots.open(made.id, false, 'test');
  expect((await engine.jobs.ended(job.id)).state).toBe('succeeded');
  expect(guest.id).not.toBe(id);
  await until('the agent of the clone answers', () => engine.guests.show(guest.id).state.run?.qemuAgent || null, 120_000);
  const command = 'mkdir -p /mnt/one && mount /dev/vdb /mnt/one && cat /mnt/one/opened && echo scribbled > /mnt/one/opened && sync';
  const { stdoutBase64 } = await engine.guests.exec(guest.id, ['/bin/sh', '-c', command], 60);
  expect(Buffer.from(stdoutBase64, 'base64').toString().trim()).toBe('then');
  await engine.guests.forceOff(guest.id);
  await until('the clone is gone', () => !engine.guests.list().some((one) => one.id === guest.id) || null);
  checkEveryDisk(engine.layout);
  await startAgain();
  expect(await inside('cat /mnt/one/opened')).toBe('now');
  await goBack(made.id);
  await startAgain();
  expect(await inside('cat /mnt/one/opened')).toBe('then');
}, 240_000);

test('disks are clean, and what was deleted is tidied once the guest is off', async () => {
  for (const { id: snapshot } of engine.snapshots.tree(id).snapshots) engine.snapshots.delete(snapshot);
  await inside('echo last > /mnt/one/last; sync');
  await engine.guests.forceOff(id);
  checkEveryDisk(engine.layout);
  await engine.close();
  await reopen();
  await startAgain();
  expect(await inside('cat /mnt/one/last')).toBe('last');
}, 240_000);
