import { execFileSync, spawn } from 'node:child_process';
import { appendFile, copyFile, mkdir, readdir, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CallOutput } from '../../contract/calls.ts';
import type { CreateChoices, CreateSource } from '../../contract/guest-creation.ts';
import type { Job } from '../../contract/job.ts';
import type { JobDefinition } from '../../main/engine/jobs/job-definition.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';

const memtest = '/usr/lib/memtest86+/memtest86+x64.iso';
const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

async function rooms(options: Parameters<typeof openRooms>[0] = {}): Promise<Rooms> {
  const opened = await openRooms(options);
  onTestFinished(() => opened.close());
  return opened;
}

const iso: CreateSource = { kind: 'iso', path: memtest };
const who = 'root via test';

type Plan = CallOutput<'guest.plan'>;
const notesAt = (plan: Plan, path: string) => plan.notes.filter((note) => note.path === path).map((note) => note.severity);
const plan = async (choices: CreateChoices, source: CreateSource = iso, engine?: Rooms) =>
  (engine ?? (await rooms())).creation.plan(source, choices);

/** A job that keeps a disk busy for as long as the test wants. */
const waitFor = (end: Promise<void>): JobDefinition<null> => ({
  kind: 'image.import',
  parseInput: () => null,
  steps: [{ name: 'wait', weight: 1, run: () => end }],
  afterCrash: 'undo',
  cancellable: true,
});

async function create(engine: Rooms, source: CreateSource, choices: CreateChoices) {
  const { guest, job } = await engine.creation.create(source, choices, who);
  const ended = await engine.jobs.ended(job.id);
  return { id: guest.id, job: ended, guest: engine.guests.list().find((one) => one.id === guest.id) };
}

/** A qcow2 disk that a computer could start from, with some data. */
function bootableDisk(path: string, sizeMiB: number, dataMiB = 1): string {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', path, `${sizeMiB}M`);
  const record = '-c';
  run(
    'qemu-io',
    '-f',
    'qcow2',
    record,
    'write -P 1 0 440',
    record,
    'write -P 0x80 446 1',
    record,
    'write -P 0x83 450 1',
    record,
    'write -P 1 454 1',
    record,
    'write -P 1 458 2',
    record,
    'write -P 0x55 510 1',
    record,
    'write -P 0xaa 511 1',
    path,
  );
  for (let mib = 1; mib <= dataMiB; mib++) run('qemu-io', '-f', 'qcow2', '-c', `write -P ${mib % 255} ${mib}M 1M`, path);
  return path;
}

/** A raw disk that a computer could start from, without a hole in it. */
async function writeRawDisk(path: string, sizeMiB: number): Promise<void> {
  const data = Buffer.alloc(sizeMiB * 1024 ** 2, 'guesthouse');
  data.fill(0, 1, 510);
  data[450] = 0x83;
  data.writeUInt32LE(1, 454);
  data.writeUInt32LE(2048, 458);
  data.writeUInt16LE(0xaa55, 510);
  await writeFile(path, data);
}

const copyOf = ({ steps }: Job) => steps.find(({ name }) => name === 'Make its disk');

test('a plan from an ISO is a whole spec with a name, hardware for the operating system and no notes', async () => {
  const { spec, medium, diskGiB, notes } = await plan({});
  expect(notes.filter((note) => note.severity === 'problem')).toEqual([]);
  expect(medium).toMatchObject({ format: 'iso', label: 'MT86PLUS_64' });
  expect(diskGiB).toBeNull();
  expect(spec).toMatchObject({
    name: 'Memtest86+',
    machine: 'q35',
    memoryMiB: 256,
    disks: [],
    cdDrives: [{ medium: { kind: 'in-place', path: memtest }, bootOrder: 1 }],
  });
});

