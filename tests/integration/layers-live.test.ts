/** Layers that are tidied under a guest that runs, seen from inside it and by QEMU's own tools, with engines and QEMU killed in the midst. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GuestId, SnapshotId } from '../../contract/ids.ts';
import { diskOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { findQemu } from '../../main/engine/drivers/qemu/find-qemu.ts';
import { checkEveryDisk, md5OfContent } from '../support/disk-content.ts';
import { forkEngine } from '../support/fork-engine.ts';
import { addStarter, type GuestEngine, openGuestEngine, untilBooted, untilStatus } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

let home: string;
let engine: GuestEngine;
let id: GuestId;
/** Behind the real time by default, so that what is deleted now is beyond bringing back for an engine with the real clock. */
const time = { aheadMs: -3_600_000 };
const clock = { nowMs: () => Date.now() + time.aheadMs };

const files = () => engine.layout.guest(id);
const status = () => engine.guests.show(id).state.status;
const pathOf = (disk: number) => {
  const location = engine.guests.show(id).spec.disks[disk]?.location;
  return files().disk(location?.kind === 'store' ? location.file : '');
};
/** A disk and what it builds upon, as QEMU's own tool reads it. */
const chainOf = (path: string): string[] =>
  (
    JSON.parse(execFileSync('qemu-img', ['info', '-U', '--backing-chain', '--output=json', path], { encoding: 'utf8' })) as {
      filename: string;
    }[]
  ).map(({ filename }) => resolve(filename));
const layerCount = () => readdirSync(engine.layout.layers).length;
const pidOfQemu = () => findQemu(files())?.pid as number;
/** The disk files that the guest's process has open, by their inodes; a file that was frozen has another name since. */
const openDisks = () =>
  readdirSync(`/proc/${pidOfQemu()}/fd`).flatMap((fd) => {
    const link = `/proc/${pidOfQemu()}/fd/${fd}`;
    try {
      return readlinkSync(link).includes('.qcow2') ? [statSync(link).ino] : [];
    } catch {
      return [];
    }
  });

async function inside(command: string): Promise<string> {
  const { exitStatus, stdoutBase64, stderrBase64 } = await engine.guests.exec(id, ['/bin/sh', '-c', command], 60);
  if (exitStatus !== 0) throw new Error(`${command}: ${Buffer.from(stderrBase64, 'base64')}`);
  return Buffer.from(stdoutBase64, 'base64').toString().trim();
}
const untilAgent = () => until('the agent answers', () => engine.guests.show(id).state.run?.qemuAgent || null, 120_000);
/** Fills `mib` MiB of the second and third disk from `atMiB` on. */
async function write(atMiB: number, mib: number): Promise<void> {
  const fill = (device: string) => `dd if=/dev/urandom of=${device} bs=1M seek=${atMiB} count=${mib} conv=notrunc,fsync 2>/dev/null`;
  await inside(`${fill('/dev/vdb')} && ${fill('/dev/vdc')}`);
}
/** The same, and answers the {@link sums} of both disks. */
async function writeAndSum(atMiB: number, mib: number): Promise<string> {
  await write(atMiB, mib);
  return sums();
}
/** Of both disks, past the guest's own cache. */
const sums = () => inside('echo 3 > /proc/sys/vm/drop_caches; md5sum /dev/vdb /dev/vdc');
/** What {@link sums} says, read from the files of a guest that is off, which takes no start of it. */
const sumsWhenOff = () => ['vdb', 'vdc'].map((device, index) => `${md5OfContent(pathOf(index + 1))}  /dev/${device}`).join('\n');

