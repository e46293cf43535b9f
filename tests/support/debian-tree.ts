/** A Debian installed into a folder with debootstrap, for those test disks that need real packages with all that their scripts do. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../build/starter/commands.ts';

export const debianRelease = 'bookworm';

/**
 * Makes `root` with these packages, which takes minutes and has to be done as root. What belongs in there before the packages are configured,
 * and after, is the caller's. @throws Error that says what is missing
 */
export async function installDebian(root: string, packages: readonly string[], log: (line: string) => void): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('The Debian desktop is made by debootstrap, which has to be root. Run it as root once.');
  log('debootstrap makes a Debian…');
  const mirror = process.env.GUESTHOUSE_DEBIAN_MIRROR ?? 'http://deb.debian.org/debian';
  await runCommand('debootstrap', ['--variant=minbase', debianRelease, root, mirror], withSystemPath).catch((error: unknown) => {
    throw new Error(`There is no Debian desktop: ${error instanceof Error ? error.message : error}`, { cause: error });
  });
  // Nothing is started in there.
  await writeFile(join(root, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  // What is lost when the power fails is made anew.
  await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/unsafe-io'), 'force-unsafe-io\n');
  log('The desktop’s packages are installed…');
  await insideDebian(root, 'apt-get update -qq');
  await insideDebian(root, `apt-get install -y -qq --no-install-recommends ${packages.join(' ')}`);
}

/** Takes away what only making it needed. */
export async function tidyDebian(root: string): Promise<void> {
  await insideDebian(root, 'systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer');
  await insideDebian(root, 'apt-get clean && rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/locale /usr/sbin/policy-rc.d');
}

export const withSystemPath = { environment: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` } };

/** What a shell script says that is run in there. */
export function insideDebian(root: string, script: string): Promise<string> {
  const environment = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C', 'HOME=/root'];
  return runCommand('chroot', [root, '/usr/bin/env', '-i', ...environment, 'bash', '-ec', script], withSystemPath);
}
