import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readdir, rename, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../contract/job.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { bootableDisk, ova, ovf } from '../support/ova-file.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

async function rooms(options: Parameters<typeof openRooms>[0] = {}): Promise<Rooms> {
  const opened = await openRooms({ ...options, settings: { keepFreeMiB: 0, ...options?.settings } });
  onTestFinished(() => opened.close());
  return opened;
}

type Wish = Parameters<Rooms['transfer']['import']>[0];

async function importMachine(
  engine: Rooms,
  wish: Wish,
): Promise<{ job: Job; guest: Awaited<ReturnType<Rooms['transfer']['import']>>['guest'] }> {
  const { job, guest } = await engine.transfer.import({ bootTest: false, ...wish }, 'root via test');
  return { job: await engine.jobs.ended(job.id), guest };
}

const compare = (engine: Rooms, id: Parameters<Rooms['layout']['guest']>[0], raw: string, file = 'disk0.qcow2') =>
  run('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', raw, engine.layout.guest(id).disk(file));
const blocked = (finding: string) => ({ error: { code: 'machine/blocked', message: expect.stringContaining(finding) } });

test('an OVA becomes a guest with its name, its hardware and the same disk', async () => {
  const engine = await rooms();
  const { raw, path } = await ova(join(engine.home, 'in'));
  const report = await engine.transfer.inspect({ path });
  expect(report).toMatchObject({
    kind: 'ova',
    name: 'Web server',
    os: { id: 'debian12' },
    cpus: 1,
    memoryMiB: 512,
    firmware: 'bios',
    disks: [{ file: 'web-disk1.vmdk', format: 'vmdk', virtualSizeBytes: 300 * 1024 ** 2, controller: 'lsilogic', bus: 'sata' }],
    nics: [{ model: 'vmxnet3' }],
    outsideFiles: [],
  });
  expect(report.findings.map(({ id, severity }) => [id, severity])).toEqual(
    expect.arrayContaining([
      ['source/manifest', 'ok'],
      ['disk/controller', 'info'],
    ]),
  );
  // Nothing was copied by looking.
  expect(await readdir(engine.layout.guests).catch(() => [])).toEqual([]);

  const { job, guest } = await importMachine(engine, { path });
  expect(job).toMatchObject({ state: 'succeeded', error: null });
  expect(compare(engine, guest.id, raw)).toContain('identical');
  expect(run('qemu-img', 'check', '-f', 'qcow2', engine.layout.guest(guest.id).disk('disk0.qcow2'))).toContain('No errors');
  const [made] = engine.guests.list();
  expect(made).toMatchObject({
    state: { status: 'off' },
    spec: { name: 'Web server', memoryMiB: 512, disks: [{ bus: 'sata', bootOrder: 1 }] },
  });
  expect(await readdir(engine.layout.guest(guest.id).folder)).toEqual(['disk0.qcow2']);
  expect(await engine.transfer.bootTest(guest.id)).toBeNull();
});

test('a second import of the same machine gets a name of its own', async () => {
  const engine = await rooms();
  const { path } = await ova(join(engine.home, 'in'));
  const both = await Promise.all([importMachine(engine, { path, name: 'One' }), importMachine(engine, { path, name: 'Two' })]);
  expect(both.map(({ job }) => job.state)).toEqual(['succeeded', 'succeeded']);
  await importMachine(engine, { path });
  expect((await engine.transfer.inspect({ path })).name).toBe('Web server (2)');
  await expect(engine.transfer.import({ path, name: 'One' }, 'test')).rejects.toMatchObject({ error: { code: 'guest/name-taken' } });
});

test('a disk that is not the one of the manifest, or is not there, stops the import and leaves nothing', async () => {
  const engine = await rooms();
  const wrong = await ova(join(engine.home, 'wrong'), { manifest: 'wrong' });
  const { job } = await importMachine(engine, { path: wrong.path });
  expect(job).toMatchObject({ state: 'failed', error: { code: 'machine/wrong-hash', message: expect.stringContaining('web-disk1.vmdk') } });
  await until('the guest to be gone', () => engine.guests.list().length === 0);
  expect(await readdir(engine.layout.guests)).toEqual([]);

  const missing = await ova(join(engine.home, 'missing'), { href: 'other.vmdk' });
  expect((await engine.transfer.inspect({ path: missing.path })).findings[0]).toMatchObject({ id: 'disk/unusable', severity: 'problem' });
  await expect(engine.transfer.import({ path: missing.path }, 'test')).rejects.toMatchObject(blocked('other.vmdk'));
  for (const href of ['../raw.img', '/etc/passwd']) {
    const hostile = await ova(join(engine.home, 'hostile'), { href });
    await expect(engine.transfer.import({ path: hostile.path }, 'test')).rejects.toMatchObject(blocked(href));
  }
});

