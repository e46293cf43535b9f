import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, open, readdir, readFile, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Image } from '../../contract/image.ts';
import type { Job } from '../../contract/job.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const stored = async ({ layout }: Rooms) => (await readdir(layout.images).catch(() => [])).sort();

async function rooms(options: Parameters<typeof openRooms>[0] = {}): Promise<Rooms> {
  const opened = await openRooms({ ...options, settings: { keepFreeMiB: 0, ...options?.settings } });
  onTestFinished(() => opened.close());
  return opened;
}

/** A disk of `sizeMiB` with a boot record and a different pattern in every few hundred MiB. */
async function disk(engine: Rooms, sizeMiB = 2200): Promise<string> {
  const path = join(engine.home, 'source.raw');
  run('qemu-img', 'create', '-q', '-f', 'raw', path, `${sizeMiB}M`);
  for (let at = 1; at < sizeMiB; at += 300) run('qemu-io', '-f', 'raw', '-c', `write -P ${(at % 250) + 1} ${at}M 300k`, path);
  const file = await open(path, 'r+');
  await file.write(Buffer.from([0x55, 0xaa]), 0, 2, 510);
  await file.write(Buffer.from([0x80, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x10, 0, 0]), 0, 16, 446);
  await file.close();
  return path;
}

async function importFile(engine: Rooms, path: string): Promise<{ job: Job; image: Image | null }> {
  const started = await engine.images.import(path, undefined, 'root via test');
  const job = await engine.jobs.ended(started.id);
  const image = job.state === 'succeeded' && job.target.kind === 'image' && job.target.id ? engine.images.show(job.target.id) : null;
  return { job, image };
}

const compare = (a: string, formatA: string, b: string, formatB: string) => run('qemu-img', 'compare', '-f', formatA, '-F', formatB, a, b);

const kinds: [string, 'vmdk' | 'vdi' | 'vpc' | 'vhdx', string[]][] = [
  ['a sparse VMDK', 'vmdk', ['subformat=monolithicSparse']],
  ['a VMDK split into files of 2 GB', 'vmdk', ['subformat=twoGbMaxExtentSparse']],
  ['a VMDK split into flat files', 'vmdk', ['subformat=twoGbMaxExtentFlat']],
  ['a flat VMDK', 'vmdk', ['subformat=monolithicFlat']],
  ['a stream-optimised VMDK', 'vmdk', ['subformat=streamOptimized']],
  ['a VDI', 'vdi', []],
  ['a fixed VDI', 'vdi', ['static=on']],
  ['a VHD', 'vpc', ['subformat=dynamic', 'force_size=on']],
  ['a fixed VHD', 'vpc', ['subformat=fixed', 'force_size=on']],
  ['a VHDX', 'vhdx', ['subformat=dynamic']],
];

test.each(kinds)('%s comes into the library as a qcow2 with the same content', async (_name, format, options) => {
  const engine = await rooms();
  const source = await disk(engine);
  const path = join(engine.home, `it’s a “disk”.${format}`);
  run('qemu-img', 'convert', '-f', 'raw', '-O', format, ...options.flatMap((option) => ['-o', option]), source, path);
  const report = await engine.images.inspect(path);
  expect(report).toMatchObject({ format: format === 'vpc' ? 'vhd' : format, virtualSizeBytes: 2200 * 1024 ** 2, packing: null });
  // Read by our own reader: the boot record's partition.
  expect(report).toMatchObject({ os: { family: 'linux' } });
  const { job, image } = await importFile(engine, path);
  expect(job).toMatchObject({ state: 'succeeded', error: null });
  if (!image) throw new Error('No image.');
  expect(image).toMatchObject({ format: 'qcow2', kind: 'disk', virtualSizeBytes: 2200 * 1024 ** 2 });
  expect(compare(source, 'raw', image.path, 'qcow2')).toContain('identical');
  expect(run('qemu-img', 'check', '-f', 'qcow2', image.path)).toContain('No errors');
  expect(image.sha256).toBe(run('sha256sum', image.path).slice(0, 64));
  // What was empty stays empty.
  expect((await stat(image.path)).size).toBeLessThan(16 * 1024 ** 2);
  expect(await stored(engine)).toEqual([`${image.id}.qcow2`]);
});

