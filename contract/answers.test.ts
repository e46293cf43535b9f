import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  answers,
  hostname,
  type SetupForm,
  setupForm,
  setupFormatOf,
  setupNotes,
  sshKey,
  suggestHostname,
  suggestRegion,
  userName,
} from './answers.ts';

const form: SetupForm = {
  hostname: 'web-1',
  user: { name: 'ann', fullName: 'Ann', password: 'secret', sshKeys: [] },
  locale: 'en_US.UTF-8',
  keyboard: { layout: 'us', variant: '' },
  timeZone: 'Etc/UTC',
  packages: [],
};

const os = (family: 'linux' | 'windows' | 'bsd' | 'other', distro: string | null, version: string | null, id: string | null = null) => ({
  family,
  distro,
  version,
  id,
});

test('each system gets the answer file that its installer reads, and none that it does not', () => {
  const rows: [ReturnType<typeof os>, 'iso' | 'disk', string | null][] = [
    [os('linux', 'debian', '12'), 'iso', 'preseed'],
    [os('linux', 'debian', '12'), 'disk', 'cloud-init'],
    [os('linux', 'ubuntu', '24.04'), 'iso', 'autoinstall'],
    [os('linux', 'ubuntu', '18.04'), 'iso', null],
    [os('linux', 'fedora', '42'), 'iso', 'kickstart'],
    [os('linux', 'rocky', '9'), 'iso', 'kickstart'],
    [os('linux', 'opensuse', '15.6'), 'iso', 'autoyast'],
    [os('linux', 'opensuse', '42.3'), 'iso', 'autoyast'],
    [os('linux', 'opensuse', '16.0'), 'iso', 'agama'],
    [os('linux', 'opensuse', null), 'iso', 'autoyast'],
    [os('linux', 'sles', '16'), 'iso', 'agama'],
    [os('windows', 'win', '11', 'win11'), 'iso', 'autounattend'],
    [os('windows', 'win', null, 'winxp'), 'iso', null],
    [os('windows', 'win', '11', 'win11'), 'disk', null],
    [os('bsd', 'freebsd', '14'), 'disk', 'cloud-init'],
    [os('linux', 'archlinux', null), 'iso', null],
    [os('other', null, null), 'iso', null],
  ];
  for (const [system, medium, format] of rows) expect([system, medium, setupFormatOf(system, medium)]).toEqual([system, medium, format]);
});

test('a form in which nobody could sign in is a problem, but for Windows', () => {
  const nobody = { ...form, user: { ...form.user, password: null } };
  expect(setupNotes('cloud-init', nobody, null)).toMatchObject([{ severity: 'problem', path: 'setup.user.password' }]);
  expect(setupNotes('autounattend', nobody, null)).toMatchObject([{ severity: 'warning' }]);
  expect(setupNotes('cloud-init', form, null)).toEqual([]);
});

test('what Windows cannot take is said at its field', () => {
  const wide = {
    ...form,
    hostname: 'a-name-of-more-than-fifteen',
    user: { ...form.user, name: 'abcdefghijklmnopqrstuvw' },
    packages: ['git'],
  };
  expect(setupNotes('autounattend', wide, null).map(({ path, severity }) => [path, severity])).toEqual([
    ['setup.hostname', 'problem'],
    ['setup.user.name', 'problem'],
    ['setup.packages', 'warning'],
  ]);
});

test('an installer whose kernel is started directly does not go with Secure Boot', () => {
  const secure = { firmware: 'uefi-secure', tpm: false };
  expect(setupNotes('preseed', form, secure)).toMatchObject([{ severity: 'problem', path: 'setup.firmware' }]);
  expect(setupNotes('kickstart', form, secure)).toEqual([]);
});

test('keys are public keys of one line and without options', () => {
  const body = 'A'.repeat(68);
  for (const good of [
    `ssh-ed25519 ${body}`,
    `ssh-rsa ${body}== ann@desk`,
    `sk-ssh-ed25519@openssh.com ${body} a b c`,
    `ecdsa-sha2-nistp256 ${body} x`,
  ])
    expect(sshKey.safeParse(good).success, good).toBe(true);
  for (const bad of [
    '',
    'ssh-ed25519',
    `command="sh" ssh-ed25519 ${body}`,
    `ssh-ed25519 ${body}\nssh-rsa ${body}`,
    `ssh-ed25519 ${body} "quoted"`,
    `ssh-dss ${body}`,
    '-----BEGIN OPENSSH PRIVATE KEY-----',
  ])
    expect(sshKey.safeParse(bad).success, bad).toBe(false);
});

test('no field takes a line break or another control character', () => {
  fc.assert(
    fc.property(fc.constantFrom('\n', '\r', '\0', '\u0085', '\u2028', '\u001b', '\ud800'), fc.string(), (bad, rest) => {
      const text = `a${bad}${rest}`;
      const { user } = form;
      for (const wrong of [
        { ...form, hostname: text },
        { ...form, locale: text },
        { ...form, timeZone: text },
        { ...form, keyboard: { layout: text, variant: '' } },
        { ...form, keyboard: { layout: 'us', variant: text } },
        { ...form, packages: [text] },
        { ...form, user: { ...user, name: text } },
        { ...form, user: { ...user, fullName: text } },
        { ...form, user: { ...user, password: text } },
        { ...form, user: { ...user, sshKeys: [`ssh-ed25519 ${'A'.repeat(68)} ${text}`] } },
      ])
        expect(setupForm.safeParse(wrong).success).toBe(false);
    }),
  );
});

test('the names of accounts that every system has are refused', () => {
  for (const name of ['root', 'daemon', 'Ann', '0day', 'a b', 'administrator', ''])
    expect(userName.safeParse(name).success, name).toBe(false);
  for (const name of ['ann', '_svc', 'a-b_c9']) expect(userName.safeParse(name).success, name).toBe(true);
});

test('only hashes are taken where the password is to be hashed', () => {
  const { password: _, ...user } = form.user;
  expect(answers.safeParse({ ...form, user: { ...user, passwordHash: 'secret' } }).success).toBe(false);
  expect(answers.safeParse({ ...form, user: { ...user, passwordHash: `$6$salt$${'x'.repeat(86)}` } }).success).toBe(true);
});

test('whatever a guest is called, the host name that is suggested can be used', () => {
  expect(suggestHostname('Debian 12 (2)')).toBe('debian-12-2');
  expect(suggestHostname('Füchsin 🦊')).toBe('fuchsin');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => hostname.safeParse(suggestHostname(name)).success));
});

test('locale and keyboard follow the language', () => {
  expect(suggestRegion('de-CH')).toEqual({ locale: 'de_CH.UTF-8', layout: 'ch' });
  expect(suggestRegion('en_GB.UTF-8')).toEqual({ locale: 'en_GB.UTF-8', layout: 'gb' });
  expect(suggestRegion('C.UTF-8')).toEqual({ locale: 'en_US.UTF-8', layout: 'us' });
  expect(suggestRegion('ja-JP')).toEqual({ locale: 'ja_JP.UTF-8', layout: 'us' });
});
