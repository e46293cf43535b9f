/** Snapshots of guests that are off: what each keeps, going back, branches, deleting in the middle. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SnapshotTree } from '../../contract/guest-snapshot.ts';
import type { GuestId, SnapshotId } from '../../contract/ids.ts';
import { diskOf } from '../../main/engine/drivers/qemu/arguments/golden-specs.ts';
import { checkEveryDisk, contentOf, writePattern } from '../support/disk-content.ts';
import { addGuest, type Bench, blankSpec, openBench } from '../support/guest-bench.ts';
import { until } from '../support/until.ts';

const time = { nowMs: Date.parse('2026-11-25T10:00:00Z') };
let bench: Bench;
let id: GuestId;

beforeEach(async () => {
  time.nowMs = Date.parse('2026-11-25T10:00:00Z');
  bench = await openBench({ clock: { nowMs: () => time.nowMs } });
  mkdirSync(bench.layout.layers, { recursive: true });
  mkdirSync(bench.layout.trash, { recursive: true });
  id = await addGuestWithDisks('Debian');
});
afterEach(() => bench.dispose());

async function addGuestWithDisks(name: string): Promise<GuestId> {
  const disks = [
    diskOf({ sizeBytes: 4 * 1024 ** 2 }),
    diskOf({ id: 'disk1', location: { kind: 'store', file: 'disk1.qcow2' }, sizeBytes: 4 * 1024 ** 2 }),
  ];
  const guest = await addGuest(bench, blankSpec({ name, disks }));
  for (const file of ['disk0.qcow2', 'disk1.qcow2']) {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', bench.layout.guest(guest).disk(file), '4M']);
  }
  return guest;
}

const files = (guest = id) => bench.layout.guest(guest);
const diskPaths = (guest = id) =>
  bench.guests.show(guest).spec.disks.map(({ location }) => files(guest).disk(location.kind === 'store' ? location.file : ''));
const contents = (guest = id) => diskPaths(guest).map(contentOf);
const write = (disk: number, pattern: number, guest = id) => writePattern(diskPaths(guest)[disk] ?? '', pattern, pattern * 4096, 64 * 1024);
/** A disk and what it builds upon, as QEMU's own tool reads it. */
const chainOf = (path: string): string[] =>
  (
    JSON.parse(execFileSync('qemu-img', ['info', '--backing-chain', '--output=json', path], { encoding: 'utf8' })) as { filename: string }[]
  ).map(({ filename }) => resolve(filename));
const layerCount = () => readdirSync(bench.layout.layers).length;
const tree = (guest = id): SnapshotTree => bench.snapshots.tree(guest);

async function take(name?: string, guest = id): Promise<SnapshotId> {
  const { snapshot, job } = await bench.snapshots.create(guest, { name }, 'test');
  const ended = await bench.jobs.ended(job.id);
  if (ended.state !== 'succeeded') throw new Error(ended.error?.message);
  time.nowMs += 1000;
  return snapshot.id;
}
async function goBack(snapshot: SnapshotId, keepPresent = false): Promise<void> {
  const ended = await bench.jobs.ended((await bench.snapshots.revert(snapshot, { keepPresent, forceOff: false }, 'test')).id);
  if (ended.state !== 'succeeded') throw new Error(ended.error?.message);
  time.nowMs += 1000;
}
/** Beyond the time in which it could be brought back, and until the layers are tidied. */
async function deleteForGood(snapshot: SnapshotId): Promise<void> {
  bench.snapshots.delete(snapshot);
  time.nowMs += 10 * 60_000;
  await bench.snapshots.tick();
  await until('the layers are tidied', () => bench.jobs.list().every(({ endedAt }) => endedAt !== null));
}
const codeOf = (work: () => unknown) =>
  Promise.resolve()
    .then(work)
    .then(
      () => 'fine',
      (thrown: { error?: { code: string } }) => thrown.error?.code ?? String(thrown),
    );

