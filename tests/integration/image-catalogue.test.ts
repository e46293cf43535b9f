import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GuestId, ImageId } from '../../contract/ids.ts';
import { type Image, noFacts } from '../../contract/image.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { type LinuxOnDisk, makeLinuxDisk } from '../support/linux-disk.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

async function rooms(): Promise<Rooms> {
  const opened = await openRooms({ settings: { keepFreeMiB: 0 } });
  onTestFinished(() => opened.close());
  return opened;
}

async function importFile(engine: Rooms, path: string, name?: string): Promise<Image> {
  const job = await engine.jobs.ended((await engine.images.import(path, name, 'root via test')).id);
  if (job.target.kind !== 'image' || !job.target.id) throw new Error(`The import ended as ${job.state}: ${job.error?.message}`);
  return engine.images.show(job.target.id);
}

const debian12: LinuxOnDisk = {
  osRelease: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  database: { path: 'var/lib/dpkg/status', changedOn: '2026-06-17' },
  files: { 'var/lib/dpkg/info/bash.list': '', 'var/lib/dpkg/info/bash.md5sums': '', 'var/lib/dpkg/info/libc6:amd64.list': '' },
  kernels: ['6.1.0-9-amd64', '6.1.0-18-amd64'],
};
const alpine: LinuxOnDisk = {
  osRelease: 'ID=alpine\nVERSION_ID=3.19.1\nPRETTY_NAME="Alpine Linux v3.19"\n',
  database: { path: 'lib/apk/db/installed', changedOn: '2026-01-02', content: 'P:musl\nV:1.2\n\nP:busybox\nV:1.36\n' },
  kernels: ['6.6.14-0-virt'],
};
const fedora: LinuxOnDisk = {
  osRelease: 'ID=fedora\nVERSION_ID=42\nPRETTY_NAME="Fedora Linux 42 (Server Edition)"\n',
  database: { path: 'usr/lib/sysimage/rpm/rpmdb.sqlite', changedOn: '2025-12-31' },
  kernels: [],
};

test.each([
  ['ext4', ['-t', 'ext4']],
  ['ext4 with blocks of 1 KiB', ['-t', 'ext4', '-b', '1024']],
  ['ext2', ['-t', 'ext2']],
])('a Linux on %s says its kernels, its processor, its packages and up to when it has its updates', async (_kind, options) => {
  const engine = await rooms();
  const many = Object.fromEntries(Array.from({ length: 700 }, (_, index) => [`var/lib/dpkg/info/package-${index}.list`, '']));
  const disk = await makeLinuxDisk(join(engine.home, 'disk.img'), { ...debian12, files: { ...debian12.files, ...many } }, options);
  const image = await importFile(engine, disk);
  expect(image).toMatchObject({
    os: { distro: 'debian', version: '12' },
    architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
    patchLevel: '2026-06-17',
    patchLevelFrom: 'The day on which packages were last changed, by the time of /var/lib/dpkg/status.',
    kernels: ['6.1.0-18-amd64', '6.1.0-9-amd64'],
    packages: { manager: 'dpkg', count: 702 },
    byHand: [],
    lifecycle: 'published',
  });
});

test('other package managers leave their day as well, also inside of a packed qcow2', async () => {
  const engine = await rooms();
  const raw = await makeLinuxDisk(join(engine.home, 'alpine.img'), alpine);
  run('qemu-img', 'convert', '-c', '-f', 'raw', '-O', 'qcow2', raw, join(engine.home, 'alpine.qcow2'));
  expect(await importFile(engine, join(engine.home, 'alpine.qcow2'))).toMatchObject({
    format: 'qcow2',
    patchLevel: '2026-01-02',
    kernels: ['6.6.14-0-virt'],
    packages: { manager: 'apk', count: 2 },
  });
  expect(await importFile(engine, await makeLinuxDisk(join(engine.home, 'fedora.img'), fedora))).toMatchObject({
    patchLevel: '2025-12-31',
    kernels: [],
    packages: { manager: 'rpm', count: null },
  });
});