test('what was chosen stands over what is usual', async () => {
  const choices: CreateChoices = {
    name: 'Mine',
    memoryMiB: 333,
    cpu: { cores: 2 },
    diskGiB: 3,
    diskBus: 'nvme',
    nicModel: 'rtl8139',
    network: 'restricted',
    firmware: 'bios',
    tags: ['a'],
  };
  const { spec, diskGiB } = await plan(choices);
  expect(diskGiB).toBe(3);
  expect(spec).toMatchObject({
    name: 'Mine',
    memoryMiB: 333,
    cpu: { sockets: 1, cores: 2, threads: 1 },
    firmware: 'bios',
    tags: ['a'],
    disks: [{ bus: 'nvme', sizeBytes: 3 * 1024 ** 3, bootOrder: 1, location: { kind: 'store', file: 'disk0.qcow2' } }],
    cdDrives: [{ bootOrder: 2 }],
    nics: [{ model: 'rtl8139', restricted: true }],
  });
});

test('planning changes nothing', async () => {
  const engine = await rooms();
  await plan({}, iso, engine);
  expect(engine.guests.list()).toEqual([]);
  expect(engine.jobs.list()).toEqual([]);
  expect(await readdir(engine.home)).not.toContain('guests');
});

test.each([['a/b'], ['..'], ['two\nlines'], [''], [' edge '], ['x'.repeat(300)], ['right\u2028to']])(
  'a guest cannot be named %j, and the note stands at the name',
  async (name) => {
    const result = await plan({ name });
    expect(notesAt(result, 'name')).toEqual(['problem']);
    expect(result.spec).toBeNull();
  },
);

test('emoji and other scripts make good names', async () => {
  expect((await plan({ name: '🐧 Пингвин 企鹅' })).spec?.name).toBe('🐧 Пингвин 企鹅');
});

test('a name is taken once, and the suggestion moves on by itself', async () => {
  const engine = await rooms({ settings: { keepFreeMiB: 0 } });
  await create(engine, iso, {});
  expect(notesAt(await plan({ name: 'Memtest86+' }, iso, engine), 'name')).toEqual(['problem']);
  expect((await plan({}, iso, engine)).spec?.name).toBe('Memtest86+ (2)');
  await expect(engine.creation.create(iso, { name: 'Memtest86+' }, who)).rejects.toMatchObject({
    error: { code: 'guest/name-taken', path: 'name' },
  });
});

test('two creations at once with one name make one guest', async () => {
  const engine = await rooms({ settings: { keepFreeMiB: 0 } });
  const both = await Promise.allSettled([1, 2].map(() => engine.creation.create(iso, { name: 'Same' }, who)));
  expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(engine.guests.list()).toHaveLength(1);
  for (const job of engine.jobs.list()) await engine.jobs.ended(job.id);
});

test('memory and processors beyond the host are problems by name', async () => {
  const engine = await rooms();
  const tooMuch = await plan({ memoryMiB: 16_000_000, cpu: { cores: 200 } }, iso, engine);
  expect(notesAt(tooMuch, 'memoryMiB')).toEqual(['problem']);
  expect(notesAt(tooMuch, 'cpu')).toEqual(['problem']);
  const { memoryMiB } = await engine.host.report();
  expect(notesAt(await plan({ memoryMiB: Math.floor(memoryMiB * 0.9) }, iso, engine), 'memoryMiB')).toEqual(['warning']);
  await expect(engine.creation.create(iso, { memoryMiB: 16_000_000 }, who)).rejects.toMatchObject({
    error: { code: 'host/not-enough-memory' },
  });
  await expect(engine.creation.create(iso, { cpu: { cores: 200 } }, who)).rejects.toMatchObject({ error: { code: 'host/too-many-cpus' } });
  expect(engine.guests.list()).toEqual([]);
});

test('a machine, a processor and an architecture that cannot be built are named at their fields', async () => {
  const engine = await rooms();
  expect(notesAt(await plan({ machine: 'microvm' }, iso, engine), 'machine')).toEqual(['problem']);
  expect(notesAt(await plan({ machine: 'pc-q35-99.0' }, iso, engine), 'machine')).toEqual(['problem']);
  expect(notesAt(await plan({ machine: 'pc', firmware: 'uefi-secure' }, iso, engine), 'firmware')).toContain('problem');
  expect(notesAt(await plan({ cpu: { model: 'PDP-11' } }, iso, engine), 'cpu.model')).toEqual(['problem']);
  expect(notesAt(await plan({ architecture: 'aarch64' }, iso, engine), 'architecture')).toEqual(['problem']);
});