test('a guest goes back to what each snapshot kept: all disks, firmware, TPM and hardware, but keeps its name', async () => {
  write(0, 1);
  writeFileSync(files().nvram, 'variables of then');
  mkdirSync(files().tpmState);
  writeFileSync(`${files().tpmState}/tpm2-00.permall`, 'keys of then');
  const before = contents();
  const first = await take('First');

  write(0, 2);
  write(1, 3);
  writeFileSync(files().nvram, 'variables of now');
  writeFileSync(`${files().tpmState}/tpm2-00.permall`, 'keys of now');
  await bench.guests.rename(id, 'Renamed');
  const between = contents();
  const second = await take('Second');
  write(1, 4);

  await goBack(first);
  expect(contents()).toEqual(before);
  expect(readFileSync(files().nvram, 'utf8')).toBe('variables of then');
  expect(readFileSync(`${files().tpmState}/tpm2-00.permall`, 'utf8')).toBe('keys of then');
  expect(bench.guests.show(id).spec.name).toBe('Renamed');
  expect(tree().currentId).toBe(first);
  await goBack(second);
  expect(contents()).toEqual(between);
  expect(readFileSync(files().nvram, 'utf8')).toBe('variables of now');
  expect(tree().snapshots.map(({ name, parentId }) => [name, parentId])).toEqual([
    ['First', null],
    ['Second', first],
  ]);
  expect(existsSync(files().reverting().folder)).toBe(false);
  checkEveryDisk(bench.layout);
});

test('what a snapshot is gone back to stays as it was, however often and whatever is written afterwards', async () => {
  write(0, 1);
  const then = contents();
  const snapshot = await take();
  for (const pattern of [2, 3, 4]) {
    write(0, pattern);
    await goBack(snapshot);
    expect(contents()).toEqual(then);
  }
  // Each time the present was thrown away, so no layer is left but those of the snapshot.
  expect(layerCount()).toBe(2);
});

test('going back into a new branch keeps the present as a snapshot beside the one gone back to', async () => {
  const first = await take('First');
  write(0, 7);
  const present = contents();
  await goBack(first, true);
  const kept = tree().snapshots.find(({ reason }) => reason === 'revert');
  expect(kept).toMatchObject({ name: 'Before going back to “First”', parentId: first, state: 'ready' });
  write(1, 9);
  const branch = await take('Branch');
  expect(tree().snapshots.find((one) => one.id === branch)?.parentId).toBe(first);
  await goBack(kept?.id as SnapshotId);
  expect(contents()).toEqual(present);
});

test('a snapshot deleted in the middle leaves the others as they were, and its layers are taken in by what is above', async () => {
  const kept: string[][] = [];
  const taken: SnapshotId[] = [];
  for (const pattern of [1, 2, 3, 4]) {
    write(0, pattern);
    write(1, pattern + 10);
    kept.push(contents());
    taken.push(await take());
  }
  const [a, b, c, d] = taken as [SnapshotId, SnapshotId, SnapshotId, SnapshotId];
  expect(layerCount()).toBe(8);
  await deleteForGood(b);
  await deleteForGood(c);
  expect(layerCount()).toBe(4);
  expect(tree().snapshots.map((one) => [one.id, one.parentId])).toEqual([
    [a, null],
    [d, a],
  ]);
  checkEveryDisk(bench.layout);
  await goBack(a);
  expect(contents()).toEqual(kept[0]);
  await goBack(d);
  expect(contents()).toEqual(kept[3]);
  await deleteForGood(a);
  await deleteForGood(d);
  expect(tree()).toMatchObject({ snapshots: [], currentId: null });
  expect(layerCount()).toBe(0);
  expect(contents()).toEqual(kept[3]);
});

test('a large layer below a small one is not copied: it takes in the small one and its name, and gives its room back', async () => {
  const large = diskPaths()[0] as string;
  writePattern(large, 1, 0, 3 * 1024 ** 2);
  const { ino } = statSync(large);
  const middle = await take('Middle');
  write(0, 2);
  const then = contents();
  const last = await take('Last');
  write(0, 3);
  const now = contents();
  await deleteForGood(middle);
  const layerOfLast = chainOf(diskPaths()[0] as string)[1] as string;
  expect(statSync(layerOfLast)).toMatchObject({ ino, nlink: 1 });
  expect(statSync(layerOfLast).mode & 0o777).toBe(0o400);
  expect(contents()).toEqual(now);

  await deleteForGood(last);
  const [top, ...below] = chainOf(diskPaths()[0] as string);
  expect(below).toEqual([]);
  expect(statSync(top as string)).toMatchObject({ ino, nlink: 1 });
  expect(statSync(top as string).mode & 0o777).toBe(0o600);
  expect(contents()).toEqual(now);
  expect(then).not.toEqual(now);
  expect(layerCount()).toBe(0);
  checkEveryDisk(bench.layout);
});