const status = (...packages: [name: string, version: string][]) =>
  packages.map(([name, version]) => `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\n`).join('\n');

test.each([
  ['ext4', ['-t', 'ext4']],
  ['ext2 with blocks of 1 KiB', ['-t', 'ext2', '-b', '1024']],
])('packages of a Linux on %s are listed, found, and compared with those of another', async (_kind, options) => {
  const engine = await rooms();
  // More than two megabytes, as on a real system: then a map of blocks has two levels.
  const many = Array.from({ length: 1500 }, (_, index): [string, string] => [
    `library-${index}`,
    `1.0-${'x'.repeat(60)}\nDescription: ${'long '.repeat(280)}`,
  ]);
  const at = (name: string, ...more: [string, string][]) =>
    makeLinuxDisk(join(engine.home, name), { ...debian12, database: { ...debian12.database, content: status(...many, ...more) } }, options);
  const june = await importFile(engine, await at('june.img', ['openssh-server', '1:9.2p1-2+deb12u2'], ['telnetd', '0.17']));
  const july = await importFile(engine, await at('july.img', ['openssh-server', '1:9.2p1-2+deb12u3'], ['nginx', '1.22.1-9']));
  expect(june.packages).toEqual({ manager: 'dpkg', count: 1502 });
  expect(engine.images.packages(june.id)).toHaveLength(1502);
  expect(engine.images.packages(june.id)).toContainEqual({ name: 'openssh-server', version: '1:9.2p1-2+deb12u2' });
  const find = (query: string) => engine.catalogue.search({ query }).images.map(({ name }) => name);
  expect(find('package:openssh-server')).toEqual(['july', 'june']);
  expect(find('package:nginx')).toEqual(['july']);
  expect(find('package:library-1499 -package:nginx')).toEqual(['june']);
  expect(engine.catalogue.differences(june.id, july.id).packages).toEqual({
    added: [{ name: 'nginx', version: '1.22.1-9' }],
    removed: [{ name: 'telnetd', version: '0.17' }],
    changed: [{ name: 'openssh-server', one: '1:9.2p1-2+deb12u2', other: '1:9.2p1-2+deb12u3' }],
  });

  // An image from before packages were read has none until it is read again.
  engine.database.prepare('test.forget', 'DELETE FROM image_packages').run();
  expect(engine.images.packages(june.id)).toBeNull();
  expect(engine.catalogue.differences(june.id, july.id).packages).toBeNull();
  await engine.jobs.ended(engine.images.readAgain(june.id, 'root via test').id);
  expect(engine.images.packages(june.id)).toHaveLength(1502);
});

test('a disc says the day on which it was made, and its label the processor', async () => {
  const engine = await rooms();
  const disc = await readFile('/usr/lib/memtest86+/memtest86+x64.iso');
  disc.write('2026021409150000', 16 * 2048 + 813, 'latin1');
  disc.write('DEBIAN 12 AMD64'.padEnd(32), 16 * 2048 + 40, 'latin1');
  await writeFile(join(engine.home, 'disc.iso'), disc);
  expect(await importFile(engine, join(engine.home, 'disc.iso'))).toMatchObject({
    patchLevel: '2026-02-14',
    patchLevelFrom: 'The day on which the disc was made, as it says itself.',
    architecture: 'x86_64',
  });
});

test('what is known of an image is found again by a search, and counted', async () => {
  const engine = await rooms();
  const web = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12), 'Web server');
  const other = await importFile(engine, await makeLinuxDisk(join(engine.home, 'b.img'), alpine), 'Router');
  await engine.images.edit(web.id, { tags: ['web'], notes: 'For the shop.', sourceUrl: 'https://cdimage.example.org/web.img' }, []);
  const find = (query: string) => engine.catalogue.search({ query }).images.map(({ name }) => name);
  expect(find('os:debian version:>=12 patched:<2026-07 tag:web')).toEqual(['Web server']);
  expect(find('shop')).toEqual(['Web server']);
  expect(find('kernel:6.6')).toEqual(['Router']);
  expect(find('-tag:web')).toEqual(['Router']);
  const all = engine.catalogue.search({ query: '', sort: 'patched', descending: true, limit: 1 });
  expect(all).toMatchObject({ total: 2, ids: [web.id, other.id], images: [{ id: web.id }] });
  expect(all.facets.tag).toEqual([{ value: 'web', count: 1 }]);
  expect(all.facets.arch).toEqual([{ value: web.architecture, count: 2 }]);
});

