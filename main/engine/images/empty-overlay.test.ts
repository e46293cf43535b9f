import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Life } from '../../../tests/support/mortal.ts';
import { isEmptyOverlay } from '../layers/freeze-disks.ts';
import { createOverlay, removeOverlay } from './empty-overlay.ts';

vi.mock('node:fs/promises', async (original) => {
  const { mortalFiles } = await import('../../../tests/support/mortal.ts');
  return mortalFiles(await original<typeof import('node:fs/promises')>());
});

const run = (program: string, ...args: string[]) => execFileSync(program, args, { encoding: 'utf8' });
type Info = Record<string, unknown> & { 'format-specific': { data: Record<string, unknown> } };
const infoOf = (path: string) => JSON.parse(run('qemu-img', 'info', '--output=json', path)) as Info;

async function folders(): Promise<{ layer: string; disk: string; byQemu: string }> {
  const home = await mkdtemp('/tmp/gh-');
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  for (const name of ['layers/l000000001', 'guests/g000000001']) await mkdir(join(home, name), { recursive: true });
  const guest = join(home, 'guests/g000000001');
  return { layer: join(home, 'layers/l000000001/disk.qcow2'), disk: join(guest, 'disk0.qcow2'), byQemu: join(guest, 'other.qcow2') };
}

test.each([
  ['a byte more than a sector', 513],
  ['1 MiB', 2 ** 20],
  ['a little more than an entry of the first table', 512 * 2 ** 20 + 65_536],
  ['1 TiB', 2 ** 40],
  ['63 TiB', 63 * 2 ** 40],
])('an overlay of %s is what qemu-img makes, and clean', async (_, sizeBytes) => {
  const { layer, disk, byQemu } = await folders();
  const size = Math.ceil(sizeBytes / 512) * 512;
  run('qemu-img', 'create', '-q', '-f', 'qcow2', layer, String(size));
  await createOverlay(disk, { path: layer, format: 'qcow2' }, size);
  const options = 'preallocation=off,lazy_refcounts=off,cluster_size=64k,compat=1.1';
  const base = '../../layers/l000000001/disk.qcow2';
  run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, '-u', '-b', base, '-F', 'qcow2', byQemu, String(size));
  const told = ({ 'virtual-size': virtual, 'cluster-size': cluster, ...rest }: Info) => [
    virtual,
    cluster,
    rest.format,
    rest['backing-filename'],
    rest['backing-filename-format'],
    rest['format-specific'],
  ];
  expect(told(infoOf(disk))).toEqual(told(infoOf(byQemu)));
  expect(JSON.parse(run('qemu-img', 'check', '--output=json', disk))).toMatchObject({ 'check-errors': 0 });
  expect(run('qemu-img', 'check', disk)).toContain('No errors were found');
  expect(await isEmptyOverlay(disk)).toBe(true);
});

test('what is written to it lies over its base, to the last byte, and it stays clean', async () => {
  const { layer, disk } = await folders();
  run('qemu-img', 'create', '-q', '-f', 'qcow2', layer, '1G');
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 1 0 1M', '-c', 'write -P 1 1023M 1M', layer);
  await createOverlay(disk, { path: layer, format: 'qcow2' }, 2 ** 30);
  const last = 2 ** 30 - 512;
  run('qemu-io', '-f', 'qcow2', '-c', 'write -P 2 4k 4k', '-c', `write -P 3 ${last} 512`, disk);
  const reads = [
    'read -P 1 0 4k',
    'read -P 2 4k 4k',
    'read -P 1 8k 1016k',
    'read -P 0 1M 8M',
    `read -P 1 1023M 512`,
    `read -P 3 ${last} 512`,
  ];
  expect(run('qemu-io', '-r', '-f', 'qcow2', ...reads.flatMap((read) => ['-c', read]), disk)).not.toContain('failed');
  expect(run('qemu-img', 'check', disk)).toContain('No errors were found');
  expect(run('qemu-img', 'check', layer)).toContain('No errors were found');
  run('qemu-img', 'resize', '-q', disk, '3G');
  expect(run('qemu-img', 'check', disk)).toContain('No errors were found');
});

test('an overlay upon a raw image names that as raw', async () => {
  const { disk, layer } = await folders();
  run('qemu-img', 'create', '-q', '-f', 'raw', layer, '1M');
  await createOverlay(disk, { path: layer, format: 'raw' }, 2 ** 20);
  expect(infoOf(disk)).toMatchObject({ 'backing-filename-format': 'raw', 'virtual-size': 2 ** 20 });
});

test('wherever the engine dies over it, an overlay has its name and is whole, or has none, and can be removed', async () => {
  const { layer, disk } = await folders();
  run('qemu-img', 'create', '-q', '-f', 'qcow2', layer, '1M');
  const deaths = { nameless: 0, named: 0 };
  for (let steps = 0; ; steps++) {
    const life = new Life();
    life.stepsLeft = steps;
    await life.live(() => createOverlay(disk, { path: layer, format: 'qcow2' }, 2 ** 20));
    const isThere = existsSync(disk);
    if (isThere) expect(run('qemu-img', 'check', disk)).toContain('No errors were found');
    await removeOverlay(disk);
    expect(readdirSync(dirname(disk))).toEqual([]);
    if (!life.isOver) break;
    deaths[isThere ? 'named' : 'nameless']++;
  }
  // At its opening, four writes, a sync and the name; afterwards over the folder.
  expect(deaths.nameless).toBeGreaterThanOrEqual(7);
  expect(deaths.named).toBeGreaterThanOrEqual(1);
});

test('an overlay that cannot be made leaves the disk that has its name', async () => {
  const { layer, disk } = await folders();
  run('qemu-img', 'create', '-q', '-f', 'qcow2', layer, '1M');
  await createOverlay(disk, { path: layer, format: 'qcow2' }, 2 ** 20);
  const before = readFileSync(disk);
  await expect(createOverlay(disk, { path: `/${'d/'.repeat(600)}base`, format: 'qcow2' }, 2 ** 20)).rejects.toThrow();
  expect(readFileSync(disk).equals(before)).toBe(true);
  expect(readdirSync(dirname(disk))).toEqual(['disk0.qcow2']);
});

test('what cannot be written says so', async () => {
  const { layer } = await folders();
  await expect(createOverlay(layer, { path: `/${'d/'.repeat(600)}base`, format: 'qcow2' }, 2 ** 20)).rejects.toMatchObject({
    error: { code: 'store/not-writable' },
  });
  await expect(createOverlay('/proc/none/disk.qcow2', { path: layer, format: 'qcow2' }, 2 ** 20)).rejects.toThrow();
});