test('a disk that grew takes in the large layer below it, which could not hold it', async () => {
  writePattern(diskPaths()[0] as string, 1, 0, 3 * 1024 ** 2);
  const snapshot = await take('Before it grew');
  write(0, 2);
  execFileSync('qemu-img', ['resize', '-q', '-f', 'qcow2', diskPaths()[0] as string, '8M']);
  writePattern(diskPaths()[0] as string, 3, 7 * 1024 ** 2, 64 * 1024);
  const now = contents();
  await deleteForGood(snapshot);
  expect(chainOf(diskPaths()[0] as string)).toHaveLength(1);
  expect(contents()).toEqual(now);
  checkEveryDisk(bench.layout);
});

test('a deleted snapshot can be brought back for some minutes, with its place in the tree', async () => {
  const a = await take('A');
  write(0, 1);
  const then = contents();
  const b = await take('B');
  write(0, 2);
  const c = await take('C');
  bench.snapshots.delete(b);
  expect(tree().snapshots.map((one) => [one.name, one.parentId])).toEqual([
    ['A', null],
    ['C', a],
  ]);
  expect(await codeOf(() => bench.snapshots.show(b))).toBe('snapshot/not-found');
  time.nowMs += 60_000;
  await bench.snapshots.tick();
  bench.snapshots.restore(b);
  expect(tree().snapshots.find((one) => one.id === c)?.parentId).toBe(b);
  await goBack(b);
  expect(contents()).toEqual(then);
});

test('a suspended guest is kept with its memory, and goes on from there when it is gone back to', async () => {
  write(0, 1);
  const saved = { machine: 'pc-q35-7.2', accelerator: 'tcg' as const, spec: null, plugged: {} };
  const suspend = async (memory: string) => {
    writeFileSync(files().suspended, memory);
    await bench.guests.hold(id, 'snapshot', async (held) => held.save({ saved }, (write) => write()));
  };
  await suspend('memory of then');
  const then = contents();
  const snapshot = await take('Suspended');
  expect(bench.snapshots.show(snapshot)).toMatchObject({ withMemory: true, guestWas: 'suspended' });
  await bench.guests.forceOff(id);
  expect(existsSync(files().suspended)).toBe(false);
  write(0, 2);
  const off = await take('Off');
  await goBack(snapshot);
  expect([bench.guests.show(id).state.status, readFileSync(files().suspended, 'utf8')]).toEqual(['suspended', 'memory of then']);
  expect(contents()).toEqual(then);
  // The state is of disks that the guest has no longer, so it goes with them.
  await goBack(off);
  expect([bench.guests.show(id).state.status, existsSync(files().suspended)]).toEqual(['off', false]);
  await goBack(snapshot);
  await bench.reopen();
  expect(bench.guests.show(id).state.status).toBe('suspended');
});

test('what another guest builds upon stays when the snapshot goes', async () => {
  write(0, 1);
  const snapshot = await take();
  const layer = readdirSync(bench.layout.layers).map((name) => `../../layers/${name}/disk.qcow2`)[0] ?? '';
  const other = await addGuest(bench, blankSpec({ name: 'Other', disks: [diskOf({ sizeBytes: 4 * 1024 ** 2 })] }));
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-u', '-b', layer, '-F', 'qcow2', files(other).disk('disk0.qcow2'), '4M']);
  const before = [contents(), contents(other)];
  await deleteForGood(snapshot);
  expect([contents(), contents(other)]).toEqual(before);
  expect(layerCount()).toBe(1);
});