const packers: [string, string[]][] = [
  ['gz', ['gzip', '-1', '-k']],
  ['xz', ['xz', '-0', '-k', '-T1']],
  ['zst', ['zstd', '-q', '-1']],
];

test.each(packers)('a disk packed as %s is unpacked into the library, its holes kept', async (ending, [program = '', ...args]) => {
  const engine = await rooms();
  const source = await disk(engine, 700);
  run(program, ...args, source);
  const report = await engine.images.inspect(`${source}.${ending}`);
  expect(report).toMatchObject({ format: 'raw', packing: { gz: 'gzip', xz: 'xz', zst: 'zstd' }[ending] });
  const { job, image } = await importFile(engine, `${source}.${ending}`);
  expect(job).toMatchObject({ state: 'succeeded' });
  if (!image) throw new Error('No image.');
  expect(image).toMatchObject({ name: 'source', format: 'raw', virtualSizeBytes: 700 * 1024 ** 2 });
  expect(image.sha256).toBe(run('sha256sum', source).slice(0, 64));
  expect((await stat(image.path)).blocks * 512).toBeLessThan(16 * 1024 ** 2);
  expect(await stored(engine)).toEqual([`${image.id}.raw`]);
});

test('a packed VMDK is unpacked and converted', async () => {
  const engine = await rooms();
  const source = await disk(engine, 700);
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', source, join(engine.home, 'a.vmdk'));
  run('gzip', join(engine.home, 'a.vmdk'));
  const { image } = await importFile(engine, join(engine.home, 'a.vmdk.gz'));
  if (!image) throw new Error('No image.');
  expect(image).toMatchObject({ format: 'qcow2', name: 'a' });
  expect(compare(source, 'raw', image.path, 'qcow2')).toContain('identical');
  expect(await stored(engine)).toEqual([`${image.id}.qcow2`]);
});

test('packed files that are cut short, damaged or packed twice are refused and leave nothing', async () => {
  const engine = await rooms();
  const source = await disk(engine, 700);
  for (const [ending, [program = '', ...args]] of packers) {
    run(program, ...args, source);
    const path = `${source}.${ending}`;
    await truncate(path, (await stat(path)).size - 200);
    expect((await importFile(engine, path)).job).toMatchObject({ state: 'failed', error: { code: 'image/corrupt' } });
  }
  run('sh', '-c', `gzip -c ${source}.gz > ${join(engine.home, 'twice.gz')}`);
  run('sh', '-c', `printf hello | gzip -c > ${join(engine.home, 'text.gz')}`);
  for (const name of ['twice.gz', 'text.gz']) {
    await expect(engine.images.inspect(join(engine.home, name))).rejects.toMatchObject({ error: { code: 'image/not-an-image' } });
  }
  expect(await stored(engine)).toEqual([]);
});

test('a packed qcow2 that names another file is refused before it is unpacked', async () => {
  const engine = await rooms();
  const path = join(engine.home, 'theft.qcow2');
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', path, '1G');
  run('gzip', path);
  await expect(engine.images.inspect(`${path}.gz`)).rejects.toMatchObject({ error: { code: 'image/outside-reference' } });
});

testWithMount('a packed file that unpacks to more than there is room for fails, and the room is free again', async () => {
  const engine = await rooms({ home: await smallFileSystem(64) });
  const outside = await rooms();
  const path = join(outside.home, 'bomb.raw');
  // Packs a thousandfold, and is no hole.
  await writeFile(path, Buffer.alloc(300 * 1024 ** 2, Buffer.from([0, 1, 0xab])));
  run('gzip', path);
  expect((await stat(`${path}.gz`)).size).toBeLessThan(1024 ** 2);
  expect((await importFile(engine, `${path}.gz`)).job).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(await stored(engine)).toEqual([]);
});