test('a query that cannot be understood names the word and changes nothing', async () => {
  const engine = await rooms();
  expect(() => engine.catalogue.search({ query: 'web patched:june' })).toThrow('“patched:june” cannot be understood');
  expect(() => engine.catalogue.searches.save('Broken', 'colour:red', 'root')).toThrow('There is no field “colour”');
  expect(engine.catalogue.searches.list()).toEqual([]);
});

test('searches are kept, replaced by name and deleted', async () => {
  const engine = await rooms();
  engine.catalogue.searches.save('Old ones', 'patched:<2025', 'root via test');
  engine.catalogue.searches.save('old ones', 'patched:<2026', 'root via test');
  expect(engine.catalogue.searches.list()).toMatchObject([{ name: 'old ones', query: 'patched:<2026', savedBy: 'root via test' }]);
  engine.catalogue.searches.remove('OLD ONES');
  expect(() => engine.catalogue.searches.remove('Old ones')).toThrow('There is no saved search “Old ones”.');
});

test('what a hand wrote stays when the image is read again, and what was not is read anew', async () => {
  const engine = await rooms();
  const image = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12));
  await engine.images.edit(image.id, { patchLevel: '2026-10', name: 'Ours' }, []);
  // An image of before anything was read but its system.
  engine.database.prepare('test.forget', `UPDATE images SET kernels = '[]', architecture = NULL WHERE id = ?`).run(image.id);
  const reopened = await openRooms({ home: engine.home, settings: { keepFreeMiB: 0 }, database: engine.database });
  onTestFinished(() => reopened.close());
  expect(reopened.images.show(image.id)).toMatchObject({ name: 'Ours', kernels: [], architecture: null });
  expect(await reopened.jobs.ended(reopened.images.readAgain(image.id, 'root').id)).toMatchObject({ state: 'succeeded' });
  expect(reopened.images.show(image.id)).toMatchObject({
    name: 'Ours',
    patchLevel: '2026-10',
    patchLevelFrom: null,
    byHand: ['patchLevel'],
    kernels: debian12.kernels.toReversed(),
    architecture: image.architecture,
  });
  await reopened.images.edit(image.id, {}, ['patchLevel']);
  expect(reopened.images.show(image.id)).toMatchObject({ patchLevel: '2026-06-17', byHand: [] });
});

test('reading again an image whose file vanished fails by name, and keeps what was known', async () => {
  const engine = await rooms();
  const image = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12));
  await rm(image.path);
  const job = await engine.jobs.ended(engine.images.readAgain(image.id, 'root').id);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'image/file-missing' } });
  expect(engine.images.show(image.id)).toMatchObject({ patchLevel: '2026-06-17' });
});

test('several images are tagged and published at once, or none of them', async () => {
  const engine = await rooms();
  const one = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12));
  const two = await importFile(engine, await makeLinuxDisk(join(engine.home, 'b.img'), alpine));
  const told = engine.toldImages.length;
  const edited = engine.images.editMany([one.id, two.id], { addTags: ['lab'], lifecycle: 'draft' }, 'root');
  expect(edited).toEqual({ changed: 2, edit: expect.any(Number) });
  expect(engine.toldImages.slice(told).map(({ tags, lifecycle }) => [tags, lifecycle])).toEqual([
    [['lab'], 'draft'],
    [['lab'], 'draft'],
  ]);
  expect(engine.images.editMany([one.id, two.id], { addTags: ['LAB'] }, 'root')).toEqual({ changed: 0, edit: null });
  const nobody = 'izzzzzzzzz' as ImageId;
  expect(() => engine.images.editMany([one.id, nobody], { addTags: ['no'] }, 'root')).toThrow(nobody);
  const tooMany = Array.from({ length: 32 }, (_, index) => `tag ${index}`);
  expect(() => engine.images.editMany([two.id, one.id], { addTags: tooMany, lifecycle: 'published' }, 'root')).toThrow('more than 32 tags');
  expect([one.id, two.id].map((id) => engine.images.show(id))).toMatchObject([
    { tags: ['lab'], lifecycle: 'draft' },
    { tags: ['lab'], lifecycle: 'draft' },
  ]);
});

