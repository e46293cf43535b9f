import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ImageId } from '../../contract/ids.ts';
import { jobEnded } from '../../contract/job.ts';
import { findGuestfsTools } from '../../main/engine/host/guestfs.ts';
import { openRooms, type Rooms } from '../support/engine-rooms.ts';
import { makeLinuxDisk } from '../support/linux-disk.ts';
import { until } from '../support/until.ts';
import { makeXfsDisk } from '../support/xfs-disk.ts';

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

const fedora = `<operatingsystems><operatingsystem><name>linux</name><arch>x86_64</arch><distro>fedora</distro>
<product_name>Fedora Linux 39</product_name><major_version>39</major_version><minor_version>0</minor_version><package_format>rpm</package_format>
<osinfo>fedora39</osinfo><applications><application><name>openssl</name><epoch>1</epoch><version>3.1.1</version><release>4.fc39</release></application>
</applications></operatingsystem></operatingsystems>`;

/** An engine beside programs that stand in for libguestfs', and a folder for its files. */
async function beside(inspector: string) {
  const folder = `/tmp/gh-inside-${process.hrtime.bigint().toString(36)}`;
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(folder, { recursive: true });
  const program = async (name: string, lines: string) => {
    await writeFile(join(folder, name), `#!/bin/sh\necho "$@" >> ${folder}/${name}.args\n${lines}\n`);
    await chmod(join(folder, name), 0o755);
  };
  await program('virt-inspector', inspector);
  await program('guestfish', 'echo "database var/lib/rpm/Packages"; echo "st_mtime_sec: 1781697600"');
  const engine = await openRooms({ settings: { keepFreeMiB: 0 }, environment: { PATH: `${folder}${delimiter}${process.env.PATH}` } });
  onTestFinished(() => engine.close());
  return { engine, folder, program };
}

/** A disk that begins as these file systems do, and has nothing more. */
async function beginning(folder: string, name: string, bytes: string, at = 0): Promise<string> {
  const disk = Buffer.alloc(1024 * 1024);
  disk.write(bytes, at, 'latin1');
  await writeFile(join(folder, name), disk);
  return join(folder, name);
}

async function importFile(engine: Rooms, path: string): Promise<ImageId> {
  const job = await engine.jobs.ended((await engine.images.import(path, undefined, 'root via test')).id);
  expect(job).toMatchObject({ state: 'succeeded' });
  return job.target.id as ImageId;
}

const looks = (engine: Rooms) => engine.jobs.list().filter(({ kind }) => kind === 'image.lookInside');
async function lookEnded(engine: Rooms) {
  const job = await until('the look into the image to begin', () => looks(engine)[0]);
  return until('the look into the image to end', () => [engine.jobs.show(job.id)].find(({ state }) => jobEnded.has(state)), 280_000);
}
const told = ({ events }: Rooms) => events.filter(({ kind }) => kind === 'image.lookedInside').map(({ text }) => text);

test('what only libguestfs can read is added once the image is there, marked with whose word it is, and found', async () => {
  const { engine, folder } = await beside(`echo '${fedora}'`);
  const id = await importFile(engine, await beginning(folder, 'server.img', 'XFSB'));
  expect(await lookEnded(engine)).toMatchObject({ state: 'succeeded', title: 'Look into server', startedBy: 'root via test' });
  expect(engine.images.show(id)).toMatchObject({
    os: { id: 'fedora39', distro: 'fedora', version: '39' },
    architecture: 'x86_64',
    packages: { manager: 'rpm', count: 1 },
    patchLevel: '2026-06-17',
    factsFrom: 'By virt-inspector, within the disk.',
  });
  expect(engine.images.packages(id)).toEqual([{ name: 'openssl', version: '1:3.1.1-4.fc39' }]);
  expect(engine.catalogue.search({ query: 'package:openssl os:fedora' }).images.map((image) => image.id)).toEqual([id]);
  const { path } = engine.images.show(id);
  expect(readFileSync(join(folder, 'virt-inspector.args'), 'utf8')).toBe(`--no-icon --format=raw -a ${path}\n`);
  expect((await readdir(engine.layout.images)).filter((name) => name.endsWith('.look'))).toEqual([]);
});

