/** Space, measured and given back, by a real engine over real files; du, qemu-img and a byte-by-byte look say whether it is true. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { ended } from '../support/outcomes.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const mib = 1024 ** 2;
const qemuIo = (path: string, ...commands: string[]) =>
  execFileSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), path], { stdio: 'ignore' });
const realOf = (path: string) => statSync(path).blocks * 512;
const compare = (one: string, other: string) =>
  execFileSync('qemu-img', ['compare', '-f', 'qcow2', '-F', 'qcow2', one, other], { encoding: 'utf8' });
const old = (path: string) => utimesSync(path, new Date('2026-01-01'), new Date('2026-01-01'));

/** A raw disk with a boot record, so that it is taken for one. */
function rawDisk(path: string, sizeMiB: number): string {
  const head = Buffer.alloc(mib, 'guesthouse');
  head.fill(0, 0, 510);
  head.writeUInt16LE(0xaa55, 510);
  writeFileSync(path, head);
  truncateSync(path, sizeMiB * mib);
  return path;
}

async function engine() {
  const home = await engineHome();
  const client = await connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'no-starter') } });
  onTestFinished(() => client.close());
  return { home, client };
}

/** A guest that is off, whose disk is a copy of a small file. */
async function guestWithDisk(
  { home, client }: { home: string; client: EngineClient },
  sizeMiB = 256,
): Promise<{ id: GuestId; disk: string }> {
  const path = rawDisk(join(home, 'source.img'), sizeMiB);
  const { guest } = await client.call('guest.create', { source: { kind: 'disk', path, inPlace: false }, choices: { name: 'Web' } });
  await until('the guest is made', async () => (await client.call('guest.show', { guest: guest.id })).state.status === 'off', 60_000);
  const [disk] = (await client.call('guest.show', { guest: guest.id })).spec.disks;
  const file = disk?.location.kind === 'store' ? disk.location.file : '';
  return { id: guest.id, disk: join(home, 'guests', guest.id, file) };
}

test('the report says of every part what du says, and of a guest what its disks are', async () => {
  const parts = await engine();
  const { home, client } = parts;
  const { id, disk } = await guestWithDisk(parts);
  qemuIo(disk, 'write -P 7 0 20M');
  const report = await client.call('storage.report', {});
  const guests = report.purposes.find(({ purpose }) => purpose === 'guests');
  const duKiB = Number(execFileSync('du', ['-sk', join(home, 'guests', id)], { encoding: 'utf8' }).split('\t')[0]);
  expect(Math.abs((guests?.use.realBytes ?? 0) - duKiB * 1024)).toBeLessThan(64 * 1024);
  const [guest] = report.guests;
  expect(guest).toMatchObject({ id, name: 'Web', trashed: false, reclaimReason: null });
  expect(guest?.disks).toMatchObject([{ path: disk, format: 'qcow2', inPlace: false, virtualBytes: 256 * mib, builtUpon: 0 }]);
  expect(guest?.disks[0]?.use.realBytes).toBe(realOf(disk));
  expect(report.freeBytes).toBeLessThanOrEqual(report.totalBytes);
  const other = report.purposes.find(({ purpose }) => purpose === 'other');
  expect(other?.use.apparentBytes).toBeGreaterThanOrEqual(256 * mib);
  expect(other?.use.realBytes).toBeLessThan(4 * mib);
  await client.call('guest.delete', { guest: id });
  expect((await client.call('storage.report', {})).guests).toMatchObject([{ id, trashed: true, reclaimReason: 'It is in the trash.' }]);
});

test('a disk that is off gives back what it holds no longer, and a guest reads the same from it', async () => {
  const parts = await engine();
  const { client } = parts;
  const { id, disk } = await guestWithDisk(parts);
  qemuIo(disk, 'write -P 7 1M 60M', 'write -P 0 10M 50M', 'write -P 9 100M 1M');
  const before = realOf(disk);
  copyFileSync(disk, `${disk}.before`);
  const job = await ended(client, await client.call('guest.reclaim', { guest: id }));
  expect(job).toMatchObject({ kind: 'guest.reclaim', state: 'succeeded' });
  expect(realOf(disk)).toBeLessThan(before - 45 * mib);
  expect(compare(`${disk}.before`, disk)).toContain('identical');
  execFileSync('qemu-img', ['check', '-q', disk]);
  expect(statSync(disk).mode & 0o777).toBe(0o600);
  const events = await client.call('event.list', {});
  expect(events.find((event) => event.jobId === job.id && event.kind === 'guest.reclaimed')?.text).toMatch(/^Web gave back \d+/);
  // Once more there is nothing to be had, and nothing is touched.
  const inode = statSync(disk).ino;
  expect((await ended(client, await client.call('guest.reclaim', { guest: id }))).state).toBe('succeeded');
  expect(statSync(disk).ino).toBe(inode);
});