test('a guest knows the version that it was made from, and is out of date once a newer one is published', async () => {
  const engine = await rooms();
  const first = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12), 'Web 1');
  await engine.images.edit(first.id, { series: { name: 'Web', changeNote: 'The first' } }, []);
  const { guest, job } = await engine.creation.create(
    { kind: 'image', imageId: first.id },
    { name: 'Shop', shareImage: false },
    'root via test',
  );
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  expect(engine.catalogue.origin(guest.id)).toMatchObject({
    origin: { imageId: first.id, imageName: 'Web 1', present: true, series: { name: 'Web', version: 1 }, newer: null },
    facts: null,
  });
  expect(engine.images.show(first.id).madeGuests).toEqual([{ guest: guest.id, name: 'Shop' }]);

  const second = await importFile(
    engine,
    await makeLinuxDisk(join(engine.home, 'b.img'), { ...debian12, kernels: ['6.1.0-20-amd64'] }),
    'Web 2',
  );
  await engine.images.edit(second.id, { lifecycle: 'draft', series: { name: 'Web', changeNote: 'New kernel' } }, []);
  expect(engine.catalogue.outdated()).toEqual([]);
  await engine.images.edit(second.id, { lifecycle: 'published' }, []);
  // A clone is made of what its original is made of.
  const clone = engine.guests.beginCreation('gclone0001' as GuestId, { ...guest.spec, name: 'Shop again' });
  engine.catalogue.inheritOrigin(clone.id, { kind: 'guest', id: guest.id, name: 'Shop', at: clone.createdAt });
  expect(engine.catalogue.outdated().map(({ name }) => name)).toEqual(['Shop', 'Shop again']);
  await engine.guests.abandonCreation(clone.id);

  const newer = { imageId: second.id, imageName: 'Web 2', version: 2, changeNote: 'New kernel' };
  expect(engine.catalogue.outdated()).toMatchObject([{ guest: guest.id, name: 'Shop', origin: { newer } }]);
  expect(engine.catalogue.search({ query: 'is:outdated' }).ids).toEqual([first.id]);

  // The guest has a disk of its own: the image can go, and where it came from is still known.
  await engine.images.delete(first.id);
  expect(engine.catalogue.origin(guest.id).origin).toMatchObject({ imageName: 'Web 1', present: false, series: { version: 1 }, newer });
  await expect(engine.images.edit(second.id, { series: { name: 'Web', version: 2 } }, [])).resolves.toMatchObject({
    series: { version: 2 },
  });
});

test('a series that gets another name keeps its guests, also those whose image is gone, and gets its old one back', async () => {
  const engine = await rooms();
  const first = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12));
  const second = await importFile(engine, await makeLinuxDisk(join(engine.home, 'b.img'), alpine));
  await engine.images.edit(first.id, { series: { name: 'Web' } }, []);
  await engine.images.edit(second.id, { series: { name: 'Web' } }, []);
  const { guest, job } = await engine.creation.create(
    { kind: 'image', imageId: first.id },
    { name: 'web', shareImage: false },
    'root via test',
  );
  expect((await engine.jobs.ended(job.id)).state).toBe('succeeded');
  await engine.images.delete(first.id);
  expect(engine.catalogue.renameSeries('web', 'Shop', 'root')).toEqual({ changed: 1, edit: expect.any(Number) });
  expect(engine.catalogue.origin(guest.id).origin).toMatchObject({
    present: false,
    series: { name: 'Shop', version: 1 },
    newer: { imageId: second.id },
  });
  expect(engine.catalogue.undoEdit(undefined)).toEqual({ restored: 1, kept: [] });
  expect(engine.catalogue.origin(guest.id).origin).toMatchObject({ series: { name: 'Web' }, newer: { imageId: second.id } });
});

