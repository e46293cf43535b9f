import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataRootAt } from '../../contract/data-root.ts';
import type { Guest } from '../../contract/guest-state.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import type { ExportFormat } from '../../contract/machine.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { layoutOf } from '../../main/engine/files/layout.ts';
import { ended } from '../support/outcomes.ts';
import { smallFileSystem, testWithMount } from '../support/small-file-system.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

type Opened = { client: EngineClient; home: string; out: string };

async function engine(): Promise<Opened> {
  const home = await engineHome();
  const client = await connect(home, { environment: { GUESTHOUSE_STARTER: join(home, 'none') } });
  onTestFinished(() => client.close());
  await client.call('settings.set', { keepFreeMiB: 0 });
  // A folder of the user's own, outside the data folder.
  const out = await engineHome();
  return { client, home, out };
}

async function rawDisk(path: string, sizeMiB = 120, dataMiB = 5): Promise<string> {
  run('qemu-img', 'create', '-q', '-f', 'raw', path, `${sizeMiB}M`);
  run('qemu-io', '-f', 'raw', '-c', `write -P 77 3M ${dataMiB}M`, '-c', 'write -P 3 100M 64k', path);
  return path;
}

/** A guest with one or two disks whose content is known. */
async function guestOf({ client, out }: Opened, name: string, disks: string[]): Promise<Guest> {
  const [path = '', ...moreDisks] = disks;
  const { guest, job } = await client.call('machine.import', { path, moreDisks, name, bootTest: false });
  expect(await ended(client, job), out).toMatchObject({ state: 'succeeded' });
  return client.call('guest.show', { guest: guest.id });
}

async function exported({ client }: Opened, guest: GuestId, format: ExportFormat, path: string, overwrite = false): Promise<Job> {
  const job = await client.call('guest.export', { guest, format, path, overwrite });
  return ended(client, job);
}

const compare = (a: string, formatA: string, b: string, formatB: string) => run('qemu-img', 'compare', '-f', formatA, '-F', formatB, a, b);
const diskOf = (home: string, id: GuestId, file = 'disk0.qcow2') => layoutOf(dataRootAt(home)).guest(id).disk(file);

test('a disk is exported in every format, and qemu-img finds it identical', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'source.img'));
  const guest = await guestOf(opened, 'Büro “web” & mail', [raw]);
  for (const format of ['qcow2', 'raw', 'vmdk', 'vhdx', 'vdi'] as const) {
    const path = join(opened.out, `export.${format}`);
    expect(await exported(opened, guest.id, format, path), format).toMatchObject({ state: 'succeeded', error: null });
    expect(compare(raw, 'raw', path, format)).toContain('identical');
    expect(run('qemu-img', 'info', '--output=json', path)).toContain(`"format": "${format}"`);
  }
  // Nothing but what was asked for, and the guest can be used again.
  expect((await readdir(opened.out)).filter((name) => name.startsWith('.'))).toEqual([]);
  expect((await opened.client.call('guest.show', { guest: guest.id })).state.busy).toBeUndefined();
});

test('an OVA has a manifest that fits, is well-formed, and comes back as the same machine', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'one.img'));
  const second = await rawDisk(join(opened.out, 'two.img'), 110, 1);
  const guest = await guestOf(opened, 'Büro “web” & mail', [raw, second]);
  const path = join(opened.out, 'web.ova');
  expect(await exported(opened, guest.id, 'ova', path)).toMatchObject({ state: 'succeeded' });
  const folder = join(opened.out, 'unpacked');
  await mkdir(folder);
  run('tar', '-C', folder, '-xf', path);
  const names = run('tar', '-tf', path).trim().split('\n');
  expect(names.map((name) => name.split('.').at(-1))).toEqual(['ovf', 'mf', 'vmdk', 'vmdk']);
  for (const line of (await readFile(join(folder, names[1] ?? ''), 'utf8')).trim().split('\n')) {
    const [, name = '', hex] = /^SHA256\((.+)\)= ([0-9a-f]{64})$/.exec(line) ?? [];
    expect(run('sha256sum', join(folder, name)).slice(0, 64)).toBe(hex);
  }
  expect(
    run(
      'python3',
      '-c',
      'import sys, xml.dom.minidom as m; print(m.parse(sys.argv[1]).documentElement.tagName)',
      join(folder, names[0] ?? ''),
    ),
  ).toBe('Envelope\n');
  expect(compare(raw, 'raw', join(folder, 'disk0.vmdk'), 'vmdk')).toContain('identical');

  const report = await opened.client.call('machine.inspect', { path });
  expect(report).toMatchObject({
    kind: 'ova',
    name: 'Büro “web” & mail (2)',
    memoryMiB: guest.spec.memoryMiB,
    disks: [{ bus: 'sata' }, { bus: 'sata' }],
  });
  const { guest: back, job } = await opened.client.call('machine.import', { path, bootTest: false });
  expect(await ended(opened.client, job)).toMatchObject({ state: 'succeeded' });
  expect(compare(second, 'raw', diskOf(opened.home, back.id, 'disk1.qcow2'), 'qcow2')).toContain('identical');
});