test('a disk that builds upon an image builds upon it afterwards, and the image is depended upon throughout', async () => {
  const { home, client } = await engine();
  const path = rawDisk(join(home, 'source.img'), 128);
  await ended(client, await client.call('image.import', { path, name: 'Base' }));
  const [image] = await client.call('image.list', {});
  if (!image) throw new Error('The image is not there.');
  const { guest } = await client.call('guest.create', {
    source: { kind: 'image', imageId: image.id },
    choices: { name: 'Upon', shareImage: true },
  });
  await until('the guest is made', async () => (await client.call('guest.show', { guest: guest.id })).state.status === 'off', 60_000);
  const disk = join(home, 'guests', guest.id, 'disk0.qcow2');
  qemuIo(disk, 'write -P 7 20M 40M', 'write -P 0 20M 40M', 'write -P 3 0 64k');
  const before = realOf(disk);
  copyFileSync(disk, `${disk}.before`);
  expect((await ended(client, await client.call('guest.reclaim', { guest: guest.id }))).state).toBe('succeeded');
  expect(realOf(disk)).toBeLessThan(before - 30 * mib);
  expect(compare(`${disk}.before`, disk)).toContain('identical');
  const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', disk], { encoding: 'utf8' }));
  expect(info['backing-filename']).toBe(`../../images/${image.id}.raw`);
  const report = await client.call('storage.report', {});
  expect(report.images).toMatchObject([{ id: image.id, dependants: ['Upon'] }]);
  expect(report.guests[0]?.disks).toMatchObject([{ builtUpon: 1, sharedRealBytes: realOf(image.path) }]);
});

test('an engine that is killed while it rewrites a disk leaves the disk as it was, and nothing beside it', async () => {
  const parts = await engine();
  const { home } = parts;
  const { id, disk } = await guestWithDisk(parts, 1024);
  writeFileSync(join(home, 'noise'), randomBytes(8 * mib));
  qemuIo(disk, ...Array.from({ length: 40 }, (_, index) => `write -s ${join(home, 'noise')} ${index * 16}M 8M`), 'write -P 0 700M 200M');
  const before = createHash('sha256').update(readFileSync(disk)).digest('hex');
  let { client } = parts;
  await client.call('guest.reclaim', { guest: id });
  await until('the new file', () => existsSync(`${disk}.compacting`) && statSync(`${disk}.compacting`).size > 4 * mib);
  await killEngine(client);
  client = await connect(home);
  onTestFinished(() => client.close());
  const [job] = (await client.call('job.list', {})).filter((one) => one.kind === 'guest.reclaim');
  expect(job?.state).toBe('failed');
  expect(createHash('sha256').update(readFileSync(disk)).digest('hex')).toBe(before);
  expect(readdirSync(join(home, 'guests', id)).filter((name) => name.includes('compacting'))).toEqual([]);
  expect((await ended(client, await client.call('guest.reclaim', { guest: id }))).state).toBe('succeeded');
}, 120_000);