test('an accelerator that failed its probe is a problem with the reason', async () => {
  const engine = await rooms();
  const result = await plan({ accelerator: 'whpx' }, iso, engine);
  expect(result.notes).toContainEqual(expect.objectContaining({ path: 'accelerator', severity: 'problem' }));
});

test('without QEMU, or without SPICE in it, a plan says so', async () => {
  const outside = await rooms();
  await mkdir(join(outside.home, 'empty'));
  const none = await rooms({ environment: { GUESTHOUSE_QEMU_FOLDER: join(outside.home, 'empty') } });
  expect((await plan({}, iso, none)).notes).toContainEqual(expect.objectContaining({ path: 'architecture', severity: 'problem' }));
  await expect(none.creation.create(iso, {}, who)).rejects.toMatchObject({ error: { code: 'host/no-qemu' } });

  const stub = join(outside.home, 'qemu-system-x86_64');
  await writeFile(stub, '#!/bin/sh\n[ "$1" = -spice ] && { echo "invalid option" >&2; exit 1; }\nexec /usr/bin/qemu-system-x86_64 "$@"\n', {
    mode: 0o755,
  });
  const mute = await rooms({ environment: { GUESTHOUSE_QEMU_FOLDER: outside.home } });
  expect((await plan({}, iso, mute)).notes).toContainEqual(expect.objectContaining({ path: 'display', severity: 'problem' }));
});

test('a port that is in use now is a problem, one of another guest a warning', async () => {
  const engine = await rooms({ settings: { keepFreeMiB: 0 } });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const hostPort = typeof address === 'object' && address ? address.port : 0;
  const forwards = [{ protocol: 'tcp' as const, hostAddress: '127.0.0.1', hostPort, guestPort: 22 }];
  expect(notesAt(await plan({ forwards }, iso, engine), 'forwards.0.hostPort')).toEqual(['problem']);
  await expect(engine.creation.create(iso, { forwards }, who)).rejects.toMatchObject({ error: { code: 'guest/port-taken' } });
  await new Promise((resolve) => server.close(resolve));
  await create(engine, iso, { forwards });
  expect(notesAt(await plan({ forwards }, iso, engine), 'forwards.0.hostPort')).toEqual(['warning']);
});

test('media that cannot be used come back as a note at the path, with what is wrong', async () => {
  const engine = await rooms();
  await copyFile(memtest, join(engine.home, 'short.iso'));
  await truncate(join(engine.home, 'short.iso'), 1_000_000);
  await writeFile(join(engine.home, 'text.iso'), 'not an iso\n'.repeat(5000));
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', join(engine.home, 'theft.qcow2'), '1G');
  const bootable = bootableDisk(join(engine.home, 'disk.qcow2'), 16);
  const sources: [CreateSource, string][] = [
    [{ kind: 'iso', path: join(engine.home, 'short.iso') }, 'image/truncated'],
    [{ kind: 'iso', path: join(engine.home, 'text.iso') }, 'image/not-an-image'],
    [{ kind: 'iso', path: engine.home }, 'image/not-a-file'],
    [{ kind: 'iso', path: join(engine.home, 'none.iso') }, 'image/file-missing'],
    [{ kind: 'iso', path: bootable }, 'image/not-an-image'],
    [{ kind: 'disk', path: memtest, inPlace: false }, 'image/not-an-image'],
    [{ kind: 'disk', path: join(engine.home, 'theft.qcow2'), inPlace: true }, 'image/outside-reference'],
  ];
  for (const [source, code] of sources) {
    expect(notesAt(await plan({}, source, engine), 'source.path')).toContain('problem');
    await expect(engine.creation.create(source, {}, who), JSON.stringify(source)).rejects.toMatchObject({ error: { code } });
  }
  expect(engine.guests.list()).toEqual([]);
});

test('a guest from an ISO gets an empty disk that qemu-img finds clean', async () => {
  const engine = await rooms();
  const { id, job, guest } = await create(engine, iso, { name: 'Empty', diskGiB: 5 });
  expect(job).toMatchObject({ state: 'succeeded', target: { kind: 'guest', id } });
  expect(guest?.state.status).toBe('off');
  const disk = engine.layout.guest(id).disk('disk0.qcow2');
  expect(JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'qcow2', disk))).toMatchObject({
    'virtual-size': 5 * 1024 ** 3,
    'cluster-size': 65_536,
  });
  run('qemu-img', 'check', '-q', '-f', 'qcow2', disk);
  expect((await stat(engine.layout.guest(id).folder)).mode & 0o777).toBe(0o700);
  expect(await readdir(engine.layout.guest(id).folder)).toEqual(['disk0.qcow2']);
});