test('a description whose own hash is wrong, or with entities, is refused at once', async () => {
  const engine = await rooms();
  const folder = join(engine.home, 'in');
  const { path } = await ova(folder);
  await appendFile(join(folder, 'web.ovf'), ' ');
  run('tar', '-C', folder, '--format=ustar', '-cf', path, 'web.ovf', 'web.mf', 'web-disk1.vmdk');
  await expect(engine.transfer.inspect({ path })).rejects.toMatchObject({ error: { code: 'machine/wrong-hash' } });
  await expect(engine.transfer.inspect({ path: join(folder, 'web.ovf') })).rejects.toMatchObject({ error: { code: 'machine/wrong-hash' } });
  await writeFile(join(folder, 'web.ovf'), `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${ovf('&e;')}`);
  run('tar', '-C', folder, '--format=ustar', '-cf', path, 'web.ovf', 'web-disk1.vmdk');
  await expect(engine.transfer.inspect({ path })).rejects.toMatchObject({ error: { code: 'machine/not-understood' } });
});

test('an archive that is cut short, holds a link, or leads out is refused', async () => {
  const engine = await rooms();
  const folder = join(engine.home, 'in');
  const { path } = await ova(folder);
  const { size } = await stat(path);
  await truncate(path, Math.floor(size / 2));
  await expect(engine.transfer.inspect({ path })).rejects.toMatchObject({ error: { code: 'image/truncated' } });
  await symlink('/etc/passwd', join(folder, 'x.vmdk'));
  run('tar', '-C', folder, '--format=ustar', '-cf', path, 'web.ovf', 'x.vmdk');
  await expect(engine.transfer.inspect({ path })).rejects.toMatchObject({ error: { code: 'machine/archive-refused' } });
  run('tar', '-C', folder, '--format=ustar', '-P', '--transform=s,web.mf,../../web.mf,', '-cf', path, 'web.ovf', 'web.mf');
  await expect(engine.transfer.inspect({ path })).rejects.toMatchObject({ error: { code: 'machine/archive-refused' } });
});

test('a machine of VMware with two disks, one of them split, becomes a guest with both', async () => {
  const engine = await rooms();
  const folder = join(engine.home, 'web.vmwarevm');
  await mkdir(folder);
  const first = await bootableDisk(join(engine.home, 'first.img'));
  const second = await bootableDisk(join(engine.home, 'second.img'), 200);
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', first, join(folder, 'web.vmdk'));
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=monolithicFlat', second, join(folder, 'data.vmdk'));
  const path = join(folder, 'web.vmx');
  await writeFile(
    path,
    'config.version = "8"\nvirtualHW.version = "19"\ndisplayName = "Web"\nguestOS = "debian12-64"\nmemsize = "512"\n' +
      'scsi0:0.fileName = "web.vmdk"\nscsi0:1.fileName = "data.vmdk"\nethernet0.present = "TRUE"\nethernet0.address = "00:50:56:01:02:03"\n',
  );
  const { job, guest } = await importMachine(engine, { path });
  expect(job.state).toBe('succeeded');
  expect(compare(engine, guest.id, first)).toContain('identical');
  expect(compare(engine, guest.id, second, 'disk1.qcow2')).toContain('identical');
  expect(guest.spec).toMatchObject({
    name: 'Web',
    disks: [{ bus: 'sata' }, { bus: 'sata', bootOrder: 2 }],
    nics: [{ mac: '00:50:56:01:02:03' }],
  });
});

test('a machine of VMware that stands on a snapshot, or is encrypted, says so and is not imported', async () => {
  const engine = await rooms();
  const base = join(engine.home, 'web.vmdk');
  run('qemu-img', 'create', '-q', '-f', 'vmdk', base, '64M');
  run('qemu-img', 'create', '-q', '-f', 'vmdk', '-b', base, '-F', 'vmdk', join(engine.home, 'web-000001.vmdk'));
  const path = join(engine.home, 'web.vmx');
  const text = 'config.version = "8"\nscsi0:0.fileName = "web-000001.vmdk"\n';
  await writeFile(path, text);
  expect((await engine.transfer.inspect({ path })).findings.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['disk/unusable', 'source/snapshots']),
  );
  await expect(engine.transfer.import({ path }, 'test')).rejects.toMatchObject({ error: { code: 'machine/blocked' } });
  await writeFile(path, `${text.replace('-000001', '')}encryption.keySafe = "x"\n`);
  await expect(engine.transfer.import({ path }, 'test')).rejects.toMatchObject(blocked('key'));
});

