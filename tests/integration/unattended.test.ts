/** Systems that are set up by themselves: what is made with a guest, what it starts with, and what is left afterwards. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import type { SetupForm } from '../../contract/answers.ts';
import { dataRootAt } from '../../contract/data-root.ts';
import type { GuestId } from '../../contract/ids.ts';
import type { Job } from '../../contract/job.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { layoutOf } from '../../main/engine/files/layout.ts';
import { starterDisk } from '../support/guest-bench.ts';
import { unpackLz4 } from '../support/lz4.ts';
import { withoutRepeats } from '../support/serial-text.ts';
import { until } from '../support/until.ts';
import { connect, engineHome, killEngine } from '../support/whole-engine.ts';

const password = 'correct-horse-battery-staple';
const form: SetupForm = {
  hostname: 'web-1',
  user: { name: 'ann', fullName: 'Ann', password, sshKeys: [`ssh-ed25519 ${'A'.repeat(68)} ann@desk`] },
  locale: 'en_US.UTF-8',
  keyboard: { layout: 'us', variant: '' },
  timeZone: 'Etc/UTC',
  packages: [],
};

function freshFolder(): string {
  const folder = mkdtempSync('/tmp/gh-seed-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const xorriso = (...words: string[]) => execFileSync('xorriso', ['-no_rc', ...words], { stdio: 'ignore' });
const hashOf = (text: string, salt: string) =>
  execFileSync('openssl', ['passwd', '-6', '-salt', salt, '-stdin'], { input: `${text}\n`, encoding: 'utf8' }).trim();
const filesOf = (home: string, id: GuestId) => layoutOf(dataRootAt(home)).guest(id);

async function untilDone(client: EngineClient, job: Job): Promise<Job> {
  return until(
    'the job has ended',
    async () => {
      const now = await client.call('job.show', { job: job.id });
      return ['succeeded', 'failed', 'cancelled'].includes(now.state) ? now : null;
    },
    60_000,
  );
}

/** Every byte that the engine keeps of what it was told: its database, the database's backups, logs. */
function keptBytes(home: string): string {
  return readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['guests', 'images'].some((folder) => entry.parentPath.startsWith(join(home, folder))))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)).toString('latin1'))
    .join('\n');
}

/** A disc that counts as Debian's installer: the starter's kernel, and a first root file system that shows its answers and restarts. */
async function debianDisc(folder: string, { withKernel = true } = {}): Promise<string> {
  const iso = (await starterDisk()).replace(/\.qcow2$/, '.iso');
  const root = join(folder, 'root');
  mkdirSync(join(root, 'install.amd'), { recursive: true });
  if (withKernel) {
    const [kernel, initrd] = [join(root, 'install.amd', 'vmlinuz'), join(root, 'install.amd', 'initrd.gz')];
    xorriso('-osirrox', 'on', '-indev', `stdio:${iso}`, '-extract_single', '/vmlinuz', kernel, '-extract_single', '/initrd', initrd);
    const init = [
      '#!/bin/sh',
      'mount -t devtmpfs dev /dev',
      'exec >/dev/ttyS0 2>&1 </dev/null',
      'echo ANSWERS',
      'cat /preseed.cfg',
      'echo END OF THEM',
      // Before the next start empties the log.
      'sleep 3',
      'busybox reboot -f',
    ];
    mkdirSync(join(folder, 'tree'));
    writeFileSync(join(folder, 'tree', 'init'), `${init.join('\n')}\n`, { mode: 0o755 });
    const more = execFileSync('sh', ['-c', 'echo init | cpio -o -H newc 2>/dev/null'], { cwd: join(folder, 'tree') });
    // Packed as Debian's is; behind LZ4 the kernel would find nothing more.
    const content = gzipSync(Buffer.concat([unpackLz4(readFileSync(initrd)), more]));
    rmSync(initrd);
    writeFileSync(initrd, content);
  }
  const disc = join(folder, 'debian.iso');
  xorriso('-as', 'mkisofs', '-quiet', '-R', '-V', 'Debian 12.5.0 amd64 n', '-o', disc, root);
  return disc;
}

