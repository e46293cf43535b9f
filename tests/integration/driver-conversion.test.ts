import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import zlib from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { dataRootAt } from '../../contract/data-root.ts';
import type { GuestId } from '../../contract/ids.ts';
import { jobEnded } from '../../contract/job.ts';
import { layoutOf } from '../../main/engine/files/layout.ts';
import { findGuestfsTools } from '../../main/engine/host/guestfs.ts';
import { convertDrivers, planConversion } from '../../main/engine/transfer/driver-conversion.ts';
import { unreadContent } from '../../main/engine/transfer/preflight.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { makeLinuxDisk } from '../support/linux-disk.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine, processExists } from '../support/whole-engine.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

const kernel = '6.1.0-18-amd64';
/** An archive with one file in it: header, name, content, and the end. */
function initial(file: string): Buffer {
  const entry = (name: string) => {
    const fields = [1, 0o100644, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.length + 1, 0]
      .map((value) => value.toString(16).padStart(8, '0'))
      .join('');
    const text = `070701${fields}${name}\0`;
    return text.padEnd(Math.ceil(text.length / 4) * 4, '\0');
  };
  return zlib.gzipSync(entry(file) + entry('TRAILER!!!'));
}
const modules = `lib/modules/${kernel}`;

/** A Linux that came from VMware: drivers for virtio are on its disk, and not in its start-up file system. */
async function foreignDisk(folder: string, drivers = 'kernel/drivers/scsi/mptspi.ko'): Promise<string> {
  await mkdir(folder, { recursive: true });
  const raw = await makeLinuxDisk(join(folder, 'web.img'), {
    osRelease: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    database: { path: 'var/lib/dpkg/status', changedOn: '2026-06-17' },
    files: {
      [`boot/initrd.img-${kernel}`]: initial(`usr/${modules}/${drivers}`),
      [`${modules}/modules.dep`]: 'kernel/drivers/virtio/virtio_pci.ko:\nkernel/drivers/block/virtio_blk.ko:\n',
    },
    kernels: [kernel],
  });
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', raw, join(folder, 'web.vmdk'));
  return join(folder, 'web.vmdk');
}

/** A folder of programs that stand in for virt-v2v and nbdkit: what they do is a few lines of shell, with the disk as $DISK. */
async function standIns(folder: string, name: 'virt-v2v-in-place' | 'virt-v2v', lines: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  const head = '#!/bin/sh\nfor DISK; do :; done\nprintf \'{ "message": "Opening the source", "type": "message" }\\n\'\n';
  await writeFile(join(bin, name), `${head}${lines}\n`);
  await writeFile(join(bin, 'nbdkit'), '#!/bin/sh\nexit 1\n');
  for (const file of [name, 'nbdkit']) await chmod(join(bin, file), 0o755);
  return bin;
}

type Imported = Awaited<ReturnType<typeof importDisk>>;

async function importDisk(lines: string, wish: { convert?: boolean } = {}, cancelWhen?: (engine: Rooms) => boolean) {
  const folder = `/tmp/gh-conversion-${process.hrtime.bigint().toString(36)}`;
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = await foreignDisk(folder);
  const before = sha256(path);
  const bin = await standIns(folder, 'virt-v2v-in-place', lines);
  const engine = await openRooms({
    settings: { keepFreeMiB: 0 },
    environment: { PATH: `${bin}${delimiter}${process.env.PATH}` },
  });
  onTestFinished(() => engine.close());
  const { job, guest } = await engine.transfer.import({ path, bootTest: false, ...wish }, 'root via test');
  if (cancelWhen) {
    await until('the stand-in to be at work', () => cancelWhen(engine));
    engine.jobs.cancel(job.id, 'root via test');
  }
  const ended = await engine.jobs.ended(job.id);
  expect(sha256(path)).toBe(before);
  return { engine, folder, path, ended, id: guest.id, disk: engine.layout.guest(guest.id).disk('disk0.qcow2') };
}

