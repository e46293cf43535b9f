/** The disks of an OVA or OVF as images of the library. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ImportReport } from '../../contract/image.ts';
import type { Job } from '../../contract/job.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { codeOf, succeeded } from '../support/outcomes.ts';
import { ova, ovf } from '../support/ova-file.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

async function rooms(options: Parameters<typeof openRooms>[0] = {}): Promise<Rooms> {
  const opened = await openRooms({ ...options, settings: { keepFreeMiB: 0, ...options?.settings } });
  onTestFinished(() => opened.close());
  return opened;
}

const importImages = async (engine: Rooms, path: string, name?: string): Promise<Job> =>
  engine.jobs.ended((await engine.transfer.archives.import(path, name, 'root via test')).id);
const compare = (raw: string, path: string) => run('qemu-img', 'compare', '-f', 'raw', '-F', 'qcow2', raw, path);
const filesIn = ({ layout }: Rooms) => (existsSync(layout.images) ? readdirSync(layout.images) : []);
test('the disk of an OVA becomes an image with the machine’s name and system, and is not kept twice', async () => {
  const engine = await rooms();
  const { raw, path } = await ova(join(engine.home, 'in'));
  const report: ImportReport = await engine.transfer.archives.inspect(path);
  expect(report).toMatchObject({
    format: 'ova',
    os: { id: 'debian12' },
    virtualSizeBytes: 300 * 2 ** 20,
    disks: [{ file: 'web-disk1.vmdk', name: 'Web server' }],
  });
  expect(await importImages(engine, path)).toMatchObject({ state: 'succeeded', error: null });
  const [image, ...others] = engine.images.list();
  expect(others).toEqual([]);
  expect(image).toMatchObject({
    name: 'Web server',
    format: 'qcow2',
    kind: 'disk',
    os: { id: 'debian12' },
    firmware: 'bios',
    source: `${path}: web-disk1.vmdk`,
    sourceChecksum: `sha256:${run('sha256sum', join(dirname(path), 'web-disk1.vmdk')).slice(0, 64)}`,
    addedBy: 'root via test',
  });
  expect(compare(raw, image?.path ?? '')).toContain('identical');
  expect(run('qemu-img', 'check', '-f', 'qcow2', image?.path ?? '')).toContain('No errors');
  expect(run('sha256sum', image?.path ?? '').slice(0, 64)).toBe(image?.sha256);

  expect(await importImages(engine, path, 'Again')).toMatchObject({ state: 'succeeded' });
  expect(engine.images.list().map(({ name }) => name)).toEqual(['Web server']);
  expect(filesIn(engine)).toEqual([`${image?.id}.qcow2`]);
});

test('each of several disks becomes an image, of an OVF with its files as well', async () => {
  const engine = await rooms();
  const { raw, path } = await ova(join(engine.home, 'in'), { second: true });
  expect((await engine.transfer.archives.inspect(path)).disks?.map(({ name }) => name)).toEqual([
    'Web server, disk 1',
    'Web server, disk 2',
  ]);
  expect(await importImages(engine, path, 'Rack')).toMatchObject({ state: 'succeeded', title: 'Import 2 disks of web.ova' });
  const byName = new Map(engine.images.list().map((image) => [image.name, image.path]));
  expect([...byName.keys()].sort()).toEqual(['Rack, disk 1', 'Rack, disk 2']);
  expect(compare(raw, byName.get('Rack, disk 1') ?? '')).toContain('identical');
  expect(compare(join(dirname(path), 'raw2.img'), byName.get('Rack, disk 2') ?? '')).toContain('identical');

  const other = await rooms();
  expect(await importImages(other, join(dirname(path), 'web.ovf'))).toMatchObject({ state: 'succeeded' });
  expect(other.images.list().map(({ name }) => name)).toEqual(expect.arrayContaining(['Web server, disk 1', 'Web server, disk 2']));
});

test('an archive that is not what it says is refused, and nothing of it is in the library', async () => {
  const engine = await rooms();
  const inspect = (path: string) => codeOf(engine.transfer.archives.inspect(path));
  const { path: wrong } = await ova(join(engine.home, 'wrong'), { second: true, manifest: 'wrong' });
  expect(await importImages(engine, wrong)).toMatchObject({ state: 'failed', error: { code: 'machine/wrong-hash' } });
  const { path: none } = await ova(join(engine.home, 'none'), { href: 'other.vmdk' });
  expect(await inspect(none)).toBe('image/file-missing');
  const folder = join(engine.home, 'none');
  run('tar', '-C', folder, '--format=ustar', '--transform', 's,web-disk1,../web-disk1,', '-Pcf', none, 'web.ovf', 'web-disk1.vmdk');
  expect(await inspect(none)).toBe('machine/archive-refused');
  await writeFile(join(folder, 'out.ovf'), ovf('/etc/passwd'));
  expect(await inspect(join(folder, 'out.ovf'))).toBe('image/outside-reference');
  await writeFile(join(folder, 'empty.ovf'), ovf());
  expect(await inspect(join(folder, 'empty.ovf'))).toBe('image/not-an-image');
  await writeFile(join(folder, 'text.ova'), 'no archive');
  expect(await inspect(join(folder, 'text.ova'))).toMatch(/^machine\//);
  expect(engine.images.list()).toEqual([]);
  expect(filesIn(engine)).toEqual([]);
});

test('an import that is cancelled, or whose archive changes meanwhile, leaves nothing', async () => {
  const engine = await rooms();
  const { path } = await ova(join(engine.home, 'in'), { second: true, dataMiB: 250 });
  const job = await engine.transfer.archives.import(path, undefined, 'root via test');
  await until('bytes to be converted', () => (engine.jobs.show(job.id).steps[1]?.bytesDone ?? 0) > 0);
  await engine.jobs.cancel(job.id, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'cancelled' });
  expect([engine.images.list(), filesIn(engine)]).toEqual([[], []]);

  const replaced = await engine.transfer.archives.import(path, undefined, 'root via test');
  await rename(path, `${path}.gone`);
  expect((await engine.jobs.ended(replaced.id)).state).toBe('failed');
  expect([engine.images.list(), filesIn(engine)]).toEqual([[], []]);
});

testWithMount('an import into a full library fails and leaves nothing', async () => {
  const small = await smallFileSystem(48);
  const engine = await rooms({ home: small });
  const { path } = await ova(join(await engineHome(), 'in'), { dataMiB: 120 });
  expect(await importImages(engine, path)).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect([engine.images.list(), filesIn(engine)]).toEqual([[], []]);
});

test('an engine that dies over it leaves the rest to the next, by the call that every client makes', async () => {
  const home = await engineHome();
  const out = await engineHome();
  const environment = { GUESTHOUSE_STARTER: join(home, 'none') };
  const { raw, path } = await ova(join(out, 'in'), { second: true, dataMiB: 250 });
  const first = await connect(home, { environment });
  await first.call('settings.set', { keepFreeMiB: 0 });
  expect(await first.call('image.inspect', { path })).toMatchObject({ format: 'ova' });
  const job = await first.call('image.import', { path });
  await until('bytes to be converted', async () => ((await first.call('job.show', { job: job.id })).steps[1]?.bytesDone ?? 0) > 0);
  await killEngine(first);
  const client = await connect(home, { environment });
  onTestFinished(() => client.close());
  await succeeded(client, job);
  const images = await client.call('image.list', {});
  expect(images.map(({ name }) => name).sort()).toEqual(['Web server, disk 1', 'Web server, disk 2']);
  expect(compare(raw, images.find(({ name }) => name.endsWith('1'))?.path ?? '')).toContain('identical');
  expect(readdirSync(join(home, 'images')).length).toBe(2);
});