test('a disk is copied, grown and the same to its last byte; the original is not touched', async () => {
  const engine = await rooms();
  const original = bootableDisk(join(engine.home, 'original.qcow2'), 64, 4);
  run('qemu-img', 'snapshot', '-c', 'before', original);
  const raw = join(engine.home, 'original.raw');
  run('qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', original, raw);
  const { mtimeMs } = await stat(original);
  for (const path of [original, raw]) {
    const { id, job } = await create(engine, { kind: 'disk', path, inPlace: false }, { diskGiB: 1 });
    expect(job).toMatchObject({ state: 'succeeded', error: null });
    const disk = engine.layout.guest(id).disk('disk0.qcow2');
    expect(JSON.parse(run('qemu-img', 'info', '--output=json', '-f', 'qcow2', disk))).toMatchObject({ 'virtual-size': 1024 ** 3 });
    // Only the size differs, and what is behind the original's end is zeros: qemu-img then says so and finds them identical.
    run('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'qcow2', raw, disk);
    run('qemu-img', 'check', '-q', '-f', 'qcow2', disk);
  }
  expect((await stat(original)).mtimeMs).toBe(mtimeMs);
});

test('a disk is never made smaller', async () => {
  const engine = await rooms();
  const path = bootableDisk(join(engine.home, 'large.qcow2'), 3 * 1024);
  expect(notesAt(await plan({ diskGiB: 1 }, { kind: 'disk', path, inPlace: false }, engine), 'diskGiB')).toEqual(['problem']);
});

test('a disk used in place stays where it is, keeps its size, and serves one guest only', async () => {
  const engine = await rooms();
  const outside = await rooms();
  const path = bootableDisk(join(outside.home, 'mine.qcow2'), 64);
  const source: CreateSource = { kind: 'disk', path, inPlace: true };
  expect(notesAt(await plan({ diskGiB: 10 }, source, engine), 'diskGiB')).toEqual(['problem']);
  const { job, guest } = await create(engine, source, { name: 'First' });
  expect(job.state).toBe('succeeded');
  expect(guest?.spec.disks).toMatchObject([{ location: { kind: 'in-place', path }, format: 'qcow2', sizeBytes: 64 * 1024 ** 2 }]);
  await expect(engine.creation.create(source, { name: 'Second' }, who)).rejects.toMatchObject({
    error: { code: 'image/in-use', message: expect.stringContaining('First') },
  });
});

test('a disk inside the store cannot be used in place', async () => {
  const engine = await rooms();
  const { id } = await create(engine, iso, { name: 'Owner', diskGiB: 1 });
  const path = engine.layout.guest(id).disk('disk0.qcow2');
  await expect(engine.creation.create({ kind: 'disk', path, inPlace: true }, { name: 'Thief' }, who)).rejects.toMatchObject({
    error: { code: 'image/in-use' },
  });
});

test('a disk that another program writes to is refused', async () => {
  const engine = await rooms();
  const path = bootableDisk(join(engine.home, 'busy.qcow2'), 64);
  const holder = spawn('qemu-io', ['-f', 'qcow2', path], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void holder.kill());
  await new Promise<void>((resolve) => holder.stdout.once('data', () => resolve()));
  await expect(engine.creation.create({ kind: 'disk', path, inPlace: false }, {}, who)).rejects.toMatchObject({
    error: { code: 'image/in-use' },
  });
});

test('a cancelled creation leaves neither guest nor folder', async () => {
  const engine = await rooms();
  const path = join(engine.home, 'large.img');
  await writeRawDisk(path, 200);
  const { guest, job } = await engine.creation.create({ kind: 'disk', path, inPlace: false }, { name: 'Gone' }, who);
  await until('the copy to begin', () => copyOf(engine.jobs.show(job.id))?.state === 'running');
  engine.jobs.cancel(job.id, 'The user cancelled it.');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'cancelled' });
  await until('the guest to go', () => engine.guests.list().length === 0);
  await expect(stat(engine.layout.guest(guest.id).folder)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a creation that is cancelled before its turn leaves no guest either', async () => {
  const engine = await rooms();
  const path = join(engine.home, 'mine.img');
  await writeRawDisk(path, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  // As many as copy disks at once.
  const copies = { title: 'Import', target: { kind: 'image' as const, id: null, name: 'Large' }, input: null, startedBy: who };
  const busy = [1, 2].map(() => engine.jobs.start(waitFor(promise), copies).id);
  const { job, guest } = await engine.creation.create({ kind: 'disk', path, inPlace: false }, { name: 'Gone' }, who);
  expect(engine.jobs.show(job.id).state).toBe('queued');
  engine.jobs.cancel(job.id, 'Not that one.');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'cancelled' });
  await until('the guest to go', () => engine.guests.list().length === 0);
  await expect(stat(engine.layout.guest(guest.id).folder)).rejects.toMatchObject({ code: 'ENOENT' });
  resolve();
  for (const id of busy) expect(await engine.jobs.ended(id)).toMatchObject({ state: 'succeeded' });
});