test('an image is made of a guest: its disk whole and alone, in the series, with what its agent said', async () => {
  const engine = await rooms();
  const base = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12), 'Web 1');
  await engine.images.edit(base.id, { series: { name: 'Web' } }, []);
  const { guest, job } = await engine.creation.create({ kind: 'image', imageId: base.id }, { name: 'Shop' }, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  const disk = engine.layout.guest(guest.id).disk('disk0.qcow2');
  // The disk builds upon the image; what the guest wrote lies in it alone, here behind the file system.
  const { spec } = engine.guests.show(guest.id);
  expect(run('qemu-img', 'info', disk)).toContain('backing file');
  const at = spec.disks[0]?.sizeBytes ?? 0;
  run('qemu-img', 'resize', '-q', '-f', 'qcow2', disk, String(at + 1024 ** 2));
  run('qemu-io', '-f', 'qcow2', '-c', `write -P 7 ${at} 64k`, disk);

  const capture = engine.catalogue.capture(
    { guest: guest.id, name: 'Web 2', series: { name: 'Web', changeNote: 'What Shop has learnt' }, lifecycle: 'draft' },
    'root via test',
  );
  expect(await engine.jobs.ended(capture.id)).toMatchObject({ state: 'succeeded' });
  const image = engine.images.list().find(({ name }) => name === 'Web 2');
  expect(image).toMatchObject({
    format: 'qcow2',
    source: 'The guest Shop',
    os: { distro: 'debian', version: '12' },
    patchLevel: '2026-06-17',
    kernels: debian12.kernels.toReversed(),
    series: { name: 'Web', version: 2, changeNote: 'What Shop has learnt' },
    lifecycle: 'draft',
    byHand: [],
  });
  const path = image?.path ?? '';
  expect(run('qemu-img', 'info', path)).not.toContain('backing file');
  expect(run('qemu-img', 'compare', '-f', 'qcow2', '-F', 'qcow2', path, disk)).toContain('identical');
  expect(await readdir(engine.layout.images)).toHaveLength(2);
});

test('what the agent of a guest said is known of an image whose disk cannot be read', async () => {
  const engine = await rooms();
  const raw = join(engine.home, 'opaque.img');
  run('qemu-img', 'create', '-q', '-f', 'raw', raw, '4M');
  run('qemu-io', '-f', 'raw', '-c', 'write -P 85 510 1', '-c', 'write -P 170 511 1', '-c', 'write -P 3 1M 64k', raw);
  const base = await importFile(engine, raw, 'Opaque');
  const { guest, job } = await engine.creation.create({ kind: 'image', imageId: base.id }, { name: 'Shop' }, 'root via test');
  await engine.jobs.ended(job.id);
  const facts = {
    ...noFacts,
    patchLevel: '2026-09-01',
    patchLevelFrom: 'By its agent.',
    kernels: ['6.9'],
    osName: 'Some Linux',
    readAt: guest.createdAt,
  };
  engine.database.prepare('test.facts', 'INSERT INTO guest_facts (guest_id, facts) VALUES (?, ?)').run(guest.id, JSON.stringify(facts));
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 4 2M 64k', engine.layout.guest(guest.id).disk('disk0.qcow2'));
  await engine.jobs.ended(engine.catalogue.capture({ guest: guest.id, name: 'Taken' }, 'root via test').id);
  expect(engine.images.list().find(({ name }) => name === 'Taken')).toMatchObject({
    patchLevel: '2026-09-01',
    patchLevelFrom: `By its agent. Asked of the running guest on ${guest.createdAt.slice(0, 10)}.`,
    kernels: ['6.9'],
    byHand: [],
  });
});

