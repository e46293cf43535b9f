import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, copyFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ImageId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';

const memtest = '/usr/lib/memtest86+/memtest86+x64.iso';
const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

async function rooms(options: Parameters<typeof openRooms>[0] = {}): Promise<Rooms> {
  const opened = await openRooms(options);
  onTestFinished(() => opened.close());
  return opened;
}

const imageOf = (job: Job): ImageId => {
  if (job.target.kind !== 'image' || !job.target.id) throw new Error('The job has no image.');
  return job.target.id;
};

/** Names of files in the store, without the notes that it keeps for itself. */
const stored = async ({ layout }: Rooms) => (await readdir(layout.images).catch(() => [])).sort();

async function importFile(engine: Rooms, path: string): Promise<Job> {
  const job = await engine.images.import(path, undefined, 'root via test');
  return engine.jobs.ended(job.id);
}

/** A raw disk with a boot record, `sizeMiB` large, of which the first `dataMiB` are not zeros. */
async function rawDisk(path: string, sizeMiB: number, dataMiB: number): Promise<string> {
  const data = Buffer.alloc(dataMiB * 1024 ** 2, 'guesthouse');
  data.fill(0, 0, 510);
  data.writeUInt16LE(0xaa55, 510);
  await writeFile(path, data);
  await truncate(path, sizeMiB * 1024 ** 2);
  return path;
}

test('an imported ISO is in the library, byte by byte what it was', async () => {
  const engine = await rooms();
  const job = await importFile(engine, memtest);
  expect(job).toMatchObject({ state: 'succeeded', progress: 1, error: null });
  const image = engine.images.show(imageOf(job));
  expect(image).toMatchObject({
    name: 'memtest86+x64',
    format: 'iso',
    kind: 'iso',
    builtIn: false,
    label: 'MT86PLUS_64',
    usedBy: [],
    os: { id: 'memtest86' },
  });
  expect(await sha256(image.path)).toBe(await sha256(memtest));
  expect(image.sha256).toBe(await sha256(memtest));
  expect(engine.images.list()).toHaveLength(1);
  expect(await stored(engine)).toEqual([`${image.id}.iso`]);
});

test('the same content is kept once, and the second import leads to the first', async () => {
  const engine = await rooms();
  const first = await importFile(engine, memtest);
  await copyFile(memtest, join(engine.home, 'other-name.iso'));
  const second = await importFile(engine, join(engine.home, 'other-name.iso'));
  expect(second.state).toBe('succeeded');
  expect(engine.images.list()).toHaveLength(1);
  expect(engine.images.show(imageOf(second)).id).toBe(imageOf(first));
  expect(engine.events.map((event) => event.kind)).toContain('image.duplicate');
  expect(await stored(engine)).toHaveLength(1);
});

test('holes of a disk stay holes', async () => {
  const engine = await rooms();
  const job = await importFile(engine, await rawDisk(join(engine.home, 'sparse.img'), 512, 2));
  const image = engine.images.show(imageOf(job));
  const found = await stat(image.path);
  expect(found.size).toBe(512 * 1024 ** 2);
  expect(found.blocks * 512).toBeLessThan(8 * 1024 ** 2);
});

test('what is wrong with a file is said at once, and no job is begun', async () => {
  const engine = await rooms();
  await writeFile(join(engine.home, 'page.iso'), '<html>not found</html>\n'.repeat(4000));
  await expect(engine.images.import(join(engine.home, 'page.iso'), undefined, 'test')).rejects.toMatchObject({
    error: { code: 'image/not-an-image' },
  });
  await expect(engine.images.import(join(engine.home, 'none.iso'), undefined, 'test')).rejects.toMatchObject({
    error: { code: 'image/file-missing' },
  });
  expect(engine.jobs.list()).toEqual([]);
});

test('a cancelled import leaves nothing behind', async () => {
  const engine = await rooms();
  const path = await rawDisk(join(engine.home, 'large.img'), 300, 200);
  const job = await engine.images.import(path, undefined, 'root via test');
  await until('bytes to arrive', () => (engine.jobs.show(job.id).bytesDone ?? 0) > 0);
  engine.jobs.cancel(job.id, 'The user cancelled it.');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'cancelled' });
  expect(engine.images.list()).toEqual([]);
  expect(await stored(engine)).toEqual([]);
});