test('a source that changes while it is copied is not kept', async () => {
  const engine = await rooms();
  const path = join(engine.home, 'growing.img');
  await writeRawDisk(path, 200);
  const { job } = await engine.creation.create({ kind: 'disk', path, inPlace: false }, { name: 'Torn' }, who);
  await until('the copy to begin', () => copyOf(engine.jobs.show(job.id))?.state === 'running');
  await appendFile(path, Buffer.alloc(512));
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'failed', error: { code: 'image/changed' } });
  await until('the guest to go', () => engine.guests.list().length === 0);
});

testWithMount('a store that fills up half-way gives a clear error and nothing is left behind', async () => {
  const home = await smallFileSystem(96);
  const engine = await rooms({ home, settings: { keepFreeMiB: 0 } });
  const outside = await rooms();
  const path = join(outside.home, 'disk.img');
  await writeRawDisk(path, 80);
  const { guest, job } = await engine.creation.create({ kind: 'disk', path, inPlace: false }, { name: 'Full' }, who);
  await writeFile(join(home, 'filler'), Buffer.alloc(60 * 1024 ** 2, 1)).catch(() => undefined);
  const ended = await engine.jobs.ended(job.id);
  expect(ended).toMatchObject({ state: 'failed', error: { code: 'store/full', hint: expect.any(String) } });
  await until('the guest to go', () => engine.guests.list().length === 0);
  await expect(stat(engine.layout.guest(guest.id).folder)).rejects.toMatchObject({ code: 'ENOENT' });
});

testWithMount('a copy that cannot fit is refused before it begins, and a read-only store is named', async () => {
  const home = await smallFileSystem(32);
  const engine = await rooms({ home, settings: { keepFreeMiB: 0 } });
  const outside = await rooms();
  const path = join(outside.home, 'disk.img');
  await writeRawDisk(path, 64);
  await expect(engine.creation.create({ kind: 'disk', path, inPlace: false }, {}, who)).rejects.toMatchObject({
    error: { code: 'store/full' },
  });
  run('mount', '-o', 'remount,ro', home);
  const { job } = await create(engine, iso, { name: 'Fixed', diskGiB: 1 });
  expect(job).toMatchObject({ state: 'failed', error: { code: 'store/not-writable' } });
  await until('the guest to go', () => engine.guests.list().length === 0);
});

test('a creation that an engine died in is finished by the next', async () => {
  const engine = await rooms();
  const path = join(engine.home, 'large.img');
  await writeRawDisk(path, 150);
  const { guest, job } = await engine.creation.create({ kind: 'disk', path, inPlace: false }, { name: 'Survivor' }, who);
  await until('the copy to begin', () => copyOf(engine.jobs.show(job.id))?.state === 'running');
  await engine.jobs.interrupt(5000);

  const next = await openRooms({ home: engine.home, database: engine.database });
  next.guests.put(guest);
  await next.jobs.recover(next.creation.jobDefinitions, () => next.creation.settleLeftovers());
  expect(await next.jobs.ended(job.id)).toMatchObject({ state: 'succeeded' });
  expect(next.guests.list()).toMatchObject([{ id: guest.id, state: { status: 'off' } }]);
  run('qemu-img', 'compare', '-q', '-f', 'raw', '-F', 'qcow2', path, next.layout.guest(guest.id).disk('disk0.qcow2'));
});

