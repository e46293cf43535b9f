import { execFileSync, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, open, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { mediumReport } from '../../contract/image.ts';
import { createInspector } from '../../main/engine/images/inspect.ts';
import { createOsRecognition } from '../../main/engine/os/os-recognition.ts';
import { until } from '../support/until.ts';

const memtest = '/usr/lib/memtest86+/memtest86+x64.iso';

/** The database of operating systems is read once for all tests. */
let cache = '';
beforeAll(async () => {
  cache = await mkdtemp('/tmp/gh-cache-');
});
afterAll(() => rm(cache, { recursive: true, force: true }));

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp('/tmp/gh-');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const inspector = () =>
  createInspector({
    recognition: createOsRecognition({ layout: { cache } }),
    qemuImgPath: async () => '/usr/bin/qemu-img',
  });
const inspect = async (path: string) => mediumReport.parse(await inspector().inspect(path));
const refusal = (code: string) => ({ error: { code } });

/** Changes bytes of a file in place. */
async function patch(path: string, offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
  await file.close();
}

async function isoOf(name: string, volumeId: string): Promise<string> {
  await mkdir(at('tree'), { recursive: true });
  await writeFile(join(at('tree'), 'readme.txt'), 'hello\n'.repeat(20_000));
  run('xorriso', '-as', 'mkisofs', '-quiet', '-V', volumeId, '-o', at(name), at('tree'));
  return at(name);
}

test('a bootable ISO is recognised with its label and how it boots', async () => {
  expect(await inspect(memtest)).toMatchObject({
    format: 'iso',
    label: 'MT86PLUS_64',
    os: { id: 'memtest86' },
    bootable: { bios: true, uefi: true },
  });
});

test('an ISO that is no installer says that nothing on it boots', async () => {
  const report = await inspect(await isoOf('Debian.iso', 'Debian 11.5.0 amd64 n'));
  expect(report.os).toMatchObject({ id: 'debian11', family: 'linux' });
  expect(report.bootable).toEqual({ bios: false, uefi: false });
  expect(report.notes.join(' ')).toContain('Nothing on this disc can be started');
});

test('an ISO that is cut short is refused, and told how much is missing', async () => {
  await copyFile(memtest, at('short.iso'));
  await truncate(at('short.iso'), 3_000_000);
  await expect(inspect(at('short.iso'))).rejects.toMatchObject(refusal('image/truncated'));
  await expect(inspect(at('short.iso'))).rejects.toThrow('2.9 MiB of the');
  await truncate(at('short.iso'), 20_000);
  await expect(inspect(at('short.iso'))).rejects.toMatchObject(refusal('image/truncated'));
});

test('a text file, an empty file, a folder, a FIFO, a device and nothing at all are refused by name', async () => {
  await writeFile(at('page.iso'), '<html>Not found</html>\n'.repeat(4000));
  await writeFile(at('empty.iso'), '');
  run('mkfifo', at('pipe.iso'));
  await expect(inspect(at('page.iso'))).rejects.toMatchObject(refusal('image/not-an-image'));
  await expect(inspect(at('empty.iso'))).rejects.toMatchObject(refusal('image/not-an-image'));
  await expect(inspect(folder)).rejects.toMatchObject(refusal('image/not-a-file'));
  await expect(inspect(at('pipe.iso'))).rejects.toMatchObject(refusal('image/not-a-file'));
  await expect(inspect('/dev/zero')).rejects.toMatchObject(refusal('image/not-a-file'));
  await expect(inspect(at('nothing.iso'))).rejects.toMatchObject(refusal('image/file-missing'));
  await expect(inspect('relative.iso')).rejects.toMatchObject(refusal('image/file-missing'));
});

test('a link is followed once and reported', async () => {
  await symlink(memtest, at('link.iso'));
  expect((await inspect(at('link.iso'))).notes).toContain(`This is a link to ${memtest}.`);
});

test('a disk whose backing file is a file of the host is refused and names it', async () => {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', at('theft.qcow2'), '1G');
  await expect(inspect(at('theft.qcow2'))).rejects.toMatchObject(refusal('image/outside-reference'));
  await expect(inspect(at('theft.qcow2'))).rejects.toThrow('/etc/shadow');
});

test('a disk with an external data file is refused and names it', async () => {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', `data_file=${at('data.raw')},data_file_raw=on`, at('outside.qcow2'), '1G');
  await expect(inspect(at('outside.qcow2'))).rejects.toMatchObject(refusal('image/outside-reference'));
  await expect(inspect(at('outside.qcow2'))).rejects.toThrow('data.raw');
});

test('what names another file is refused before any other program sees it', async () => {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-u', '-b', '/etc/shadow', '-F', 'raw', at('theft.qcow2'), '1G');
  let asked = false;
  const watching = createInspector({
    recognition: createOsRecognition({ layout: { cache } }),
    qemuImgPath: async () => {
      asked = true;
      return '/usr/bin/qemu-img';
    },
  });
  await expect(watching.inspect(at('theft.qcow2'))).rejects.toMatchObject(refusal('image/outside-reference'));
  expect(asked).toBe(false);
});

test('a virtual size that no person means is refused', async () => {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'cluster_size=2M', at('huge.qcow2'), '100T');
  await expect(inspect(at('huge.qcow2'))).rejects.toMatchObject(refusal('image/too-large'));
});