test('purging a guest takes its snapshots and only its own layers', async () => {
  const other = await addGuestWithDisks('Other');
  await take('Mine');
  const theirs = await take('Theirs', other);
  await bench.guests.delete(id);
  await bench.jobs.ended((await bench.guests.purge(id, 'test')).id);
  expect(layerCount()).toBe(2);
  await goBack(theirs);
  expect(await codeOf(() => bench.snapshots.tree(id))).toBe('guest/not-found');
});

test('a snapshot whose layer is gone is refused before anything is touched', async () => {
  write(0, 1);
  const snapshot = await take();
  write(0, 2);
  const now = bench.guests.show(id).spec.disks;
  for (const name of readdirSync(bench.layout.layers)) rmSync(`${bench.layout.layers}/${name}`, { recursive: true });
  const job = await bench.jobs.ended((await bench.snapshots.revert(snapshot, { keepPresent: false, forceOff: false }, 'test')).id);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'snapshot/incomplete' } });
  expect(bench.guests.show(id).spec.disks).toEqual(now);
  expect(existsSync(diskPaths()[0] ?? '')).toBe(true);
});

test('a raw disk and a disk used in place are named, with what to do, and nothing is begun', async () => {
  const raw = await addGuest(bench, blankSpec({ disks: [diskOf({ format: 'raw', location: { kind: 'store', file: 'disk0.raw' } })] }));
  expect(tree(raw).cannot).toMatchObject({ message: expect.stringContaining('is raw'), hint: expect.stringContaining('library') });
  expect(await codeOf(() => bench.snapshots.create(raw, {}, 'test'))).toBe('layer/not-freezable');
  expect(tree(raw).snapshots).toEqual([]);
  expect(await codeOf(() => bench.snapshots.create(id, { memory: true }, 'test'))).toBe('guest/denied');
  expect(await codeOf(() => bench.snapshots.show('s000000000' as SnapshotId))).toBe('snapshot/not-found');
});

test('what comes while a snapshot is made or a guest is taken back is answered with a reason', async () => {
  const first = await take();
  const one = bench.snapshots.create(id, {}, 'test');
  expect(await codeOf(() => bench.snapshots.create(id, {}, 'test'))).toBe('guest/denied');
  expect(await codeOf(async () => bench.snapshots.delete((await one).snapshot.id))).toBe('guest/denied');
  await bench.jobs.ended((await one).job.id);
  const revert = await bench.snapshots.revert(first, { keepPresent: false, forceOff: false }, 'test');
  expect(await codeOf(() => bench.snapshots.delete(first))).toBe('guest/denied');
  expect(await codeOf(() => bench.snapshots.revert(first, { keepPresent: false, forceOff: false }, 'test'))).toBe('guest/denied');
  expect((await bench.jobs.ended(revert.id)).state).toBe('succeeded');
});

test('a schedule makes one an hour of what has changed, keeps as many as it says, and leaves others alone', async () => {
  await take('By hand');
  bench.snapshots.setSchedule(id, { enabled: true, keepHourly: 2, keepDaily: 0, keepWeekly: 0 });
  await bench.snapshots.tick();
  expect(tree().snapshots.map(({ reason }) => reason)).toEqual(['user']);
  for (const pattern of [1, 2, 3]) {
    write(0, pattern);
    time.nowMs += 3_600_000;
    await bench.snapshots.tick();
    await bench.snapshots.tick();
  }
  expect(tree().snapshots.map(({ name, reason }) => [name, reason])).toEqual([
    ['By hand', 'user'],
    ['2026-11-25 12:00 UTC', 'schedule'],
    ['2026-11-25 13:00 UTC', 'schedule'],
  ]);
  checkEveryDisk(bench.layout);
});

test('before a change of hardware one is made, and the newest five of those stay', async () => {
  for (let change = 0; change < 7; change++) {
    write(0, change + 1);
    await bench.snapshots.beforeHardwareChange(id, 'test');
    time.nowMs += 1000;
  }
  expect(tree().snapshots.map(({ reason }) => reason)).toEqual(Array(5).fill('hardware'));
  bench.snapshots.setSchedule(id, { beforeHardwareChange: false });
  await bench.snapshots.beforeHardwareChange(id, 'test');
  expect(tree().snapshots).toHaveLength(5);
});