const specOf = ({ engine, id }: Imported) => engine.guests.show(id).spec;
const said = ({ engine }: Imported) => engine.events.filter(({ kind }) => kind === 'machine.drivers').map(({ text }) => text);
const compare = ({ path, disk }: Imported) => run('qemu-img', 'compare', '-f', 'vmdk', '-F', 'qcow2', path, disk);

/** The copy is as it was, and its guest has the hardware that it can start on. */
async function mustBeAsItWas(imported: Imported, reason: string | RegExp): Promise<void> {
  expect(imported.ended).toMatchObject({ state: 'succeeded', error: null });
  expect(compare(imported)).toContain('identical');
  expect(specOf(imported)).toMatchObject({ disks: [{ bus: 'sata' }] });
  expect(said(imported)).toEqual([expect.stringMatching(reason)]);
  expect(said(imported)[0]).toContain('The copy stays as it was.');
  expect(await readdir(imported.engine.layout.guest(imported.id).folder)).toEqual(['disk0.qcow2']);
}

test('what virt-v2v makes of the copy takes its place, whole and alone, and the guest gets fast hardware', async () => {
  const imported = await importDisk(`qemu-io -f qcow2 -c 'write -P 66 1M 64k' "$DISK" >/dev/null`);
  expect(imported.ended).toMatchObject({ state: 'succeeded', error: null });
  expect(run('qemu-io', '-f', 'qcow2', '-c', 'read -P 66 1M 64k', imported.disk)).not.toContain('failed');
  expect(JSON.parse(run('qemu-img', 'info', '--output=json', imported.disk))).not.toHaveProperty('backing-filename');
  expect(run('qemu-img', 'check', '-f', 'qcow2', imported.disk)).toContain('No errors');
  expect(specOf(imported)).toMatchObject({ disks: [{ bus: 'virtio', iothread: true }] });
  expect(specOf(imported).nics.every(({ model }) => model === 'virtio')).toBe(true);
  expect(said(imported)).toEqual([`${specOf(imported).name}: virt-v2v gave it drivers for virtio.`]);
  expect(await readdir(imported.engine.layout.guest(imported.id).folder)).toEqual(['disk0.qcow2']);
});

test('the pre-flight says what is lacking and what will be done, and nothing where nothing is', async () => {
  const folder = '/tmp/gh-conversion-look';
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const bin = await standIns(folder, 'virt-v2v-in-place', 'exit 0');
  const engine = await openRooms({ settings: { keepFreeMiB: 0 }, environment: { PATH: `${bin}${delimiter}${process.env.PATH}` } });
  onTestFinished(() => engine.close());
  const lacking = await engine.transfer.inspect({ path: await foreignDisk(join(folder, 'one')) });
  expect(lacking.conversion).toEqual({ text: expect.stringContaining(kernel), cannot: null });
  expect(lacking.findings).toContainEqual(
    expect.objectContaining({ id: 'machine/drivers', action: expect.stringContaining('the source is only read') }),
  );
  expect(lacking.disks).toMatchObject([{ bus: 'sata' }]);
  const path = await foreignDisk(join(folder, 'two'), 'kernel/drivers/virtio/virtio_pci.ko');
  // A bus without a disk upon it is not enough.
  expect((await engine.transfer.inspect({ path })).conversion).not.toBeNull();
  const builtIn = await makeLinuxDisk(join(folder, 'three.img'), {
    osRelease: 'ID=ubuntu\nVERSION_ID="24.04"\n',
    database: { path: 'var/lib/dpkg/status', changedOn: '2026-06-17' },
    files: { [`${modules}/modules.builtin`]: 'kernel/drivers/virtio/virtio_pci.ko\nkernel/drivers/block/virtio_blk.ko\n' },
    kernels: [kernel],
  });
  const ready = await engine.transfer.inspect({ path: builtIn });
  expect(ready.conversion).toBeNull();
  expect(ready.findings.map(({ id }) => id)).not.toContain('machine/drivers');
  await expect(engine.transfer.import({ path: builtIn, convert: true }, 'test')).rejects.toMatchObject({
    error: { code: 'machine/no-conversion', path: 'convert' },
  });
  expect(engine.guests.list()).toEqual([]);
});