test('a damaged header, tables outside the file and a mark of damage are refused', async () => {
  const make = async (name: string) => {
    run('qemu-img', 'create', '-q', '-f', 'qcow2', at(name), '1G');
    return at(name);
  };
  await patch(await make('bits.qcow2'), 20, Buffer.from([0, 0, 0, 63]));
  await expect(inspect(at('bits.qcow2'))).rejects.toMatchObject(refusal('image/corrupt'));
  await truncate(await make('cut.qcow2'), 100_000);
  await expect(inspect(at('cut.qcow2'))).rejects.toMatchObject(refusal('image/truncated'));
  await patch(await make('marked.qcow2'), 79, Buffer.from([2]));
  await expect(inspect(at('marked.qcow2'))).rejects.toMatchObject(refusal('image/corrupt'));
});

test('a disk whose tables contradict each other is found by qemu-img’s check', async () => {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', at('tables.qcow2'), '64M');
  run('qemu-io', '-f', 'qcow2', '-c', 'write 0 1M', at('tables.qcow2'));
  // The first cluster's entry now points into the header.
  const header = await readFile(at('tables.qcow2'));
  const l1 = Number(header.readBigUInt64BE(40));
  const l2 = Number(header.readBigUInt64BE(l1) & 0x00ff_ffff_ffff_fe00n);
  const entry = Buffer.alloc(8);
  entry.writeBigUInt64BE(0x8000_0000_0000_0000n);
  await patch(at('tables.qcow2'), l2, Buffer.concat([entry, entry]));
  entry.writeBigUInt64BE(0x8000_0000_7000_0000n);
  await patch(at('tables.qcow2'), l2, entry);
  await expect(inspect(at('tables.qcow2'))).rejects.toMatchObject(refusal('image/corrupt'));
});

test('an encrypted disk is refused', async () => {
  const options = 'encrypt.format=luks,encrypt.iter-time=10,encrypt.key-secret=s';
  const make = () =>
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '--object', 'secret,id=s,data=x', '-o', options, at('luks.qcow2'), '10M');
  // qemu-img first measures how fast this processor is, and gives up when the clock did not move meanwhile.
  await until('qemu-img to make it', () => {
    try {
      make();
      return true;
    } catch (thrown) {
      if (String(thrown).includes('accurate CPU usage')) return false;
      throw thrown;
    }
  });
  await expect(inspect(at('luks.qcow2'))).rejects.toMatchObject(refusal('image/encrypted'));
});

test('disks that cannot be converted are refused politely', async () => {
  for (const [format, name] of [
    ['qed', 'QED'],
    ['parallels', 'Parallels'],
  ] as const) {
    run('qemu-img', 'create', '-q', '-f', format, at(`disk.${format}`), '64M');
    await expect(inspect(at(`disk.${format}`))).rejects.toMatchObject(refusal('image/not-an-image'));
    await expect(inspect(at(`disk.${format}`))).rejects.toThrow(name);
  }
});

test('a disk that another program writes to is refused', async () => {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', at('busy.qcow2'), '64M');
  const holder = spawn('qemu-io', ['-f', 'qcow2', at('busy.qcow2')], { stdio: ['pipe', 'pipe', 'pipe'] });
  try {
    // The prompt is printed when the file is open and locked.
    await new Promise<void>((resolve) => holder.stdout.once('data', () => resolve()));
    await expect(inspect(at('busy.qcow2'))).rejects.toMatchObject(refusal('image/in-use'));
  } finally {
    holder.kill();
  }
  await expect(inspect(at('busy.qcow2'))).resolves.toMatchObject({ format: 'qcow2' });
});