testWithMount('a conversion that fills the disk fails, and the room is free again', async () => {
  const engine = await rooms({ home: await smallFileSystem(32) });
  const outside = await rooms();
  const raw = join(outside.home, 'full.raw');
  await writeFile(raw, Buffer.alloc(64 * 1024 ** 2, 'ab'));
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vdi', raw, join(outside.home, 'full.vdi'));
  expect((await importFile(engine, join(outside.home, 'full.vdi'))).job).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(await stored(engine)).toEqual([]);
});

/** A description of a flat disk whose data are in `file`. */
async function described(engine: Rooms, file: string, more = ''): Promise<string> {
  const path = join(engine.home, 'theft.vmdk');
  await writeFile(
    path,
    `# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n${more}createType="monolithicFlat"\nRW 2 FLAT "${file}" 0\n`,
  );
  return path;
}

test('a VMDK that leads to /etc/passwd, upwards, or through a link is refused before any other program sees it', async () => {
  const engine = await rooms();
  await symlink('/etc/passwd', join(engine.home, 'link.bin'));
  await mkdir(join(engine.home, 'folder'));
  for (const name of ['/etc/passwd', '../../etc/passwd', 'link.bin', 'folder', 'folder/x']) {
    await expect(engine.images.import(await described(engine, name), undefined, 'test')).rejects.toMatchObject({
      error: { code: 'image/outside-reference' },
    });
  }
  await expect(engine.images.import(await described(engine, 'none.bin'), undefined, 'test')).rejects.toMatchObject({
    error: { code: 'image/file-missing' },
  });
  const child = await described(engine, 'x.vmdk', 'parentFileNameHint="/etc/passwd"\n');
  await expect(engine.images.import(child, undefined, 'test')).rejects.toMatchObject({ error: { code: 'image/outside-reference' } });
  expect(engine.jobs.list()).toEqual([]);
});

test('a sparse VMDK whose size is nought, so that QEMU would follow the description in it, is refused', async () => {
  const engine = await rooms();
  const path = join(engine.home, 'trick.vmdk');
  run('qemu-img', 'create', '-q', '-f', 'vmdk', path, '64M');
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(8), 0, 8, 12);
  await file.close();
  await expect(engine.images.inspect(path)).rejects.toMatchObject({ error: { code: 'image/corrupt' } });
});

test('a packed description names no file of the library', async () => {
  const engine = await rooms();
  const source = await disk(engine, 700);
  const first = await importFile(engine, source);
  const path = await described(engine, `${first.image?.id}.raw`);
  run('gzip', path);
  const { job } = await importFile(engine, `${path}.gz`);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'image/outside-reference' } });
});

test('a snapshot of another product’s disk is refused and says so', async () => {
  const engine = await rooms();
  const base = join(engine.home, 'base.vmdk');
  run('qemu-img', 'create', '-q', '-f', 'vmdk', base, '64M');
  run('qemu-img', 'create', '-q', '-f', 'vmdk', '-b', base, '-F', 'vmdk', join(engine.home, 'snapshot.vmdk'));
  await expect(engine.images.inspect(join(engine.home, 'snapshot.vmdk'))).rejects.toMatchObject({
    error: { code: 'image/outside-reference', message: expect.stringContaining('base.vmdk') },
  });
});

test('a VHDX that was not closed is refused, since its newest changes are not in their place', async () => {
  const engine = await rooms();
  const path = join(engine.home, 'open.vhdx');
  run('qemu-img', 'create', '-q', '-f', 'vhdx', path, '64M');
  const file = await open(path, 'r+');
  for (const at of [64 * 1024 + 48, 128 * 1024 + 48]) await file.write(Buffer.alloc(16, 7), 0, 16, at);
  await file.close();
  await expect(engine.images.inspect(path)).rejects.toMatchObject({
    error: { code: 'image/corrupt', message: expect.stringContaining('not closed') },
  });
});

test('the same file imported twice at once is kept once, and both imports succeed', async () => {
  const engine = await rooms();
  const source = await disk(engine, 700);
  const path = join(engine.home, 'a.vmdk');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', source, path);
  for (const file of [source, path]) {
    const results = await Promise.all([importFile(engine, file), importFile(engine, file)]);
    expect(results.map(({ job }) => job.state)).toEqual(['succeeded', 'succeeded']);
    expect(results[0]?.image?.id).toBe(results[1]?.image?.id);
  }
  expect(engine.images.list()).toHaveLength(2);
  expect(await stored(engine)).toHaveLength(2);
});

