/** Ubuntu's autoinstall, https://canonical-subiquity.readthedocs-hosted.com/en/latest/reference/autoinstall-reference.html, in a cloud-init seed. */
import { cloudConfig } from './cloud-init.ts';
import { yamlOf } from './escaping.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

export function buildAutoinstall({ answers, instanceId, os }: SeedRequest): SeedContent {
  const { locale, keyboard, timeZone, packages, user } = answers;
  const autoinstall = {
    version: 1,
    locale,
    keyboard,
    timezone: timeZone,
    storage: { layout: { name: 'direct' } },
    ssh: { 'install-server': true, 'allow-pw': user.passwordHash !== null && user.sshKeys.length === 0 },
    packages,
    // The account and all that belongs to it; the installer asks for none when this is there.
    'user-data': cloudConfig({ ...answers, packages: [] }, os),
    shutdown: 'reboot',
  };
  return {
    volumeId: 'cidata',
    files: [
      { path: 'meta-data', content: yamlOf({ 'instance-id': instanceId }) },
      { path: 'user-data', content: `#cloud-config\n${yamlOf({ autoinstall })}` },
    ],
    start: {
      places: [{ kernel: '/casper/vmlinuz', initrd: '/casper/initrd' }],
      // Without the word the installer finds its answers and asks whether it may use them.
      commandLine: 'autoinstall',
      initrdFile: null,
    },
  };
}