/** A protective record and a GUID partition table with a partition for BIOS, one for UEFI and one for Linux. */
function guidTable(): Buffer {
  const table = Buffer.alloc(34 * 512);
  table[450] = 0xee;
  table.writeUInt32LE(1, 454);
  table.writeUInt32LE(0xffffffff, 458);
  table.writeUInt16LE(0xaa55, 510);
  table.write('EFI PART', 512);
  table.writeBigUInt64LE(2n, 512 + 72);
  table.writeUInt32LE(128, 512 + 80);
  table.writeUInt32LE(128, 512 + 84);
  const types = ['4861682149646f6e744e656564454649', '28732ac11ff8d211ba4b00a0c93ec93b', 'af3dc60f838472478e793d69d8477de4'];
  const extents = [[2048n, 4095n] as const, [4096n, 12_287n] as const, [16_384n, 81_919n] as const];
  for (const [index, [first, last]] of extents.entries()) {
    const at = 1024 + 128 * index;
    table.write(types[index] ?? '', at, 'hex');
    table.writeBigUInt64LE(first, at + 32);
    table.writeBigUInt64LE(last, at + 40);
  }
  return table;
}

/** A disk like that of a cloud image: GPT, a boot partition for BIOS, one for UEFI, and a root with an os-release behind a link. */
async function cloudDisk(): Promise<string> {
  const root = at('root');
  await mkdir(join(root, 'etc'), { recursive: true });
  await mkdir(join(root, 'usr/lib'), { recursive: true });
  await writeFile(join(root, 'usr/lib/os-release'), 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nID=debian\nVERSION_ID="11"\n');
  await symlink('../usr/lib/os-release', join(root, 'etc/os-release'));
  await writeFile(at('root.ext4'), '');
  await truncate(at('root.ext4'), 32 * 1024 ** 2);
  run('mke2fs', '-q', '-t', 'ext4', '-L', 'cloudimg-rootfs', '-d', root, at('root.ext4'));
  const raw = at('disk.raw');
  await writeFile(raw, '');
  await truncate(raw, 64 * 1024 ** 2);
  await patch(raw, 0, guidTable());
  await patch(raw, 16_384 * 512, await readFile(at('root.ext4')));
  return raw;
}

test('a Linux on a disk is recognised by its own os-release, in raw, plain and compressed qcow2 alike', async () => {
  const raw = await cloudDisk();
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, at('plain.qcow2'));
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', '-c', raw, at('packed.qcow2'));
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', '-c', '-o', 'compression_type=zstd,cluster_size=2M', raw, at('zstd.qcow2'));
  for (const path of [raw, at('plain.qcow2'), at('packed.qcow2'), at('zstd.qcow2')]) {
    expect(await inspect(path), path).toMatchObject({
      virtualSizeBytes: 64 * 1024 ** 2,
      label: 'cloudimg-rootfs',
      os: { id: 'debian11', family: 'linux', version: '11' },
      bootable: { bios: true, uefi: true },
      firmware: 'uefi',
    });
  }
});

test('a report is kept until the file changes', async () => {
  const one = inspector();
  run('qemu-img', 'create', '-q', '-f', 'qcow2', at('disk.qcow2'), '64M');
  const first = await one.inspect(at('disk.qcow2'));
  expect(await one.inspect(at('disk.qcow2'))).toBe(first);
  run('qemu-img', 'resize', '-q', '-f', 'qcow2', at('disk.qcow2'), '128M');
  expect((await one.inspect(at('disk.qcow2'))).virtualSizeBytes).toBe(128 * 1024 ** 2);
});

test('inspecting changes nothing about the file', async () => {
  run('qemu-img', 'create', '-q', '-f', 'qcow2', at('disk.qcow2'), '64M');
  const before = await readFile(at('disk.qcow2'));
  const { mtimeMs } = await stat(at('disk.qcow2'));
  await inspect(at('disk.qcow2'));
  expect((await readFile(at('disk.qcow2'))).equals(before)).toBe(true);
  expect((await stat(at('disk.qcow2'))).mtimeMs).toBe(mtimeMs);
});
