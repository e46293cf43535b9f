/**
 * A profile of Agama, the installer of openSUSE Leap 16 and SLES 16, after its JSON schema (rust/share/profile.schema.json in
 * https://github.com/agama-project/agama). It takes `autoinst.json` by itself from a disc labelled OEMDRV.
 */
import { writeFileCommand } from './escaping.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

export function buildAgama({ answers, os }: SeedRequest): SeedContent {
  const { hostname, user, locale, keyboard, timeZone, packages } = answers;
  const keymap = keyboard.variant === '' ? keyboard.layout : `${keyboard.layout}-${keyboard.variant}`;
  const profile = {
    product: { id: os.distro === 'opensuse' ? 'openSUSE_Leap' : 'SLES' },
    hostname: { static: hostname },
    // What older releases know instead of l10n; newer ones take it too.
    localization: { language: locale, keyboard: keymap, timezone: timeZone },
    user: {
      fullName: user.fullName === '' ? user.name : user.fullName,
      userName: user.name,
      password: user.passwordHash ?? '!',
      hashedPassword: true,
      ...(user.sshKeys.length === 0 ? {} : { sshPublicKeys: user.sshKeys }),
    },
    root: { password: '!', hashedPassword: true },
    software: { packages: ['openssh-server', 'sudo', ...packages] },
    scripts: { post: [{ name: 'account', chroot: true, content: accountScript(user.name, user.passwordHash === null) }] },
  };
  return { volumeId: 'OEMDRV', files: [{ path: 'autoinst.json', content: `${JSON.stringify(profile, null, 2)}\n` }], start: null };
}

/** SUSE's sudo asks for root's password, which nobody has here. */
export function accountScript(user: string, withoutPassword: boolean): string {
  const rule = `Defaults:${user} !targetpw\n${user} ALL=(ALL) ${withoutPassword ? 'NOPASSWD:' : ''}ALL\n`;
  return ['#!/bin/sh', 'mkdir -p /etc/sudoers.d', writeFileCommand(`/etc/sudoers.d/${user}`, rule), 'systemctl enable sshd', ''].join('\n');
}