test('no image is made of a guest without a disk, nor of one that nobody knows', async () => {
  const engine = await rooms();
  const disc = await importFile(engine, '/usr/lib/memtest86+/memtest86+x64.iso');
  const { guest, job } = await engine.creation.create(
    { kind: 'image', imageId: disc.id },
    { name: 'Tester', diskGiB: null },
    'root via test',
  );
  await engine.jobs.ended(job.id);
  expect(() => engine.catalogue.capture({ guest: guest.id, name: 'None' }, 'root')).toThrow(
    'Tester has no disk of which an image could be made.',
  );
  expect(() => engine.catalogue.capture({ guest: 'gzzzzzzzzz' as GuestId, name: 'None' }, 'root')).toThrow('There is no guest');
});

test('the contents of two versions are compared block by block, as qemu-img and a hash of them say', async () => {
  const engine = await rooms();
  const one = join(engine.home, 'one.qcow2');
  run('qemu-img', 'create', '-q', '-f', 'qcow2', one, '64M');
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 1 0 4M', '-c', 'write -P 2 16M 1M', '-c', 'write -P 3 40M 64k', one);
  const two = join(engine.home, 'two.qcow2');
  run('qemu-img', 'convert', '-c', '-f', 'qcow2', '-O', 'qcow2', one, two);
  const first = await importFile(engine, one, 'First');
  const same = await importFile(engine, two, 'Packed the same');
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 9 1M 128k', '-c', 'write -z 16M 1M', '-c', 'write -P 5 50M 192k', one);
  const changed = await importFile(engine, one, 'Changed');
  const kib = 1024;
  const compare = async (left: Image, right: Image) => {
    const job = await engine.jobs.ended(engine.catalogue.compare(left.id, right.id, 'root').id);
    expect(job).toMatchObject({ state: 'succeeded' });
    return engine.catalogue.differences(left.id, right.id);
  };

  expect(engine.catalogue.differences(first.id, changed.id).content).toBeNull();
  const found = await compare(first, changed);
  expect(found.content).toMatchObject({
    spanBytes: 64 * kib ** 2,
    changedBytes: 128 * kib,
    onlyOneBytes: kib ** 2,
    onlyOtherBytes: 192 * kib,
    sameBytes: (4 * kib - 128 + 64) * kib,
  });
  // 128 parts of half a mebibyte: the third, the two from 16 MiB on, and the one at 50 MiB.
  const map = found.content?.map ?? [];
  expect(map.flatMap((share, part) => (share > 0 ? [part] : []))).toEqual([2, 32, 33, 100]);
  expect(found.fields.map(({ field }) => field)).toContain('sha256');
  // Seen from the other side nothing has to be read again.
  expect(engine.catalogue.differences(changed.id, first.id).content).toMatchObject({ onlyOneBytes: 192 * kib, onlyOtherBytes: kib ** 2 });

  const equal = await compare(first, same);
  expect(equal.content).toMatchObject({ changedBytes: 0, onlyOneBytes: 0, onlyOtherBytes: 0, sameBytes: (5 * kib + 64) * kib });
  expect(run('qemu-img', 'compare', '-f', 'qcow2', '-F', 'qcow2', first.path, same.path)).toContain('identical');
  expect(
    createHash('sha256')
      .update(await readFile(same.path))
      .digest('hex'),
  ).toBe(same.sha256);
});

test('a disc is not compared with a disk, nor an image with itself', async () => {
  const engine = await rooms();
  const disc = await importFile(engine, '/usr/lib/memtest86+/memtest86+x64.iso');
  const disk = await importFile(engine, await makeLinuxDisk(join(engine.home, 'a.img'), debian12));
  expect(() => engine.catalogue.compare(disc.id, disk.id, 'root')).toThrow('One is a disc and the other a disk');
  expect(engine.catalogue.differences(disk.id, disk.id)).toMatchObject({
    fields: [],
    cannotCompare: 'An image does not differ from itself.',
  });
  expect(engine.jobs.list(['running', 'queued'])).toEqual([]);
});

test('a guest that nobody knows has no origin', async () => {
  const engine = await rooms();
  expect(() => engine.catalogue.origin('gzzzzzzzzz' as GuestId)).toThrow('There is no guest');
});