test('a file that changes while it is read is not kept', async () => {
  const engine = await rooms();
  const path = await rawDisk(join(engine.home, 'growing.img'), 300, 200);
  const job = await engine.images.import(path, undefined, 'root via test');
  await until('bytes to arrive', () => (engine.jobs.show(job.id).bytesDone ?? 0) > 0);
  await appendFile(path, Buffer.alloc(512));
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'image/changed' } });
  expect(await stored(engine)).toEqual([]);
});

test('an import that an engine died in is done again by the next', async () => {
  const engine = await rooms();
  const job = await engine.images.import(await rawDisk(join(engine.home, 'large.img'), 200, 150), 'Large', 'root via test');
  await until('bytes to arrive', () => (engine.jobs.show(job.id).bytesDone ?? 0) > 0);
  await engine.jobs.interrupt(5000);
  expect(await stored(engine)).toEqual([`${imageOf(job)}.arriving`]);

  const next = await openRooms({ home: engine.home, database: engine.database });
  await next.jobs.recover(next.images.jobDefinitions);
  expect(await next.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  expect(next.images.show(imageOf(job))).toMatchObject({ name: 'Large', format: 'raw' });
  expect(await stored(next)).toEqual([`${imageOf(job)}.raw`]);
});

test('what an engine that died left of an import that nobody resumes is removed at the next start', async () => {
  const engine = await rooms();
  await mkdir(engine.layout.images, { recursive: true });
  for (const name of ['iaaaaaaaaa.arriving', 'ibbbbbbbbb.qcow2', 'notes.txt']) {
    await writeFile(join(engine.layout.images, name), 'left over');
    run('touch', '-d', '1 hour ago', join(engine.layout.images, name));
  }
  await engine.images.ensureBuiltIn();
  expect(await stored(engine)).toEqual(['notes.txt']);
});

testWithMount('a store without room takes nothing, says so and stays as it was', async () => {
  const home = await smallFileSystem(48);
  const engine = await rooms({ home, settings: { keepFreeMiB: 0 } });
  const outside = await rooms();
  const path = await rawDisk(join(outside.home, 'large.img'), 64, 60);
  const job = await importFile(engine, path);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(await stored(engine)).toEqual([]);
});

testWithMount('a disk that fills up half-way is noticed, and the half copy goes', async () => {
  const home = await smallFileSystem(48);
  const engine = await rooms({ home, settings: { keepFreeMiB: 0 } });
  const outside = await rooms();
  // Sparse by its blocks, so that it seems to fit; then another file takes the room.
  const path = await rawDisk(join(outside.home, 'large.img'), 40, 40);
  const filler = join(home, 'filler');
  const job = await engine.images.import(path, undefined, 'root via test');
  await writeFile(filler, Buffer.alloc(30 * 1024 ** 2, 1)).catch(() => undefined);
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(await stored(engine)).toEqual([]);
});

testWithMount('space that is to be kept free is kept free', async () => {
  const home = await smallFileSystem(48);
  const engine = await rooms({ home, settings: { keepFreeMiB: 45 } });
  const job = await importFile(engine, memtest);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(job.error?.message).toContain('kept free');
});

testWithMount('a read-only store is named as that', async () => {
  const home = await smallFileSystem(16);
  const engine = await rooms({ home });
  run('mount', '-o', 'remount,ro', home);
  const job = await importFile(engine, memtest);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'store/not-writable' } });
});

test('an image that a CD drive holds is not deleted, and the guest is named', async () => {
  const engine = await rooms({ settings: { keepFreeMiB: 0 } });
  const image = engine.images.show(imageOf(await importFile(engine, memtest)));
  const { guest, job } = await engine.creation.create({ kind: 'image', imageId: image.id }, { name: 'Tester' }, 'root via test');
  await engine.jobs.ended(job.id);
  expect(engine.images.show(image.id).usedBy).toEqual(['Tester']);
  await expect(engine.images.delete(image.id)).rejects.toMatchObject({
    error: { code: 'image/in-use', message: expect.stringContaining('Tester') },
  });
  engine.images.guestsChanged();
  await until('clients to be told who uses it', () => engine.toldImages.at(-1)?.usedBy.includes('Tester'));
  await engine.guests.abandonCreation(guest.id);
  engine.images.guestsChanged();
  await until('clients to be told that nobody does', () => engine.toldImages.at(-1)?.usedBy.length === 0);
  await engine.images.delete(image.id);
  expect(engine.images.list()).toEqual([]);
  expect(await stored(engine)).toEqual([]);
  await expect(engine.images.delete(image.id)).rejects.toMatchObject({ error: { code: 'image/not-found' } });
});