test('libvirt gets a domain and disks that it finds at their place', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'one.img'));
  const guest = await guestOf(opened, 'Web', [raw]);
  const path = join(opened.out, 'for-libvirt');
  expect(await exported(opened, guest.id, 'libvirt', path)).toMatchObject({ state: 'succeeded' });
  expect((await readdir(path)).sort()).toEqual(['Web.xml', 'disk0.qcow2']);
  const xml = await readFile(join(path, 'Web.xml'), 'utf8');
  expect(xml).toContain(`<source file="${join(path, 'disk0.qcow2')}"/>`);
  expect(xml).toContain(`<uuid>${guest.spec.uuid}</uuid>`);
  expect(compare(raw, 'raw', join(path, 'disk0.qcow2'), 'qcow2')).toContain('identical');
  // libvirt's own schema, where its tools are installed; it throws when something does not fit.
  if (existsSync('/usr/bin/virt-xml-validate')) run('virt-xml-validate', join(path, 'Web.xml'), 'domain');
  expect(await opened.client.call('machine.inspect', { path: join(path, 'Web.xml') })).toMatchObject({
    kind: 'libvirt',
    disks: [{ format: 'qcow2' }],
  });
});

test('a capsule is opened by another Guesthouse exactly as it was, with its firmware and TPM', async () => {
  const [here, there] = [await engine(), await engine()];
  const raw = await rawDisk(join(here.out, 'one.img'));
  const original = await guestOf(here, 'Original', [raw]);
  await here.client.call('guest.annotate', { guest: original.id, notes: 'Keep', tags: ['a', 'b'] });
  // As they lie there after it ran.
  const files = layoutOf(dataRootAt(here.home)).guest(original.id);
  await writeFile(files.nvram, Buffer.alloc(540_672, 5));
  await mkdir(files.tpmState);
  await writeFile(join(files.tpmState, 'tpm2-00.permall'), Buffer.alloc(6000, 9));
  await writeFile(join(files.tpmState, '.lock'), '');
  const path = join(here.out, 'original.capsule');
  expect(await exported(here, original.id, 'capsule', path)).toMatchObject({ state: 'succeeded' });

  const { guest, job } = await there.client.call('machine.import', { path, bootTest: false });
  expect(await ended(there.client, job)).toMatchObject({ state: 'succeeded' });
  const spec = (await here.client.call('guest.show', { guest: original.id })).spec;
  expect((await there.client.call('guest.show', { guest: guest.id })).spec).toEqual(spec);
  const arrived = layoutOf(dataRootAt(there.home)).guest(guest.id);
  expect(compare(raw, 'raw', arrived.disk('disk0.qcow2'), 'qcow2')).toContain('identical');
  expect(readFileSync(arrived.nvram)).toEqual(readFileSync(files.nvram));
  expect(await readdir(arrived.tpmState)).toEqual(['tpm2-00.permall']);
  expect(readFileSync(join(arrived.tpmState, 'tpm2-00.permall'))).toEqual(readFileSync(join(files.tpmState, 'tpm2-00.permall')));

  // Where the original is, the copy gets an identity of its own.
  const report = await here.client.call('machine.inspect', { path });
  expect(report).toMatchObject({ kind: 'capsule', name: 'Original (2)' });
  expect(report.findings.map(({ id }) => id)).toContain('capsule/twin');
  const twin = await here.client.call('machine.import', { path, bootTest: false });
  expect(await ended(here.client, twin.job)).toMatchObject({ state: 'succeeded' });
  expect(twin.guest.spec.uuid).not.toBe(spec.uuid);
  expect(twin.guest.spec.nics[0]?.mac).not.toBe(spec.nics[0]?.mac);
});

