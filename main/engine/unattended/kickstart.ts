/**
 * Kickstart of Fedora, RHEL and their kin, https://pykickstart.readthedocs.io. The installer takes `ks.cfg` by itself from a disc labelled
 * OEMDRV.
 */
import { kickstartWord, writeFileCommand } from './escaping.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

export function buildKickstart({ answers }: SeedRequest): SeedContent {
  const { hostname, user, locale, keyboard, timeZone, packages } = answers;
  const layout = keyboard.variant === '' ? keyboard.layout : `${keyboard.layout} (${keyboard.variant})`;
  const account = [
    `--name=${kickstartWord(user.name)}`,
    '--groups=wheel',
    ...(user.fullName === '' ? [] : [`--gecos=${kickstartWord(user.fullName)}`]),
    ...(user.passwordHash === null ? ['--lock'] : ['--iscrypted', `--password=${kickstartWord(user.passwordHash)}`]),
  ];
  const lines = [
    'text',
    `lang ${kickstartWord(locale)}`,
    `keyboard --xlayouts=${kickstartWord(layout)}`,
    `timezone ${kickstartWord(timeZone)} --utc`,
    `network --bootproto=dhcp --onboot=yes --hostname=${kickstartWord(hostname)}`,
    'rootpw --lock',
    `user ${account.join(' ')}`,
    ...user.sshKeys.map((key) => `sshkey --username=${kickstartWord(user.name)} ${kickstartWord(key)}`),
    'services --enabled=sshd',
    'firstboot --disable',
    'zerombr',
    'clearpart --all --initlabel',
    'autopart',
    'reboot --eject',
    '',
    '%packages',
    '@core',
    'openssh-server',
    ...packages,
    '%end',
    ...(user.passwordHash === null
      ? ['', '%post', writeFileCommand(`/etc/sudoers.d/${user.name}`, `${user.name} ALL=(ALL) NOPASSWD:ALL\n`), '%end']
      : []),
  ];
  return { volumeId: 'OEMDRV', files: [{ path: 'ks.cfg', content: `${lines.join('\n')}\n` }], start: null };
}