/** A folder as set-up leaves it, around a small disk. */
async function starterFolder(home: string, name: string, builtAt: string): Promise<string> {
  const folder = join(home, name);
  await mkdir(folder, { recursive: true });
  const disk = join(folder, 'starter.qcow2');
  run('qemu-img', 'create', '-q', '-f', 'qcow2', disk, '64M');
  run('qemu-io', '-f', 'qcow2', '-c', `write -P ${name.length} 0 64k`, disk);
  const metadata = {
    name: 'Guesthouse starter',
    os: { id: 'guesthouse-starter', name: 'Guesthouse starter', family: 'linux', version: '1', distro: 'debian' },
    firmware: ['bios', 'uefi'],
    minimumMemoryMiB: 192,
    recommendedMemoryMiB: 512,
    disk: { file: 'starter.qcow2', sizeBytes: (await stat(disk)).size, sha256: await sha256(disk) },
    builtAt,
  };
  await writeFile(join(folder, 'starter.json'), JSON.stringify(metadata));
  return folder;
}

test('the starter is listed by itself, once, stays away when deleted, and comes back when a newer one was built', async () => {
  const outside = await rooms();
  const first = await starterFolder(outside.home, 'first', '2026-01-01T00:00:00.000Z');
  const engine = await rooms({ environment: { GUESTHOUSE_STARTER: first } });
  await engine.images.ensureBuiltIn();
  await engine.images.ensureBuiltIn();
  const [image, ...others] = engine.images.list();
  expect(others).toEqual([]);
  expect(image).toMatchObject({
    name: 'Guesthouse starter',
    builtIn: true,
    kind: 'disk',
    firmware: 'bios',
    os: { id: 'guesthouse-starter' },
  });
  if (!image) throw new Error('No image.');

  await engine.images.delete(image.id);
  await engine.images.ensureBuiltIn();
  expect(engine.images.list()).toEqual([]);

  const newer = await starterFolder(outside.home, 'second', '2026-02-01T00:00:00.000Z');
  const next = await openRooms({
    home: engine.home,
    database: engine.database,
    environment: { GUESTHOUSE_STARTER: join(newer, 'starter.qcow2') },
  });
  await next.images.ensureBuiltIn();
  expect(next.images.list()).toMatchObject([{ builtIn: true, source: join(newer, 'starter.qcow2') }]);
});

test('a newer starter takes the place of the older', async () => {
  const outside = await rooms();
  const cache = join(outside.home, 'cache');
  await starterFolder(join(cache, 'starter'), 'a', '2026-01-01T00:00:00.000Z');
  const environment = { GUESTHOUSE_STARTER: '', GUESTHOUSE_CACHE: cache };
  const engine = await rooms({ environment });
  await engine.images.ensureBuiltIn();
  const newer = await starterFolder(join(cache, 'starter'), 'bb', '2026-02-01T00:00:00.000Z');
  await engine.images.ensureBuiltIn();
  expect(engine.images.list()).toMatchObject([{ source: join(newer, 'starter.qcow2') }]);
  expect(await stored(engine)).toHaveLength(1);
});

test('a starter that is not what set-up built is left alone', async () => {
  const outside = await rooms();
  const folder = await starterFolder(outside.home, 'damaged', '2026-01-01T00:00:00.000Z');
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 99 0 64k', join(folder, 'starter.qcow2'));
  const engine = await rooms({ environment: { GUESTHOUSE_STARTER: folder } });
  await engine.images.ensureBuiltIn();
  expect(engine.images.list()).toEqual([]);
  expect(await stored(engine)).toEqual([]);
});