test('a capsule from a stranger brings no arguments for QEMU, no autostart and no other file', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'one.img'));
  const guest = await guestOf(opened, 'Hostile', [raw]);
  const path = join(opened.out, 'hostile.capsule');
  expect(await exported(opened, guest.id, 'capsule', path)).toMatchObject({ state: 'succeeded' });
  const folder = join(opened.out, 'unpacked');
  await mkdir(folder);
  run('tar', '-C', folder, '-xf', path);
  const manifest = JSON.parse(await readFile(join(folder, 'capsule.json'), 'utf8'));
  const repack = async (change: (manifest: { spec: Record<string, unknown>; files: Record<string, unknown>[] }) => void) => {
    const changed = structuredClone(manifest);
    change(changed);
    await writeFile(join(folder, 'capsule.json'), JSON.stringify(changed));
    run('tar', '-C', folder, '--format=ustar', '-cf', path, 'capsule.json', 'disk0.qcow2');
  };
  await repack(({ spec }) => {
    spec.extraArguments = ['-drive', 'file=/etc/shadow'];
    spec.autostart = true;
    spec.cdDrives = [{ id: 'cd0', bus: 'sata', medium: { kind: 'in-place', path: '/etc/passwd' }, bootOrder: null }];
    spec.disks = (spec.disks as object[]).map((disk) => ({ ...disk, location: { kind: 'in-place', path: '/etc/shadow' } }));
  });
  const report = await opened.client.call('machine.inspect', { path });
  expect(report.findings.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['capsule/extra-arguments', 'capsule/media', 'capsule/autostart']),
  );
  const { guest: back, job } = await opened.client.call('machine.import', { path, bootTest: false });
  expect(await ended(opened.client, job)).toMatchObject({ state: 'succeeded' });
  expect(back.spec).toMatchObject({
    extraArguments: [],
    autostart: false,
    cdDrives: [{ medium: null }],
    disks: [{ location: { kind: 'store' } }],
  });

  // Another hash, a name that leads out, a version of tomorrow, and a disk that the guest has not.
  await repack(({ files }) => void Object.assign(files[0] ?? {}, { sha256: '0'.repeat(64) }));
  const wrong = await opened.client.call('machine.import', { path, bootTest: false });
  expect(await ended(opened.client, wrong.job)).toMatchObject({ state: 'failed', error: { code: 'machine/wrong-hash' } });
  for (const change of [{ name: '../../disk0.qcow2' }, { diskId: 'other' }, { role: 'nvram', name: 'none.fd' }]) {
    await repack(({ files }) => void Object.assign(files[0] ?? {}, change));
    await expect(opened.client.call('machine.inspect', { path })).rejects.toMatchObject({ error: { code: 'machine/not-understood' } });
  }
  await repack((all) => void Object.assign(all, { capsule: 2 }));
  await expect(opened.client.call('machine.inspect', { path })).rejects.toMatchObject({ error: { code: 'machine/not-understood' } });
});

test('a disk that builds upon others is exported whole', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'one.img'));
  const guest = await guestOf(opened, 'Original', [raw]);
  const { guests, job } = await opened.client.call('guest.clone', { guest: guest.id, name: 'Clone', share: true });
  expect(await ended(opened.client, job)).toMatchObject({ state: 'succeeded' });
  const [clone] = guests;
  expect(run('qemu-img', 'info', '-U', diskOf(opened.home, clone?.id as GuestId))).toContain('backing file');
  const path = join(opened.out, 'clone.qcow2');
  expect(await exported(opened, clone?.id as GuestId, 'qcow2', path)).toMatchObject({ state: 'succeeded' });
  expect(run('qemu-img', 'info', path)).not.toContain('backing file');
  expect(compare(raw, 'raw', path, 'qcow2')).toContain('identical');
});

test('nothing is overwritten unasked, and what is replaced goes only when the new one is whole', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'one.img'));
  const guest = await guestOf(opened, 'Web', [raw]);
  const path = join(opened.out, 'there.qcow2');
  await writeFile(path, 'mine');
  const wish = { guest: guest.id, format: 'qcow2' as const, path };
  await expect(opened.client.call('guest.export', wish)).rejects.toMatchObject({ error: { code: 'export/exists' } });
  expect(await readFile(path, 'utf8')).toBe('mine');
  for (const [wrong, code] of [
    [join(opened.out, 'none', 'x.qcow2'), 'store/not-writable'],
    [join(opened.home, 'guests', 'x.qcow2'), 'store/not-writable'],
    ['relative.qcow2', 'store/not-writable'],
  ]) {
    await expect(opened.client.call('guest.export', { ...wish, path: wrong ?? '' })).rejects.toMatchObject({ error: { code } });
  }
  expect(await exported(opened, guest.id, 'qcow2', path, true)).toMatchObject({ state: 'succeeded' });
  expect(compare(raw, 'raw', path, 'qcow2')).toContain('identical');
});

test('an export that an engine died in is finished by the next one', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'one.img'), 600, 90);
  const guest = await guestOf(opened, 'Web', [raw]);
  const path = join(opened.out, 'web.ova');
  const job = await opened.client.call('guest.export', { guest: guest.id, format: 'ova', path });
  await until('bytes to be written', async () => ((await opened.client.call('job.show', { job: job.id })).bytesDone ?? 0) > 0);
  await killEngine(opened.client);
  expect(existsSync(path)).toBe(false);
  const next = await connect(opened.home);
  onTestFinished(() => next.close());
  expect(await ended(next, job)).toMatchObject({ state: 'succeeded' });
  expect((await stat(path)).isFile()).toBe(true);
  expect((await readdir(opened.out)).filter((name) => name.startsWith('.'))).toEqual([]);
});

testWithMount('an export onto a full disk fails, leaves nothing there, and the guest as it was', async () => {
  const opened = await engine();
  const raw = await rawDisk(join(opened.out, 'one.img'), 120, 60);
  const guest = await guestOf(opened, 'Web', [raw]);
  const small = await smallFileSystem(24);
  expect(await exported(opened, guest.id, 'raw', join(small, 'web.img'))).toMatchObject({ state: 'failed', error: { code: 'store/full' } });
  expect(await readdir(small)).toEqual([]);
  expect((await opened.client.call('guest.show', { guest: guest.id })).state.status).toBe('off');
});
