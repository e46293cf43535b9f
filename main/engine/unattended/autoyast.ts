/** AutoYaST of openSUSE Leap up to 15 and SLES up to 15, https://doc.opensuse.org/projects/autoyast/. */
import { accountScript } from './agama.ts';
import { xmlElement, xmlText } from './escaping.ts';
import { yastKeymapOf } from './regional-names.ts';
import type { SeedContent, SeedRequest } from './seed-content.ts';

export function buildAutoyast({ answers, os }: SeedRequest): SeedContent {
  const { hostname, user, locale, keyboard, timeZone, packages } = answers;
  const keymap = yastKeymapOf(keyboard.layout);
  const isLeap = os.distro === 'opensuse' && /^\d+\.\d+$/.test(os.version ?? '');
  const product = os.distro === 'opensuse' ? (isLeap ? 'Leap' : 'openSUSE') : 'SLES';
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE profile>',
    '<profile xmlns="http://www.suse.com/1.0/yast2ns" xmlns:config="http://www.suse.com/1.0/configns">',
    '<general><mode><confirm config:type="boolean">false</confirm></mode></general>',
    `<language>${xmlElement('language', locale.replace(/\..*/, ''))}</language>`,
    ...(keymap === null ? [] : [`<keyboard>${xmlElement('keymap', keymap)}</keyboard>`]),
    `<timezone><hwclock>UTC</hwclock>${xmlElement('timezone', timeZone)}</timezone>`,
    '<networking>',
    `<dns>${xmlElement('hostname', hostname)}<dhcp_hostname config:type="boolean">false</dhcp_hostname></dns>`,
    '<keep_install_network config:type="boolean">true</keep_install_network>',
    '</networking>',
    '<firewall><default_zone>public</default_zone><zones config:type="list"><zone><name>public</name>',
    '<services config:type="list"><service>dhcpv6-client</service><service>ssh</service></services></zone></zones></firewall>',
    '<services-manager><services><enable config:type="list"><service>sshd</service></enable></services></services-manager>',
    '<users config:type="list">',
    account('root', 'root', '!', []),
    account(user.name, user.fullName, user.passwordHash ?? '!', user.sshKeys),
    '</users>',
    '<software>',
    `<products config:type="list">${xmlElement('product', product)}</products>`,
    `<packages config:type="list">${['openssh', 'sudo', ...packages].map((name) => xmlElement('package', name)).join('')}</packages>`,
    '</software>',
    '<scripts><chroot-scripts config:type="list"><script><filename>account.sh</filename><interpreter>shell</interpreter>',
    '<chrooted config:type="boolean">true</chrooted>',
    `<source>${accountScript(user.name, user.passwordHash === null)
      .split('\n')
      .map(xmlText)
      .join('\n')}</source>`,
    '</script></chroot-scripts></scripts>',
    '</profile>',
  ];
  return {
    volumeId: 'OEMDRV',
    files: [{ path: 'autoinst.xml', content: `${lines.join('\n')}\n` }],
    start: {
      places: [{ kernel: '/boot/x86_64/loader/linux', initrd: '/boot/x86_64/loader/initrd' }],
      commandLine: 'autoyast=label://OEMDRV/autoinst.xml',
      initrdFile: null,
    },
  };
}

function account(name: string, fullName: string, hash: string, sshKeys: readonly string[]): string {
  return [
    '<user>',
    xmlElement('username', name),
    xmlElement('fullname', fullName),
    xmlElement('user_password', hash),
    '<encrypted config:type="boolean">true</encrypted>',
    ...(sshKeys.length === 0
      ? []
      : [`<authorized_keys config:type="list">${sshKeys.map((key) => xmlElement('listentry', key)).join('')}</authorized_keys>`]),
    '</user>',
  ].join('');
}