test('an installer is started with its answers once, and what it installed is started after it', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const iso = await debianDisc(freshFolder());
  const source = { kind: 'iso', path: iso } as const;
  const plan = await client.call('guest.plan', { source, choices: {} });
  expect(plan.setup).toEqual({ format: 'preseed', startsKernel: true });
  const choices = { memoryMiB: 512, firmware: 'bios', cpu: { cores: 1 }, network: 'none' } as const;
  const { guest, job } = await client.call('guest.create', { source, choices, setup: form });
  expect((await untilDone(client, job)).state).toBe('succeeded');
  const files = filesOf(home, guest.id);
  expect(readdirSync(files.folder).sort()).toEqual(['disk0.qcow2', 'installer-answers.cpio', 'installer-initrd', 'installer-kernel']);
  const answers = readFileSync(files.installerAnswers, 'utf8');
  expect(await client.call('seed.show', { guest: guest.id })).toMatchObject({ format: 'preseed', firstStart: true });
  expect((await client.call('guest.arguments', { guest: guest.id })).arguments).toContain('-kernel');

  await client.call('guest.start', { guest: guest.id });
  const events = () => client.call('event.list', { guest: guest.id });
  const shown = () => readFileSync(files.serialLog, 'utf8');
  await until('the installer shows its answers', () => shown().includes('END OF THEM'), 120_000);
  expect(shown()).toMatch(/ passwd\/username string ann\s/);
  const [hash = '', salt = ''] = /\$6\$([./A-Za-z0-9]{16})\$[./A-Za-z0-9]{86}/.exec(answers) ?? [];
  expect(hash).toBe(hashOf(password, salt));
  expect(withoutRepeats(shown())).toContain(withoutRepeats(hash));
  await until('the installer has restarted', async () => (await events()).some(({ kind }) => kind === 'guest.installed'), 60_000);
  await until('it was started again', async () => (await events()).filter(({ kind }) => kind === 'guest.started').length === 2, 60_000);
  expect((await client.call('guest.show', { guest: guest.id })).state.status).toBe('running');
  expect((await client.call('guest.arguments', { guest: guest.id })).arguments).not.toContain('-kernel');
  expect(await client.call('seed.show', { guest: guest.id })).toBeNull();
  await until('the installer is gone', () => !existsSync(files.installerKernel) && !existsSync(files.installerAnswers));

  const kept = keptBytes(home);
  expect(kept.includes(guest.id)).toBe(true);
  // Not by `toContain`, which would show all of it.
  expect([kept.includes(password), kept.includes(hash)]).toEqual([false, false]);
});

test('a guest that is forced off in the midst of its installation begins it anew; resetting it is refused', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const { guest, job } = await client.call('guest.create', {
    source: { kind: 'iso', path: await debianDisc(freshFolder()) },
    choices: { memoryMiB: 512, firmware: 'bios', cpu: { cores: 1 }, network: 'none' },
    setup: form,
  });
  await untilDone(client, job);
  await client.call('guest.start', { guest: guest.id });
  await expect(client.call('guest.reset', { guest: guest.id })).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await expect(client.call('seed.remove', { guest: guest.id })).rejects.toMatchObject({ error: { code: 'guest/denied' } });
  await client.call('guest.forceOff', { guest: guest.id });
  expect(await client.call('seed.show', { guest: guest.id })).toMatchObject({ firstStart: true });
  expect((await client.call('guest.arguments', { guest: guest.id })).arguments).toContain('-kernel');
  await client.call('seed.remove', { guest: guest.id });
  expect((await client.call('guest.arguments', { guest: guest.id })).arguments).not.toContain('-kernel');
  expect(readdirSync(filesOf(home, guest.id).folder)).not.toContain('installer-kernel');
});

test('a disc without an installer is named, and nothing is left of the guest', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const source = { kind: 'iso', path: await debianDisc(freshFolder(), { withKernel: false }) } as const;
  const { job } = await client.call('guest.create', { source, choices: {}, setup: form });
  expect(await untilDone(client, job)).toMatchObject({ state: 'failed', error: { code: 'seed/no-installer' } });
  expect(await until('the guest is gone', async () => (await client.call('guest.list', {})).length === 0)).toBe(true);
  expect(readdirSync(join(home, 'guests'))).toEqual([]);
});