test('a system of which virt-v2v warns has the drivers, and keeps the hardware that it starts on', async () => {
  const warning = 'printf "virt-v2v-in-place: warning: could not determine a way to update the configuration of Grub2\\n" >&2';
  const imported = await importDisk(`qemu-io -f qcow2 -c 'write -P 66 1M 64k' "$DISK" >/dev/null; ${warning}`);
  expect(imported.ended.state).toBe('succeeded');
  expect(run('qemu-io', '-f', 'qcow2', '-c', 'read -P 66 1M 64k', imported.disk)).not.toContain('failed');
  expect(specOf(imported)).toMatchObject({ disks: [{ bus: 'sata' }] });
  expect(said(imported)).toEqual([expect.stringMatching(/keeps the hardware.*configuration of Grub2\.$/)]);
});

test('who does not want it gets the copy as it is', async () => {
  const imported = await importDisk('exit 9', { convert: false });
  expect(imported.ended.state).toBe('succeeded');
  expect(compare(imported)).toContain('identical');
  expect(said(imported)).toEqual([]);
  expect(specOf(imported)).toMatchObject({ disks: [{ bus: 'sata' }] });
});

test.each([
  [
    'says why it failed',
    'printf "virt-v2v-in-place: error: no operating system was found\\n\\nIf reporting bugs\\n" >&2; exit 1',
    /no operating system was found/,
  ],
  ['fails without a word, having written', `qemu-io -f qcow2 -c 'write -P 66 1M 64k' "$DISK" >/dev/null; exit 1`, /did not say why/],
  ['dies', 'kill -SEGV $$', /did not say why|by SIG/],
  ['says strange things', 'printf "virt-v2v: error: \\033[31mred\\007\\n" >&2; exit 1', /virt-v2v said: \[31mred\. The/],
  ['writes something else', 'echo nonsense > "$DISK"', /qcow2/],
  ['names another file', 'qemu-img create -q -f qcow2 -u -b /etc/passwd -F raw "$DISK" 32M', /building upon/],
  ['names no file', 'rm "$DISK"; qemu-img create -q -f qcow2 "$DISK" 32M', /building upon nothing/],
  [
    'keeps the data elsewhere',
    'rm "$DISK"; qemu-img create -q -f qcow2 -o data_file="$DISK.data",data_file_raw=on "$DISK" 32M',
    /another file/,
  ],
  ['makes it larger', 'qemu-img resize -q -f qcow2 "$DISK" 64M', /did not come out right/],
  ['leaves nothing', 'rm "$DISK"', /did not come out/],
  ['leaves a link', 'mv "$DISK" "$DISK.moved"; ln -s "$DISK.moved" "$DISK"', /did not come out/],
])('a virt-v2v that %s leaves the copy as it was', async (_what, lines, reason) => {
  await mustBeAsItWas(await importDisk(lines), reason);
});

test('an import that is cancelled while virt-v2v works ends it with all that it started, and leaves nothing', async () => {
  const begun = (engine: Rooms) => existsSync(join(engine.home, 'pids'));
  // The home is known only once the engine is open, so the stand-in finds it by the disk that it is given.
  const lines = 'sleep 600 & echo "$! $$" > "$(dirname "$DISK")/../../../pids"; wait';
  const imported = await importDisk(lines, {}, begun);
  expect(imported.ended.state).toBe('cancelled');
  const pids = readFileSync(join(imported.engine.home, 'pids'), 'utf8').trim().split(' ').map(Number);
  await until('the stand-in to end', () => !pids.some(processExists));
  await until('the guest to be gone', () => imported.engine.guests.list().length === 0);
  expect(await readdir(imported.engine.layout.guests)).toEqual([]);
});

test('a virt-v2v that hangs is ended at its deadline', async () => {
  const folder = '/tmp/gh-conversion-hang';
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await foreignDisk(folder);
  const disk = join(folder, 'disk0.qcow2');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', join(folder, 'web.img'), disk);
  const before = sha256(disk);
  const bin = await standIns(folder, 'virt-v2v-in-place', 'sleep 600 & wait');
  const begunMs = performance.now();
  const outcome = await convertDrivers({
    disk,
    sizeBytes: 32 * 1024 ** 2,
    what: 'The copy',
    scratchFolder: join(folder, 'converting'),
    tools: { ...(await findGuestfsTools({ PATH: bin })), emulated: true },
    qemuImg: 'qemu-img',
    keepFreeBytes: 0,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    timeoutMs: 1500,
  });
  expect(outcome).toMatchObject({ state: 'not-done', because: expect.stringContaining('was not done after') });
  expect(performance.now() - begunMs).toBeLessThan(120_000);
  expect(sha256(disk)).toBe(before);
  expect(existsSync(join(folder, 'converting'))).toBe(false);
});

test('an older virt-v2v, which writes a new disk, is understood as well', async () => {
  const folder = '/tmp/gh-conversion-older';
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await foreignDisk(folder);
  const disk = join(folder, 'disk0.qcow2');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', join(folder, 'web.img'), disk);
  const lines = [
    'while [ $# -gt 0 ]; do case $1 in -if) shift 2; SOURCE=$1;; -os) FOLDER=$2;; -on) NAME=$2;; -of) FORMAT=$2;; esac; shift; done',
    'qemu-img convert -f qcow2 -O $FORMAT "$SOURCE" "$FOLDER/$NAME-sda" && qemu-io -f qcow2 -c "write -P 67 1M 64k" "$FOLDER/$NAME-sda" >/dev/null',
  ].join('\n');
  const bin = await standIns(folder, 'virt-v2v', lines);
  const tools = { ...(await findGuestfsTools({ PATH: bin })), virtV2vInPlace: null, emulated: true };
  const shares: number[] = [];
  const outcome = await convertDrivers({
    disk,
    sizeBytes: 32 * 1024 ** 2,
    what: 'The copy',
    scratchFolder: join(folder, 'converting'),
    tools,
    qemuImg: 'qemu-img',
    keepFreeBytes: 0,
    signal: new AbortController().signal,
    onProgress: (share) => void shares.push(share),
  });
  expect(outcome).toEqual({ state: 'done', because: null });
  expect(run('qemu-io', '-f', 'qcow2', '-c', 'read -P 67 1M 64k', disk)).not.toContain('failed');
  expect(shares).toEqual([...shares].sort((one, other) => one - other));
  expect(shares.at(-1)).toBe(1);
});

test('what stands in the way of it is said: no tool, no nbdkit, a Windows that sleeps, no drivers to give', async () => {
  const none = await findGuestfsTools({ PATH: '/nowhere', VIRT_TOOLS_DATA_DIR: '/nowhere', VIRTIO_WIN: '/nowhere' });
  const linux = { ...unreadContent, startUp: { kernel, ready: false, onDisk: true } };
  const windows = { ...unreadContent, windows: { dirty: false, asleep: false, virtio: { storage: false, network: false } } };
  const all = {
    ...none,
    virtV2v: '/bin/v2v',
    virtV2vInPlace: null,
    nbdkit: '/bin/nbdkit',
    windowsTools: '/tools',
    windowsDrivers: '/virtio.iso',
  };
  const cannot = (content: typeof linux | typeof windows, tools = all) =>
    planConversion([unreadContent, content], tools).conversion?.cannot;
  expect(planConversion([unreadContent, linux], all).index).toBe(1);
  expect([cannot(linux), cannot(windows)]).toEqual([null, null]);
  expect(cannot(linux, { ...all, virtV2v: null as never })).toContain('not installed');
  expect(cannot(linux, { ...all, nbdkit: null as never })).toContain('nbdkit');
  expect(cannot({ ...linux, startUp: { kernel, ready: false, onDisk: false } })).toContain('no drivers');
  expect(cannot(windows, { ...all, windowsTools: null as never })).toContain('rhsrvany');
  expect(cannot(windows, { ...all, windowsDrivers: null as never })).toContain('virtio-win');
  expect(cannot({ ...windows, windows: { ...windows.windows, asleep: true } })).toContain('shut down');
  expect(cannot({ ...windows, bitlocker: true })).toContain('BitLocker');
  const has = { ...windows, windows: { ...windows.windows, virtio: { storage: true, network: true } } };
  for (const content of [unreadContent, has, { ...linux, startUp: { kernel, ready: true, onDisk: true } }])
    expect(planConversion([content], all)).toMatchObject({ conversion: null, finding: null });
});

test('an engine that is killed while virt-v2v works takes it along, and the next one does the import anew', async () => {
  const home = await engineHome();
  const path = await foreignDisk(join(home, 'in'));
  const lines = `[ -e ${home}/hang ] || exit 1; sleep 600 & echo "$! $$" > ${home}/pids; wait`;
  const bin = await standIns(home, 'virt-v2v-in-place', lines);
  await writeFile(join(home, 'hang'), '');
  const environment = { PATH: `${bin}${delimiter}${process.env.PATH}` };
  const client = await connect(home, { environment });
  const { guest, job } = await client.call('machine.import', { path, bootTest: false });
  const pids = await until('the stand-in to be at work', () =>
    existsSync(join(home, 'pids')) ? readFileSync(join(home, 'pids'), 'utf8').trim().split(' ').map(Number) : null,
  );
  await rm(join(home, 'hang'));
  await killEngine(client);
  await until('the stand-in to end', () => !pids.some(processExists));
  const next = await connect(home, { environment });
  onTestFinished(() => next.close());
  await until('the import to end', async () => {
    const now = (await next.call('job.list', {})).find(({ id }) => id === job.id);
    return now && jobEnded.has(now.state);
  });
  const files = layoutOf(dataRootAt(home)).guest(guest.id as GuestId);
  expect(run('qemu-img', 'compare', '-f', 'vmdk', '-F', 'qcow2', path, files.disk('disk0.qcow2'))).toContain('identical');
  expect(await readdir(files.folder)).toEqual(['disk0.qcow2']);
});

test('the real virt-v2v, on a disk whose system it cannot change, fails with its reason and leaves the copy', async (context) => {
  const tools = await findGuestfsTools(process.env);
  if (!tools.virtV2vInPlace || !tools.nbdkit) return context.skip('virt-v2v and nbdkit are not installed');
  const folder = '/tmp/gh-conversion-real';
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await foreignDisk(folder);
  const disk = join(folder, 'disk0.qcow2');
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', join(folder, 'web.img'), disk);
  const before = sha256(disk);
  let share = 0;
  const outcome = await convertDrivers({
    disk,
    sizeBytes: 32 * 1024 ** 2,
    what: 'The copy',
    scratchFolder: join(folder, 'converting'),
    // Whether KVM works is not what is tried here.
    tools: { ...tools, emulated: true },
    qemuImg: 'qemu-img',
    keepFreeBytes: 0,
    signal: new AbortController().signal,
    onProgress: (now) => {
      share = now;
    },
  });
  expect(outcome).toMatchObject({ state: 'not-done', because: expect.stringMatching(/^virt-v2v said: /) });
  expect(share).toBeGreaterThan(0);
  expect(sha256(disk)).toBe(before);
  expect(existsSync(join(folder, 'converting'))).toBe(false);
});