test('disks outside the folder of a machine are copied only when that is allowed, also those behind a link', async () => {
  const engine = await rooms();
  const outside = await rooms();
  const raw = await bootableDisk(join(outside.home, 'far.img'));
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(outside.home, 'far.qcow2'));
  const path = join(engine.home, 'web.xml');
  const domain = (file: string) =>
    `<domain><name>far</name><memory unit="MiB">512</memory><vcpu>1</vcpu><os><type arch="x86_64">hvm</type></os><devices>
    <disk type="file" device="disk"><driver type="qcow2"/><source file="${file}"/><target bus="virtio"/></disk></devices></domain>`;
  await writeFile(path, domain(join(outside.home, 'far.qcow2')));
  const report = await engine.transfer.inspect({ path });
  expect(report).toMatchObject({
    outsideFiles: [join(outside.home, 'far.qcow2')],
    disks: [],
    findings: [{ id: 'source/outside-files' }, {}],
  });
  await expect(engine.transfer.import({ path }, 'test')).rejects.toMatchObject(blocked('far.qcow2'));
  const { job, guest } = await importMachine(engine, { path, trustPaths: true });
  expect(job.state).toBe('succeeded');
  expect(compare(engine, guest.id, raw)).toContain('identical');
  expect(guest.spec.disks[0]).toMatchObject({ bus: 'virtio' });

  await symlink('/etc/passwd', join(engine.home, 'inside.qcow2'));
  await writeFile(path, domain('inside.qcow2'));
  await expect(engine.transfer.import({ path }, 'test')).rejects.toMatchObject(blocked('/etc/passwd'));
  // A text file is no disk, even if it is allowed.
  await expect(engine.transfer.import({ path, trustPaths: true }, 'test')).rejects.toMatchObject(blocked('text file'));
});

test('a disk that is said to be raw stays raw, whatever a guest wrote to its beginning', async () => {
  const engine = await rooms();
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', join(engine.home, 'trick.img'), '64M');
  const path = join(engine.home, 'web.xml');
  await writeFile(
    path,
    `<domain><name>raw</name><memory unit="MiB">512</memory><vcpu>1</vcpu><os><type arch="x86_64">hvm</type></os><devices>
    <disk type="file" device="disk"><driver type="raw"/><source file="trick.img"/><target bus="sata"/></disk></devices></domain>`,
  );
  const { job, guest } = await importMachine(engine, { path });
  expect(job.state).toBe('succeeded');
  // QEMU, told that it is raw, sees the same bytes: the description in them was read by nobody.
  expect(compare(engine, guest.id, join(engine.home, 'trick.img'))).toContain('identical');
});

test('a chain that leads in a circle is refused', async () => {
  const engine = await rooms();
  for (const [name, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-b', `${other}.qcow2`, '-F', 'qcow2', join(engine.home, `${name}.qcow2`), '64M');
  }
  await expect(engine.transfer.import({ path: join(engine.home, 'a.qcow2') }, 'test')).rejects.toMatchObject(blocked('b.qcow2'));
});

test('a bundle of UTM, a machine of VirtualBox, one of Quickemu and plain disks become guests', async () => {
  const engine = await rooms();
  const raw = await bootableDisk(join(engine.home, 'raw.img'));
  const bundle = join(engine.home, 'Linux.utm');
  await mkdir(join(bundle, 'Data'), { recursive: true });
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(bundle, 'Data', 'A.qcow2'));
  await writeFile(
    join(bundle, 'config.plist'),
    `<plist><dict><key>Information</key><dict><key>Name</key><string>From UTM</string></dict><key>System</key><dict><key>Architecture</key><string>x86_64</string>
    <key>MemorySize</key><integer>512</integer></dict><key>Drive</key><array><dict><key>ImageName</key><string>A.qcow2</string><key>ImageType</key><string>Disk</string>
    <key>Interface</key><string>VirtIO</string></dict></array><key>Network</key><array/></dict></plist>`,
  );
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vdi', raw, join(engine.home, 'box.vdi'));
  await writeFile(
    join(engine.home, 'box.vbox'),
    `<VirtualBox><Machine name="From VirtualBox" OSType="Debian_64"><MediaRegistry><HardDisks><HardDisk uuid="{1}" location="box.vdi" format="VDI"/></HardDisks></MediaRegistry>
    <Hardware><Memory RAMSize="512"/></Hardware><StorageControllers><StorageController type="PIIX4"><AttachedDevice type="HardDisk"><Image uuid="{1}"/></AttachedDevice></StorageController>
    </StorageControllers></Machine></VirtualBox>`,
  );
  await mkdir(join(engine.home, 'quick'));
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(engine.home, 'quick', 'disk.qcow2'));
  await writeFile(join(engine.home, 'quick.conf'), 'guest_os="linux"\ndisk_img="quick/disk.qcow2"\nram="1G"\nboot="legacy"\n');
  const expected: [Wish, string, string, number][] = [
    [{ path: bundle }, 'From UTM', 'virtio', 1],
    [{ path: join(engine.home, 'box.vbox') }, 'From VirtualBox', 'ide', 1],
    [{ path: join(engine.home, 'quick.conf') }, 'quick', 'virtio', 1],
    [{ path: raw, moreDisks: [join(engine.home, 'box.vdi')] }, 'raw', 'virtio', 2],
  ];
  for (const [wish, name, bus, count] of expected) {
    const { job, guest } = await importMachine(engine, wish);
    expect(job, name).toMatchObject({ state: 'succeeded' });
    expect(guest.spec).toMatchObject({ name, disks: { length: count } });
    expect(guest.spec.disks[0]?.bus).toBe(bus);
    for (let index = 0; index < count; index++) expect(compare(engine, guest.id, raw, `disk${index}.qcow2`)).toContain('identical');
  }
});