test('a guest that was being created and that no job cares for goes when the engine starts', async () => {
  const engine = await rooms();
  const { guest } = await engine.creation.create(iso, { name: 'Orphan', diskGiB: 1 }, who);
  for (const job of engine.jobs.list()) await engine.jobs.ended(job.id);
  const next = await openRooms({ home: engine.home });
  next.guests.put({ ...guest, state: { ...guest.state, status: 'creating' } });
  await next.creation.settleLeftovers();
  expect(next.guests.list()).toEqual([]);
});

test('the starter’s image makes a guest in no time', async () => {
  const engine = await rooms();
  const job = await engine.images.import(bootableDisk(join(engine.home, 'tiny.qcow2'), 64), 'Tiny', who);
  const imported = await engine.jobs.ended(job.id);
  if (imported.target.kind !== 'image' || !imported.target.id) throw new Error('No image.');
  const { guest, job: ended } = await create(engine, { kind: 'image', imageId: imported.target.id }, {});
  expect(ended.state).toBe('succeeded');
  expect(guest?.spec).toMatchObject({ disks: [{ format: 'qcow2', sizeBytes: 64 * 1024 ** 2 }], cdDrives: [{ medium: null }] });
});

/** An ISO with the label, the publisher and both boot loaders of an installer disc. */
async function installerDisc(home: string, name: string, volumeId: string, publisher: string): Promise<CreateSource> {
  const tree = join(home, `${name}.tree`);
  await mkdir(tree, { recursive: true });
  await writeFile(join(tree, 'bios.img'), Buffer.alloc(2048, 0xf4));
  await writeFile(join(tree, 'efi.img'), Buffer.alloc(65_536, 1));
  const path = join(home, name);
  const bios = ['-b', 'bios.img', '-no-emul-boot', '-boot-load-size', '4'];
  const uefi = ['-eltorito-alt-boot', '-e', 'efi.img', '-no-emul-boot'];
  run('xorriso', '-as', 'mkisofs', '-quiet', '-V', volumeId, '-publisher', publisher, ...bios, ...uefi, '-o', path, tree);
  return { kind: 'iso', path };
}

test('a Windows 11 disc gets Secure Boot, a TPM and devices that it has drivers for', async () => {
  const engine = await rooms();
  const source = await installerDisc(engine.home, 'windows.iso', 'CCCOMA_X64FRE_EN-US_DV9', 'MICROSOFT CORPORATION');
  const { spec, notes } = await plan({}, source, engine);
  expect(notes.filter((note) => note.severity === 'problem')).toEqual([]);
  expect(spec).toMatchObject({
    name: 'Windows 11',
    machine: 'q35',
    firmware: 'uefi-secure',
    tpm: true,
    clock: 'localtime',
    hypervEnlightenments: true,
    disks: [{ bus: 'sata', sizeBytes: 80 * 1024 ** 3 }],
    nics: [{ model: 'e1000e' }],
  });
  expect(notesAt(await plan({ tpm: false, firmware: 'uefi', memoryMiB: 1024 }, source, engine), 'tpm')).toEqual(['warning']);
});

test('a Debian disc gets UEFI and virtio', async () => {
  const engine = await rooms();
  const source = await installerDisc(engine.home, 'debian.iso', 'Debian 12.8.0 amd64 n', 'DEBIAN');
  expect((await plan({}, source, engine)).spec).toMatchObject({
    name: 'Debian 12',
    firmware: 'uefi',
    disks: [{ bus: 'virtio', iothread: true }],
    nics: [{ model: 'virtio' }],
    display: { device: 'virtio' },
    rng: true,
  });
});

test('macOS is refused with the reason, not with an error', async () => {
  const engine = await rooms();
  const source = await installerDisc(engine.home, 'macOS Sonoma.iso', 'Install macOS Sonoma', 'APPLE');
  const refused = await plan({}, source, engine);
  expect(refused.notes).toContainEqual(
    expect.objectContaining({ path: 'source.path', severity: 'problem', message: expect.stringContaining('macOS') }),
  );
});