test('an image gives back what it takes up for zeros, and is the same byte by byte', async () => {
  const { home, client } = await engine();
  await ended(client, await client.call('image.import', { path: rawDisk(join(home, 'source.img'), 64), name: 'Base' }));
  const [image] = await client.call('image.list', {});
  if (!image) throw new Error('The image is not there.');
  execFileSync('dd', ['if=/dev/zero', `of=${image.path}`, 'bs=1M', 'seek=8', 'count=40', 'conv=notrunc'], { stdio: 'ignore' });
  const before = realOf(image.path);
  expect(before).toBeGreaterThan(40 * mib);
  expect((await ended(client, await client.call('image.reclaim', { image: image.id }))).state).toBe('succeeded');
  expect(realOf(image.path)).toBeLessThan(8 * mib);
  expect(createHash('sha256').update(readFileSync(image.path)).digest('hex')).toBe(image.sha256);
  // A file that is not what it was is left alone.
  execFileSync('dd', ['if=/dev/urandom', `of=${image.path}`, 'bs=1k', 'seek=10000', 'count=1', 'conv=notrunc'], { stdio: 'ignore' });
  const changed = statSync(image.path);
  expect(await ended(client, await client.call('image.reclaim', { image: image.id }))).toMatchObject({
    state: 'failed',
    error: { code: 'image/corrupt' },
  });
  expect(statSync(image.path)).toMatchObject({ ino: changed.ino, mtimeMs: changed.mtimeMs });
});

test('nobody’s files are found with their age, and deleted when asked; nothing else is', async () => {
  const parts = await engine();
  const { home, client } = parts;
  const { id, disk } = await guestWithDisk(parts);
  const strays = [
    'images/left-behind.iso',
    'guests/g00000000x/disk0.qcow2',
    'trash/g00000000y/nvram.fd',
    'downloads/gone/part',
    `guests/${id}/disk0.qcow2.arriving`,
  ];
  for (const stray of strays) {
    mkdirSync(join(home, stray, '..'), { recursive: true });
    writeFileSync(join(home, stray), randomBytes(100_000));
    old(join(home, stray));
  }
  writeFileSync(join(home, 'images', 'just-made.iso'), 'work under way');
  const orphans = async () => (await client.call('storage.report', {})).orphans;
  const found = await orphans();
  expect(found.map(({ path }) => path).sort()).toEqual(
    ['downloads/gone', 'guests/g00000000x', `guests/${id}/disk0.qcow2.arriving`, 'images/left-behind.iso', 'trash/g00000000y'].sort(),
  );
  for (const orphan of found) {
    expect(orphan.modifiedAt).toBe('2026-01-01T00:00:00.000Z');
    expect(orphan.use.realBytes).toBeGreaterThan(90_000);
  }
  const refused = (path: string) =>
    client.call('storage.deleteOrphan', { path }).then(
      () => 'done',
      (thrown) => thrown.error.code,
    );
  for (const path of [`guests/${id}`, 'images/just-made.iso', 'guesthouse.db', '../etc/passwd', '/etc/passwd', 'images', ''])
    expect([path, await refused(path)]).toEqual([path, 'storage/not-an-orphan']);
  await client.call('storage.deleteOrphan', { path: 'guests/g00000000x' });
  expect(existsSync(join(home, 'guests/g00000000x'))).toBe(false);

  // A file that a disk builds upon is needed, whoever forgot it.
  const base = join(home, 'images', 'i00000000a.raw');
  rawDisk(base, 256);
  old(base);
  execFileSync('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-F', 'raw', '-b', '../../images/i00000000a.raw', disk]);
  expect((await orphans()).map(({ path }) => path)).toContain('images/i00000000a.raw');
  expect(await refused('images/i00000000a.raw')).toBe('image/in-use');
  expect(existsSync(base)).toBe(true);
});

test('files with the same content are found, whatever they are called, and names of one file are not two', async () => {
  const { home, client } = await engine();
  expect((await client.call('storage.report', {})).duplicates).toBeNull();
  const content = randomBytes(3 * mib);
  mkdirSync(join(home, 'guests', 'odd'), { recursive: true });
  const [one, two, other] = [
    join(home, 'images', 'one.iso'),
    join(home, 'guests', 'odd', 'two.raw'),
    join(home, 'images', 'other.iso'),
  ] as const;
  writeFileSync(one, content);
  writeFileSync(two, content);
  writeFileSync(other, randomBytes(3 * mib));
  execFileSync('ln', [one, join(home, 'images', 'second-name.iso')]);
  expect((await ended(client, await client.call('storage.findDuplicates', {}))).state).toBe('succeeded');
  const { duplicates } = await client.call('storage.report', {});
  expect(duplicates?.found).toHaveLength(1);
  expect(duplicates?.found[0]).toMatchObject({ bytes: 3 * mib, sha256: createHash('sha256').update(content).digest('hex') });
  expect(duplicates?.found[0]?.paths.length).toBe(2);
});