test('answers for a disk lie on a disc that cloud-init finds, and are gone when they are removed', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const disk = join(freshFolder(), 'debian-12-genericcloud-amd64.qcow2');
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1G']);
  const source = { kind: 'disk', path: disk, inPlace: false } as const;
  expect((await client.call('guest.plan', { source, choices: {} })).setup).toEqual({ format: 'cloud-init', startsKernel: false });
  const { guest, job } = await client.call('guest.create', { source, choices: {}, setup: form });
  await untilDone(client, job);
  const { seed } = filesOf(home, guest.id);
  const out = join(freshFolder(), 'out');
  xorriso('-osirrox', 'on', '-indev', `stdio:${seed}`, '-extract', '/', out);
  expect(
    readFileSync(seed)
      .toString('latin1', 16 * 2048 + 40, 16 * 2048 + 72)
      .trimEnd(),
  ).toBe('cidata');
  const config = JSON.parse(readFileSync(join(out, 'user-data'), 'utf8').replace('#cloud-config\n', ''));
  expect(config).toMatchObject({ hostname: 'web-1', users: [{ name: 'ann', ssh_authorized_keys: form.user.sshKeys }] });
  const hash = config.users[0].hashed_passwd as string;
  expect(hash).toBe(hashOf(password, hash.split('$')[2] ?? ''));
  expect(keptBytes(home).includes(password)).toBe(false);

  // An engine that is killed forgets nothing.
  await killEngine(client);
  const next = await connect(home);
  expect(await next.call('seed.show', { guest: guest.id })).toMatchObject({ format: 'cloud-init', firstStart: false });
  expect((await next.call('guest.arguments', { guest: guest.id })).arguments.join(' ')).toContain(seed);
  await next.call('seed.remove', { guest: guest.id });
  expect(existsSync(seed)).toBe(false);
  await expect(next.call('seed.remove', { guest: guest.id })).rejects.toMatchObject({ error: { code: 'seed/not-found' } });
});

test('what cannot be set up, or has answers that nobody could sign in with, is refused and leaves nothing', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const folder = freshFolder();
  mkdirSync(join(folder, 'root'));
  xorriso('-as', 'mkisofs', '-quiet', '-V', 'HAIKU', '-o', join(folder, 'haiku.iso'), join(folder, 'root'));
  const create = (path: string, setup: SetupForm, choices = {}) =>
    client.call('guest.create', { source: { kind: 'iso', path }, choices, setup });
  await expect(create(join(folder, 'haiku.iso'), form)).rejects.toMatchObject({ error: { code: 'seed/unsupported', path: 'setup' } });
  const debian = await debianDisc(freshFolder());
  const nobody = { ...form, user: { ...form.user, password: null, sshKeys: [] } };
  await expect(create(debian, nobody)).rejects.toMatchObject({ error: { code: 'seed/answers-invalid', path: 'setup.user.password' } });
  for (const fullName of ['two\nlines', 'a:b', 'half \ud800'])
    await expect(create(debian, { ...form, user: { ...form.user, fullName } })).rejects.toMatchObject({
      error: { code: 'call/invalid-input' },
    });
  for (const sshKey of ['command="x" ssh-ed25519 AAAA', 'ssh-ed25519 AAAA\nssh-rsa BBBB', 'not a key'])
    await expect(create(debian, { ...form, user: { ...form.user, sshKeys: [sshKey] } })).rejects.toMatchObject({
      error: { code: 'call/invalid-input' },
    });
  expect(await client.call('guest.list', {})).toEqual([]);
  expect(readdirSync(join(home, 'guests'))).toEqual([]);
});

test('a disc for another program is written where it was asked for, and over nothing', async () => {
  const home = await engineHome();
  const client = await connect(home);
  const path = join(freshFolder(), 'ks.iso');
  expect(await client.call('seed.build', { format: 'kickstart', setup: form, path })).toMatchObject({ path, volumeId: 'OEMDRV' });
  const before = readFileSync(path);
  await expect(client.call('seed.build', { format: 'kickstart', setup: form, path })).rejects.toMatchObject({
    error: { code: 'seed/file-exists' },
  });
  expect(readFileSync(path).equals(before)).toBe(true);
  await expect(client.call('seed.build', { format: 'kickstart', setup: form, path: '/nowhere/at/all.iso' })).rejects.toThrow();
});