test('what a hand wrote stays, and what was read stays when it cannot be read any more', async () => {
  const { engine, folder, program } = await beside(`echo '${fedora}'`);
  const id = await importFile(engine, await beginning(folder, 'server.img', 'LABELONE\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0LVM2 001', 512));
  await lookEnded(engine);
  await engine.images.edit(id, { patchLevel: '2026-10', architecture: 'aarch64' }, []);
  const before = engine.images.show(id);
  for (const failing of ['echo "virt-inspector: error: no such device" >&2; exit 1', `echo '${fedora}'`]) {
    await program('virt-inspector', failing);
    expect(await engine.jobs.ended(engine.images.readAgain(id, 'root via test').id)).toMatchObject({ state: 'succeeded' });
    expect(engine.images.show(id)).toEqual(before);
    expect(engine.images.packages(id)).toHaveLength(1);
  }
  expect(told(engine)).toContain('What is on “server” (LVM) could not be read. virt-inspector said: no such device.');
});

test('an image that Guesthouse reads itself, and a disk that has no system, are not looked into or stay as they are', async () => {
  const { engine, folder } = await beside('echo "<operatingsystems/>"');
  const ext4 = await makeLinuxDisk(join(folder, 'web.img'), {
    osRelease: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    database: { path: 'var/lib/dpkg/status', changedOn: '2026-06-17' },
    kernels: ['6.1.0-18-amd64'],
  });
  expect(engine.images.show(await importFile(engine, ext4))).toMatchObject({ os: { distro: 'debian' }, factsFrom: null });
  const data = await importFile(engine, await beginning(folder, 'data.img', 'XFSB'));
  expect(await lookEnded(engine)).toMatchObject({ state: 'succeeded', target: { id: data } });
  expect(looks(engine)).toHaveLength(1);
  expect(engine.images.show(data)).toMatchObject({ os: { id: null, family: 'linux' }, factsFrom: null, packages: null });
  expect(told(engine)).toEqual([]);
});

test('the look into an image can be cancelled, and takes nothing with it', async () => {
  const { engine, folder } = await beside('sleep 600 & wait');
  const id = await importFile(engine, await beginning(folder, 'server.img', 'XFSB'));
  const before = engine.images.show(id);
  const job = await until('the look into the image to begin', () =>
    existsSync(join(folder, 'virt-inspector.args')) ? looks(engine)[0] : null,
  );
  engine.jobs.cancel(job.id, 'root via test');
  expect(await engine.jobs.ended(job.id)).toMatchObject({ state: 'cancelled' });
  expect(engine.images.show(id)).toEqual(before);
});

test('the real virt-inspector reads a Debian on XFS, and leaves its disk as it was', async (context) => {
  const tools = await findGuestfsTools(process.env);
  if (!tools.virtInspector || !tools.guestfish) return context.skip('virt-inspector and guestfish are not installed');
  if (!existsSync('/usr/sbin/mkfs.xfs') && !existsSync('/sbin/mkfs.xfs')) return context.skip('mkfs.xfs is not installed');
  const folder = `/tmp/gh-inside-real-${process.pid}`;
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(folder, { recursive: true });
  const today = new Date().toISOString().slice(0, 10);
  const path = await makeXfsDisk(join(folder, 'server.img'), {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    'etc/debian_version': '12.5\n',
    'etc/fstab': '/dev/sda1 / xfs defaults 0 1\n',
    'var/lib/dpkg/status':
      'Package: openssh-server\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:9.2p1-2+deb12u2\nDescription: secure shell\n\n',
    'lib/modules/6.1.0-18-amd64/': '',
    'usr/bin/': '',
    'boot/': '',
  });
  const engine = await openRooms({ settings: { keepFreeMiB: 0 } });
  onTestFinished(() => engine.close());
  const id = await importFile(engine, path);
  const before = sha256(engine.images.show(id).path);
  expect(await lookEnded(engine)).toMatchObject({ state: 'succeeded' });
  expect(told(engine)).toEqual([expect.stringMatching(/^virt-inspector read “server”: Debian.* 12/)]);
  expect(engine.images.show(id)).toMatchObject({
    os: { id: 'debian12', family: 'linux', distro: 'debian' },
    architecture: 'x86_64',
    kernels: ['6.1.0-18-amd64'],
    packages: { manager: 'dpkg', count: 1 },
    patchLevelFrom: expect.stringContaining('/var/lib/dpkg/status'),
    factsFrom: 'By virt-inspector, within the disk.',
  });
  expect((engine.images.show(id).patchLevel ?? '') >= today).toBe(true);
  expect(engine.images.packages(id)).toEqual([{ name: 'openssh-server', version: '1:9.2p1-2+deb12u2' }]);
  expect(sha256(engine.images.show(id).path)).toBe(before);
});