test('a piece of a disk that changes while it is converted makes the import fail', async () => {
  const engine = await rooms();
  const source = join(engine.home, 'source.raw');
  await writeFile(source, Buffer.alloc(300 * 1024 ** 2, 'guesthouse'));
  const path = join(engine.home, 'a.vmdk');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=monolithicFlat', source, path);
  const job = await engine.images.import(path, undefined, 'test');
  await until('bytes to be copied', () => (engine.jobs.show(job.id).bytesDone ?? 0) > 0);
  await appendFile(join(engine.home, 'a-flat.vmdk'), Buffer.alloc(512));
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'image/changed' } });
  expect(await stored(engine)).toEqual([]);
});

test('a conversion that an engine died in is done again by the next, and one that is cancelled leaves nothing', async () => {
  const engine = await rooms();
  const source = join(engine.home, 'source.raw');
  await writeFile(source, Buffer.alloc(300 * 1024 ** 2, 'guesthouse'));
  const path = join(engine.home, 'a.vmdk');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', source, path);
  const cancelled = await engine.images.import(path, undefined, 'test');
  await until('bytes to be copied', () => (engine.jobs.show(cancelled.id).bytesDone ?? 0) > 0);
  engine.jobs.cancel(cancelled.id, 'The user cancelled it.');
  expect(await engine.jobs.ended(cancelled.id)).toMatchObject({ state: 'cancelled' });
  expect(await stored(engine)).toEqual([]);

  const job = await engine.images.import(path, undefined, 'test');
  await until('bytes to be copied', () => (engine.jobs.show(job.id).bytesDone ?? 0) > 0);
  await engine.jobs.interrupt(5000);
  const next = await openRooms({ home: engine.home, database: engine.database, settings: { keepFreeMiB: 0 } });
  await next.jobs.recover(next.images.jobDefinitions);
  expect(await next.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  const [image] = next.images.list();
  expect(compare(source, 'raw', image?.path ?? '', 'qcow2')).toContain('identical');
  expect(await stored(next)).toEqual([`${image?.id}.qcow2`]);
});

test('a guest is made straight from a VDI, but never uses one in place', async () => {
  const engine = await rooms();
  const outside = await rooms();
  const source = await disk(outside, 700);
  const path = join(outside.home, 'a.vdi');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vdi', source, path);
  await expect(engine.creation.create({ kind: 'disk', path, inPlace: true }, {}, 'test')).rejects.toMatchObject({
    error: { code: 'image/not-an-image', path: 'source.inPlace' },
  });
  const { guest, job } = await engine.creation.create({ kind: 'disk', path, inPlace: false }, {}, 'test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  expect(compare(source, 'raw', engine.layout.guest(guest.id).disk('disk0.qcow2'), 'qcow2')).toContain('identical');
  run('gzip', source);
  await expect(engine.creation.create({ kind: 'disk', path: `${source}.gz`, inPlace: false }, {}, 'test')).rejects.toMatchObject({
    error: { code: 'image/not-an-image', message: expect.stringContaining('packed') },
  });
});

test('a link to a split disk finds its pieces where the disk really is', async () => {
  const engine = await rooms();
  const source = await disk(engine, 700);
  await mkdir(join(engine.home, 'machines'));
  const path = join(engine.home, 'machines', 'a.vmdk');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', source, path);
  await symlink(path, join(engine.home, 'link.vmdk'));
  expect(await engine.images.inspect(join(engine.home, 'link.vmdk'))).toMatchObject({ format: 'vmdk' });
  const piece = join(engine.home, 'machines', 'a-s001.vmdk');
  expect((await readFile(piece)).toString('latin1', 0, 4)).toBe('KDMV');
  await rename(piece, `${piece}.away`);
  await expect(engine.images.inspect(path)).rejects.toMatchObject({ error: { code: 'image/file-missing' } });
});