test('what is no machine is refused by name', async () => {
  const engine = await rooms();
  await writeFile(join(engine.home, 'a.vmx'), 'hello');
  await writeFile(join(engine.home, 'a.xml'), '<html/>');
  await mkdir(join(engine.home, 'folder'));
  await writeFile(join(engine.home, 'a.txt'), 'hello');
  await writeFile(join(engine.home, 'a.ova'), Buffer.alloc(2048, 1));
  for (const [name, code] of [
    ['a.vmx', 'machine/not-understood'],
    ['a.xml', 'machine/not-understood'],
    ['folder', 'image/not-a-file'],
    ['a.txt', 'image/not-an-image'],
    ['a.ova', 'machine/archive-refused'],
    ['none.ova', 'image/file-missing'],
  ]) {
    await expect(engine.transfer.inspect({ path: join(engine.home, name ?? '') }), name).rejects.toMatchObject({ error: { code } });
  }
});

test('an import that is cancelled leaves nothing, and one that an engine died in is finished by the next', async () => {
  const engine = await rooms();
  const { raw, path } = await ova(join(engine.home, 'in'), { dataMiB: 250 });
  const cancelled = await engine.transfer.import({ path, bootTest: false }, 'test');
  await until('bytes to be copied', () =>
    engine.jobs.show(cancelled.job.id).steps.some((step) => step.name === 'Copy its disks' && (step.bytesDone ?? 0) > 0),
  );
  engine.jobs.cancel(cancelled.job.id, 'The user cancelled it.');
  expect(await engine.jobs.ended(cancelled.job.id)).toMatchObject({ state: 'cancelled' });
  await until('the guest to be gone', () => engine.guests.list().length === 0);
  expect(await readdir(engine.layout.guests)).toEqual([]);

  const { job, guest } = await engine.transfer.import({ path, bootTest: false }, 'test');
  await until('bytes to be copied', () =>
    engine.jobs.show(job.id).steps.some((step) => step.name === 'Copy its disks' && (step.bytesDone ?? 0) > 0),
  );
  await engine.jobs.interrupt(5000);
  const next = await openRooms({ home: engine.home, database: engine.database, settings: { keepFreeMiB: 0 } });
  next.guests.beginCreation(guest.id, guest.spec);
  await next.jobs.recover(next.transfer.jobDefinitions);
  expect(await next.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  expect(compare(next, guest.id, raw)).toContain('identical');
});

test('a source that changes while it is copied is not kept', async () => {
  const engine = await rooms();
  const { path } = await ova(join(engine.home, 'in'), { dataMiB: 250 });
  const { job } = await engine.transfer.import({ path, bootTest: false }, 'test');
  await until('bytes to be copied', () =>
    engine.jobs.show(job.id).steps.some((step) => step.name === 'Copy its disks' && (step.bytesDone ?? 0) > 0),
  );
  await appendFile(path, Buffer.alloc(512));
  expect(await engine.jobs.ended(job.id)).toMatchObject({
    state: 'failed',
    error: { code: 'image/changed', message: expect.stringContaining(basename(path)) },
  });
});

testWithMount('a machine that does not fit is not imported, and the room is free again', async () => {
  const engine = await rooms({ home: await smallFileSystem(64) });
  const outside = await rooms();
  const { path } = await ova(join(outside.home, 'in'), { dataMiB: 250 });
  const { job } = await importMachine(engine, { path });
  expect(job).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  await until('the guest to be gone', () => engine.guests.list().length === 0);
  expect(await readdir(engine.layout.guests)).toEqual([]);
});

test('a machine whose folder was moved is found by its new place', async () => {
  const engine = await rooms();
  const { raw } = await ova(join(engine.home, 'in'));
  await rename(join(engine.home, 'in'), join(engine.home, 'moved here'));
  const { job, guest } = await importMachine(engine, { path: join(engine.home, 'moved here', 'web.ovf') });
  expect(job.state).toBe('succeeded');
  expect(compare(engine, guest.id, raw.replace('/in/', '/moved here/'))).toContain('identical');
});
