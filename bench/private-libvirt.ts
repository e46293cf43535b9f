/** libvirt as a peer: a daemon in a mount namespace of its own, so that this computer's own libvirt is neither used nor changed. */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Skipped } from './figures.ts';

const execute = promisify(execFile);
const folders = { etc: '/etc/libvirt', lib: '/var/lib/libvirt', run: '/run/libvirt', log: '/var/log/libvirt', cache: '/var/cache/libvirt' };

/** @throws Skipped when libvirt is not installed or this user may not make a namespace */
export async function withLibvirt<T>(action: (uri: string) => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) throw new Skipped('a libvirt of its own needs root (for a mount namespace)');
  if (!existsSync('/usr/sbin/libvirtd')) {
    throw new Skipped('libvirt is not installed (apt install libvirt-daemon-system libvirt-clients)');
  }
  const root = await mkdtemp(join(tmpdir(), 'gh-virt-'));
  for (const name of Object.keys(folders)) await mkdir(join(root, name, name === 'etc' ? 'qemu' : ''), { recursive: true });
  await writeFile(join(root, 'etc', 'libvirtd.conf'), `host_uuid = "${randomUUID()}"\nauth_unix_rw = "none"\n`);
  await writeFile(
    join(root, 'etc', 'qemu.conf'),
    'security_driver = "none"\nuser = "root"\ngroup = "root"\nnamespaces = []\ncgroup_controllers = []\nstdio_handler = "file"\n',
  );
  const mounts = Object.entries(folders).map(([name, at]) => `mkdir -p ${at} && mount --bind ${join(root, name)} ${at}`);
  const daemon = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', `${mounts.join(' && ')} && exec libvirtd`], {
    stdio: 'ignore',
  });
  const ended = new Promise((settle) => daemon.once('exit', settle));
  const uri = `qemu+unix:///system?socket=${join(root, 'run', 'libvirt-sock')}`;
  try {
    await answering(uri);
    return await action(uri);
  } finally {
    daemon.kill('SIGTERM');
    await ended;
    await rm(root, { recursive: true, force: true });
  }
}

/** Defines `count` small guests that are off. */
export async function defineDomains(uri: string, count: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gh-virt-'));
  try {
    for (let index = 0; index < count; index += 1) {
      const file = join(folder, 'domain.xml');
      await writeFile(
        file,
        `<domain type='qemu'><name>guest-${index}</name><memory unit='MiB'>512</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>`,
      );
      await execute('virsh', ['-c', uri, 'define', file]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function answering(uri: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      await execute('virsh', ['-c', uri, 'version']);
      return;
    } catch (thrown) {
      if (Date.now() > deadline) throw new Skipped(`libvirt did not start: ${String(thrown).slice(0, 300)}`);
      await pause(200);
    }
  }
}