async function take(name: string): Promise<SnapshotId> {
  const { snapshot, job } = await engine.snapshots.create(id, { name }, 'test');
  const ended = await engine.jobs.ended(job.id);
  if (ended.state !== 'succeeded') throw new Error(`${ended.error?.message} ${ended.error?.detail}`);
  return snapshot.id;
}
const tidied = () => until('the layers are tidied', () => engine.jobs.list().every(({ endedAt }) => endedAt !== null) || null, 60_000);
async function deleteForGood(...snapshots: SnapshotId[]): Promise<void> {
  for (const snapshot of snapshots) engine.snapshots.delete(snapshot);
  time.aheadMs += 600_000;
  await engine.snapshots.tick();
}
async function startAgain(): Promise<void> {
  await engine.guests.start(id);
  await untilAgent();
}
async function goBack(snapshot: SnapshotId): Promise<void> {
  const job = await engine.jobs.ended((await engine.snapshots.revert(snapshot, { keepPresent: false, forceOff: true }, 'test')).id);
  if (job.state !== 'succeeded') throw new Error(`${job.error?.message} ${job.error?.detail}`);
}
/** Does something while QEMU is asked for its nodes all the time, as hot-plugging and snapshots do at any moment. */
async function whileNodesAreListed(work: () => Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const listing = (async () => {
    for (; !done.signal.aborted; await pause(2)) await engine.guests.expert(id, 'query-named-block-nodes', { flat: true });
  })();
  try {
    await Promise.race([work(), listing]);
  } finally {
    done.abort();
  }
  await listing;
}
async function reopen(): Promise<void> {
  engine = await openGuestEngine(home, { clock });
}

beforeAll(async () => {
  home = await mkdtemp('/tmp/gh-');
  await reopen();
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
}, 240_000);
afterAll(async () => {
  await engine.guests.forceOff(id).catch(() => undefined);
  await engine.close();
  await rm(home, { recursive: true, force: true });
}, 120_000);

test('snapshots that are deleted in the middle and at the end are tidied under a guest that runs, and it keeps nothing open', async () => {
  await write(0, 8);
  const first = await take('First');
  await write(4, 8);
  const middle = await take('Middle');
  const later = await writeAndSum(8, 8);
  const kept = await take('Kept');
  await write(12, 8);
  const last = await take('Last');
  const now = await writeAndSum(16, 4);
  expect(chainOf(pathOf(1))).toHaveLength(5);
  await deleteForGood(middle, last);
  await tidied();
  expect(status()).toBe('running');
  // Those of the first and of the kept one, and nothing else, also in what QEMU has open.
  for (const disk of [0, 1, 2]) expect(chainOf(pathOf(disk))).toHaveLength(3);
  expect(layerCount()).toBe(6);
  expect(new Set(openDisks())).toEqual(new Set([0, 1, 2].flatMap((disk) => chainOf(pathOf(disk)).map((path) => statSync(path).ino))));
  for (const name of readdirSync(engine.layout.layers))
    expect(execFileSync('stat', ['-c', '%a', `${engine.layout.layers}/${name}/disk.qcow2`], { encoding: 'utf8' }).trim()).toBe('400');
  expect(await sums()).toBe(now);
  checkEveryDisk(engine.layout);
  // Later snapshots, devices and states build upon what is left.
  const more = await take('More');
  await goBack(kept);
  expect(sumsWhenOff()).toBe(later);
  await goBack(more);
  await startAgain();
  expect(await sums()).toBe(now);
  await deleteForGood(first, kept, more);
  await tidied();
  checkEveryDisk(engine.layout);
}, 240_000);

test('whatever is asked of the guest goes first, and what was left is done afterwards', async () => {
  await write(0, 48);
  const [one] = [await take('One')];
  await write(0, 1);
  await deleteForGood(one);
  // Under way: 48 MiB at the pace that a running guest can spare.
  const merging = engine.jobs.list().find(({ kind, endedAt }) => kind === 'snapshot.tidy' && endedAt === null);
  expect(merging).toBeDefined();
  const two = await take('Two');
  const now = await sums();
  const { state } = await engine.jobs.ended((await engine.guests.suspend(id, 'test')).id);
  expect(state).toBe('succeeded');
  await startAgain();
  await tidied();
  await deleteForGood(two);
  await engine.snapshots.tick();
  await tidied();
  for (const disk of [1, 2]) expect(chainOf(pathOf(disk))).toHaveLength(1);
  expect(await sums()).toBe(now);
}, 240_000);

