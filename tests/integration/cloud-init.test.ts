/**
 * Debian's cloud-init, run in a guest on the disc that the engine made for it. The kernel and the shell around it are the starter's, from
 * its ISO: so it takes a minute under emulation, where a whole Debian takes three.
 */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { GuestId } from '../../contract/ids.ts';
import type { EngineClient } from '../../main/client/engine-client.ts';
import { cloudInitDisk } from '../support/cloud-init-disk.ts';
import { starterDisk } from '../support/guest-bench.ts';
import { succeeded } from '../support/outcomes.ts';
import { untilAgent, untilStatus } from '../support/starter-guest.ts';
import { connect, engineHome } from '../support/whole-engine.ts';

const password = 'correct-horse-battery-staple';

/** A new one, as it stands in authorized_keys (RFC 8709). */
function publicKey(): string {
  const { x = '' } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const parts = [Buffer.from('ssh-ed25519'), Buffer.from(x, 'base64url')].flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, part];
  });
  return `ssh-ed25519 ${Buffer.concat(parts).toString('base64')} ann@desk`;
}

/** Runs a script in the guest as root and gives what it printed. */
async function inGuest(client: EngineClient, guest: GuestId, script: string): Promise<string> {
  const wanted = { guest, command: ['/bin/sh', '-c', script], timeoutSeconds: 120 };
  const { exitStatus, stdoutBase64, stderrBase64 } = await client.call('guest.exec', wanted, { timeoutMs: 130_000 });
  const text = (base64: string) => Buffer.from(base64, 'base64').toString('utf8').trim();
  expect(exitStatus, `${script}\n${text(stderrBase64)}\n${text(stdoutBase64)}`).toBe(0);
  return text(stdoutBase64);
}

test('cloud-init makes of the disc of a guest the user, the password, the key and the host name that were asked for', async () => {
  const path = await cloudInitDisk();
  const home = await engineHome();
  const client = await connect(home);
  const key = publicKey();
  const made = await client.call(
    'guest.create',
    {
      source: { kind: 'disk', path, inPlace: false },
      choices: { name: 'Cloud', firmware: 'bios', memoryMiB: 768 },
      setup: {
        hostname: 'web-1',
        user: { name: 'ann', fullName: 'Ann Example', password, sshKeys: [key] },
        locale: 'en_US.UTF-8',
        keyboard: { layout: 'us', variant: '' },
        timeZone: 'Europe/Berlin',
        packages: [],
      },
    },
    { timeoutMs: 60_000 },
  );
  await succeeded(client, made.job);
  const { id } = made.guest;
  const starter = (await starterDisk()).replace(/\.qcow2$/, '.iso');
  const { disks } = (await client.call('guest.show', { guest: id })).spec;
  const cdDrives = [{ medium: { kind: 'in-place' as const, path: starter }, bootOrder: 1 }];
  await client.call('guest.edit', { guest: id, change: { cdDrives, disks: disks.map((disk) => ({ ...disk, bootOrder: null })) } });
  await client.call('guest.start', { guest: id });
  await untilStatus(client, id, 'running', 60_000);
  await untilAgent(client, id);

  const run = (script: string) => inGuest(client, id, script);
  // The starter has no blkid: the disk is the one that mounts and has what cloud-init reads.
  await run(`mkdir -p /mnt/root; for disk in /dev/vd? /dev/sd?; do
      mount -t ext4 $disk /mnt/root 2>/dev/null && test -d /mnt/root/etc/cloud && break; umount /mnt/root 2>/dev/null; done
    test -d /mnt/root/etc/cloud && for folder in dev proc sys; do mount --bind /$folder /mnt/root/$folder; done && mount -t tmpfs run /mnt/root/run`);
  const inside = (command: string) => run(`chroot /mnt/root /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 ${command}`);
  for (const stage of ['init --local', 'init', 'modules --mode=config', 'modules --mode=final']) {
    // What has nothing to act on here (a keyboard to configure) makes a stage end with a complaint; what it did is looked at below.
    await inside(`cloud-init ${stage} || true`);
  }

  expect(await run('hostname')).toBe('web-1');
  expect(await inside('getent passwd ann')).toBe('ann:x:1000:1000:Ann Example:/home/ann:/bin/bash');
  expect(await inside('cat /home/ann/.ssh/authorized_keys')).toBe(key);
  expect(await inside("stat -c '%U %a' /home/ann/.ssh/authorized_keys")).toBe('ann 600');
  const [, method, salt] = /^\$(6)\$([^$]+)\$/.exec((await inside('getent shadow ann')).split(':')[1] ?? '') ?? [];
  expect(method).toBe('6');
  const hash = execFileSync('openssl', ['passwd', '-6', '-salt', salt ?? '', '-stdin'], {
    input: `${password}\n`,
    encoding: 'utf8',
  }).trim();
  expect((await inside('getent shadow ann')).split(':')[1]).toBe(hash);
  expect(await inside('cat /etc/sudoers.d/90-cloud-init-users')).toContain('ann ALL=(ALL) ALL');
  // Of the accounts that the image would make by itself there is none.
  expect(await inside("awk -F: '$3 >= 1000 && $3 < 60000 {print $1}' /etc/passwd")).toBe('ann');
  expect(await inside('cat /etc/timezone')).toBe('Europe/Berlin');
  expect(await inside('cat /etc/network/interfaces.d/50-cloud-init')).toContain('dhcp');
  const { v1 } = JSON.parse(await inside('cat /run/cloud-init/result.json')) as { v1: { datasource: string; errors: string[] } };
  expect(v1.datasource).toContain('DataSourceNoCloud [seed=/dev/');
  // This disk has neither a package manager nor what locales and keyboards are made with.
  expect(v1.errors.filter((error) => !/^\('(keyboard|locale|apt-configure)',/.test(error))).toEqual([]);
  client.close();
});
