/**
 * The NoCloud seed of cloud-init, https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html. Written as JSON, which is YAML.
 *
 * There is no network-config: without one, cloud-init asks for an address on the first network card, with whatever the system configures its
 * network by. A configuration by name or address of the card would be wrong under some of those, and in every clone.
 */
import type { Answers } from '../../../contract/answers.ts';
import { shellWord, yamlOf } from './escaping.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

const volumeId = 'cidata';

export function buildCloudInit({ answers, instanceId, os }: SeedRequest): SeedContent {
  return seedOf(instanceId, answers.hostname, cloudConfig(answers, os));
}

/**
 * A seed for a copy of a guest that cloud-init set up: everything stays, but the copy is a machine of its own, with host keys of its own.
 * `instanceId` must be one that no guest had before.
 */
export function buildCloneSeed(instanceId: string, hostname: string): SeedContent {
  return seedOf(instanceId, hostname, {
    hostname,
    preserve_hostname: false,
    manage_etc_hosts: 'localhost',
    // Without this the image's default account would be made.
    users: [],
    ssh_deletekeys: true,
    bootcmd: [
      onceCommand('machine-id', 'rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup || dbus-uuidgen --ensure'),
    ],
  });
}

/** Runs at every start otherwise. */
const onceCommand = (name: string, script: string): string[] => ['cloud-init-per', 'instance', name, 'sh', '-c', script];

/** Debian makes only the locales that this file names, and cloud-init tells its locale-gen in the way of Ubuntu's. */
function localeCommand(locale: string): string {
  const line = shellWord(`${locale} UTF-8`);
  return `! test -f /etc/locale.gen || grep -qxF ${line} /etc/locale.gen || echo ${line} >> /etc/locale.gen`;
}

function seedOf(instanceId: string, hostname: string, config: object): SeedContent {
  return {
    volumeId,
    files: [
      { path: 'meta-data', content: yamlOf({ 'instance-id': instanceId, 'local-hostname': hostname }) },
      { path: 'user-data', content: `#cloud-config\n${yamlOf(config)}` },
    ],
    start: null,
  };
}

/** The configuration itself; Ubuntu's installer takes the same. */
export function cloudConfig({ hostname, user, locale, keyboard, timeZone, packages }: Answers, os: SeedRequest['os']): object {
  const { passwordHash, sshKeys } = user;
  // Alpine and the BSDs have no bash unless somebody installs it.
  const hasBash = os.family === 'linux' && os.distro !== 'alpinelinux';
  return {
    hostname,
    preserve_hostname: false,
    manage_etc_hosts: 'localhost',
    users: [
      {
        name: user.name,
        ...(user.fullName === '' ? {} : { gecos: user.fullName }),
        shell: hasBash ? '/bin/bash' : '/bin/sh',
        // Who has no password cannot be asked for it.
        sudo: passwordHash === null ? 'ALL=(ALL) NOPASSWD:ALL' : 'ALL=(ALL) ALL',
        lock_passwd: passwordHash === null,
        ...(passwordHash === null ? {} : { hashed_passwd: passwordHash }),
        ...(sshKeys.length === 0 ? {} : { ssh_authorized_keys: sshKeys }),
      },
    ],
    disable_root: true,
    ssh_pwauth: passwordHash !== null && sshKeys.length === 0,
    ...(os.distro === 'debian' ? { bootcmd: [onceCommand('locale', localeCommand(locale))] } : {}),
    locale,
    keyboard: keyboard.variant === '' ? { layout: keyboard.layout } : keyboard,
    timezone: timeZone,
    ...(packages.length === 0 ? {} : { package_update: true, packages }),
  };
}