test('cancelled, the guest goes on, and what was copied is right', async () => {
  const before = await writeAndSum(0, 48);
  const snapshot = await take('Cancelled');
  await deleteForGood(snapshot);
  const merging = engine.jobs.list().find(({ kind, endedAt }) => kind === 'snapshot.tidy' && endedAt === null);
  await whileNodesAreListed(async () => {
    engine.jobs.cancel(merging?.id as NonNullable<typeof merging>['id'], 'The test wants it so.');
    expect((await engine.jobs.ended(merging?.id as NonNullable<typeof merging>['id'])).state).toBe('cancelled');
  });
  expect(await engine.guests.expert(id, 'query-jobs', {})).toEqual([]);
  expect(await sums()).toBe(before);
  expect(status()).toBe('running');
  time.aheadMs += 60_000;
  await deleteForGood(await take('To begin again'));
  await whileNodesAreListed(tidied);
  expect(await sums()).toBe(before);
  checkEveryDisk(engine.layout);
}, 240_000);

test('a job that lost its engine, also one that waits to be finalized, is ended by the next, and the work done anew', async () => {
  const before = await writeAndSum(0, 16);
  await take('Lost');
  // As an engine leaves it that was killed just before its copy would have counted.
  const node = ((await engine.guests.expert(id, 'query-block', {})) as { qdev?: string; inserted?: { 'node-name'?: string } }[]).find(
    ({ qdev }) => qdev?.includes('disk1'),
  )?.inserted?.['node-name'] as string;
  const jobs = async () => (await engine.guests.expert(id, 'query-jobs', {})) as { status: string }[];
  // An older engine had its jobs wait to be dismissed.
  for (const forgotten of [false, true]) {
    await engine.guests.expert(id, 'block-stream', {
      'job-id': `layers-${node}`,
      device: node,
      'auto-finalize': false,
      'auto-dismiss': forgotten,
    });
    await until('all is copied', async () => (await jobs())[0]?.status === 'pending');
    await engine.close();
    await reopen();
    expect(await jobs()).toEqual([]);
  }
  expect(chainOf(pathOf(1)).length).toBeGreaterThan(1);
  await untilAgent();
  expect(await sums()).toBe(before);
  await deleteForGood(...engine.snapshots.tree(id).snapshots.map((one) => one.id));
  await tidied();
  expect(chainOf(pathOf(1))).toHaveLength(1);
  expect(await sums()).toBe(before);
}, 240_000);

test('engines that are killed while they tidy leave a guest that runs and reads right, and the next one goes on', async () => {
  let last: { kept: SnapshotId; sums: string } | null = null;
  for (const afterMs of [100, 600, 1200].map((ms) => ms + Math.floor(Math.random() * 200))) {
    const said = `killed after ${afterMs} ms`;
    await take('Below');
    await write(0, 24);
    const middle = await take('Middle');
    const then = await writeAndSum(20, 8);
    last = { kept: await take('Kept'), sums: then };
    const now = await writeAndSum(26, 4);
    engine.snapshots.delete(middle);
    await engine.close();
    // It finds the deleted one beyond bringing back, and begins to tidy as it begins.
    const other = await forkEngine(home);
    await new Promise((done) => setTimeout(done, afterMs));
    await other.kill();
    time.aheadMs = 0;
    await reopen();
    expect([said, status()]).toEqual([said, 'running']);
    await untilAgent();
    expect([said, await sums()]).toEqual([said, now]);
    await tidied();
    expect([said, await sums()]).toEqual([said, now]);
    expect([said, engine.snapshots.tree(id).snapshots.some((one) => one.id === middle)]).toEqual([said, false]);
    checkEveryDisk(engine.layout);
    time.aheadMs = -3_600_000;
  }
  await goBack(last?.kept as SnapshotId);
  await startAgain();
  expect(await sums()).toBe(last?.sums);
  await deleteForGood(...engine.snapshots.tree(id).snapshots.map((one) => one.id));
  await tidied();
}, 400_000);

