/** Debian's preseed file, https://www.debian.org/releases/stable/amd64/apb.en.html. */
import { preseedValue, shellWord, writeFileCommand } from './escaping.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

const fileName = 'preseed.cfg';

export function buildPreseed({ answers }: SeedRequest): SeedContent {
  const { hostname, user, locale, keyboard, timeZone, packages } = answers;
  const lines: string[] = [];
  const say = (question: string, type: string, value: string, owner = 'd-i') =>
    lines.push(`${owner} ${question} ${type} ${preseedValue(value)}`.trimEnd());

  say('debian-installer/locale', 'string', locale);
  say('keyboard-configuration/xkb-keymap', 'select', keyboard.layout);
  if (keyboard.variant !== '') say('keyboard-configuration/variantcode', 'string', keyboard.variant);
  say('netcfg/choose_interface', 'select', 'auto');
  say('netcfg/get_hostname', 'string', hostname);
  say('netcfg/hostname', 'string', hostname);
  say('netcfg/get_domain', 'string', '');
  say('hw-detect/load_firmware', 'boolean', 'false');
  say('mirror/country', 'string', 'manual');
  say('mirror/http/hostname', 'string', 'deb.debian.org');
  say('mirror/http/directory', 'string', '/debian');
  say('mirror/http/proxy', 'string', '');
  say('clock-setup/utc', 'boolean', 'true');
  say('time/zone', 'string', timeZone);
  say('clock-setup/ntp', 'boolean', 'true');

  say('passwd/root-login', 'boolean', 'false');
  say('passwd/make-user', 'boolean', 'true');
  // Asked for when it is empty.
  say('passwd/user-fullname', 'string', user.fullName === '' ? user.name : user.fullName);
  say('passwd/username', 'string', user.name);
  say('passwd/user-password-crypted', 'password', user.passwordHash ?? '!');

  say('partman-auto/method', 'string', 'regular');
  say('partman-auto/choose_recipe', 'select', 'atomic');
  say('partman-partitioning/confirm_write_new_label', 'boolean', 'true');
  say('partman-efi/non_efi_system', 'boolean', 'true');
  say('partman/choose_partition', 'select', 'finish');
  say('partman/confirm', 'boolean', 'true');
  say('partman/confirm_nooverwrite', 'boolean', 'true');

  say('apt-setup/cdrom/set-first', 'boolean', 'false');
  say('tasksel/first', 'multiselect', 'standard, ssh-server', 'tasksel');
  say('popularity-contest/participate', 'boolean', 'false', 'popularity-contest');
  if (packages.length > 0) say('pkgsel/include', 'string', packages.join(' '));
  say('grub-installer/only_debian', 'boolean', 'true');
  say('grub-installer/with_other_os', 'boolean', 'true');
  say('grub-installer/bootdev', 'string', 'default');

  const late = lateCommand(user.name, user.sshKeys, user.passwordHash === null);
  if (late !== '') say('preseed/late_command', 'string', `in-target sh -c ${shellWord(late)}`);
  say('finish-install/reboot_in_progress', 'note', '');
  const content = `${lines.join('\n')}\n`;
  return {
    volumeId: 'PRESEED',
    files: [{ path: fileName, content }],
    start: {
      places: [
        { kernel: '/install.amd/vmlinuz', initrd: '/install.amd/initrd.gz' },
        { kernel: '/linux', initrd: '/initrd.gz' },
      ],
      // Asks only what nobody answered; the file is found in the root of the first file system.
      commandLine: 'auto=true priority=critical',
      initrdFile: { path: fileName, content },
    },
  };
}

function lateCommand(user: string, sshKeys: readonly string[], withoutPassword: boolean): string {
  const home = `/home/${user}/.ssh`;
  return [
    ...(sshKeys.length === 0
      ? []
      : [
          `mkdir -m 700 ${shellWord(home)}`,
          writeFileCommand(`${home}/authorized_keys`, `${sshKeys.join('\n')}\n`),
          `chown -R ${shellWord(`${user}:`)} ${shellWord(home)}`,
        ]),
    ...(withoutPassword ? [writeFileCommand(`/etc/sudoers.d/${user}`, `${user} ALL=(ALL) NOPASSWD:ALL\n`)] : []),
  ].join(' && ');
}