test('QEMU killed while it copies leaves disks that read as the guest left them', async () => {
  const afterMs = 150 + Math.floor(Math.random() * 700);
  const said = `killed after ${afterMs} ms`;
  await write(0, 40);
  const snapshot = await take('Killed');
  const now = await writeAndSum(30, 6);
  await deleteForGood(snapshot);
  await new Promise((done) => setTimeout(done, afterMs));
  process.kill(pidOfQemu(), 'SIGKILL');
  await untilStatus(engine, id, 'crashed');
  await tidied();
  // Clusters that were given out and not used yet are lost with QEMU; nothing else is wrong.
  for (const disk of [1, 2]) execFileSync('qemu-img', ['check', '-q', '-r', 'leaks', '-f', 'qcow2', pathOf(disk)], { encoding: 'utf8' });
  checkEveryDisk(engine.layout);
  await startAgain();
  expect([said, await sums()]).toEqual([said, now]);
  await engine.snapshots.tick();
  await tidied();
  expect([said, await sums()]).toEqual([said, now]);
}, 240_000);

const flatten = async () => (await engine.clones.flatten(id, 48 * 2 ** 20, 'test')).id;

test('a guest is made independent while it runs, with a snapshot taken in the midst of it, and has no other file open', async () => {
  await write(0, 40);
  const first = await take('First');
  const then = await sums();
  const job = await flatten();
  await until('it copies', () => (engine.jobs.show(job).progress > 0 ? true : null));
  const second = await take('In the midst');
  const now = await writeAndSum(10, 2);
  expect(await engine.jobs.ended(job)).toMatchObject({ state: 'succeeded', error: null });
  expect(status()).toBe('running');
  for (const disk of [0, 1, 2]) expect(chainOf(pathOf(disk))).toHaveLength(1);
  expect(new Set(openDisks())).toEqual(new Set([0, 1, 2].map((disk) => statSync(pathOf(disk)).ino)));
  expect(await sums()).toBe(now);
  await expect(flatten()).rejects.toMatchObject({ error: { code: 'guest/stands-alone' } });
  await goBack(first);
  await startAgain();
  expect(await sums()).toBe(then);
  await deleteForGood(first, second);
  await tidied();
  checkEveryDisk(engine.layout);
}, 240_000);

test('making independent goes on after a cancel, a killed engine and a shutdown, and reads right at any time', async () => {
  await write(0, 48);
  const snapshot = await take('Below');
  const now = await writeAndSum(20, 2);
  const cancelled = await flatten();
  await until('it copies', () => (engine.jobs.show(cancelled).progress > 0 ? true : null));
  engine.jobs.cancel(cancelled, 'The test wants it so.');
  expect((await engine.jobs.ended(cancelled)).state).toBe('cancelled');
  expect(chainOf(pathOf(1)).length).toBeGreaterThan(1);
  expect(await sums()).toBe(now);

  await engine.close();
  const other = await forkEngine(home);
  await other.orderAndKill({ verb: 'flatten', id }, 600);
  await reopen();
  const job = engine.jobs.list().find(({ kind, endedAt }) => kind === 'guest.flatten' && endedAt === null);
  expect(job).toBeDefined();
  await engine.guests.forceOff(id);
  expect(await engine.jobs.ended(job?.id as NonNullable<typeof job>['id'])).toMatchObject({ state: 'succeeded', error: null });
  for (const disk of [0, 1, 2]) expect(chainOf(pathOf(disk))).toHaveLength(1);
  checkEveryDisk(engine.layout);
  expect(sumsWhenOff()).toBe(now);
  await deleteForGood(snapshot);
}, 240_000);
