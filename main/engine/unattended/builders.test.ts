import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { expect, test } from 'vitest';
import { type Answers, setupFormat } from '../../../contract/answers.ts';
import { Failure } from '../../../contract/errors.ts';
import { buildSeed } from './builders.ts';
import { buildCloneSeed } from './cloud-init.ts';
import type { SeedRequest } from './seed-content.ts';

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Wc2mZkkPq0rT1b7D5yX1mZrYt0C3Jm2Yk9m0a1b2c ann@desk';
const hash = `$6$abcdefgh$${'x'.repeat(86)}`;

const answersOf = (more: Partial<Answers> = {}): Answers => ({
  hostname: 'web-1',
  user: { name: 'ann', fullName: 'Ann Example', passwordHash: hash, sshKeys: [key] },
  locale: 'de_DE.UTF-8',
  keyboard: { layout: 'de', variant: 'nodeadkeys' },
  timeZone: 'Europe/Berlin',
  packages: ['git', 'qemu-guest-agent'],
  ...more,
});

const systems: Record<string, SeedRequest['os']> = {
  'cloud-init': { id: 'debian12', distro: 'debian', version: '12', family: 'linux' },
  preseed: { id: 'debian12', distro: 'debian', version: '12', family: 'linux' },
  autoinstall: { id: 'ubuntu24.04', distro: 'ubuntu', version: '24.04', family: 'linux' },
  kickstart: { id: 'fedora42', distro: 'fedora', version: '42', family: 'linux' },
  autoyast: { id: 'opensuse15.6', distro: 'opensuse', version: '15.6', family: 'linux' },
  agama: { id: 'opensuse16.0', distro: 'opensuse', version: '16.0', family: 'linux' },
  autounattend: { id: 'win11', distro: 'win', version: '11', family: 'windows' },
};

const requestOf = (format: string, more: Partial<SeedRequest> = {}): SeedRequest => ({
  answers: answersOf(),
  clearPassword: 'correct horse',
  os: systems[format] ?? { id: null, distro: null, version: null, family: 'linux' },
  firmware: 'uefi',
  tpm: false,
  instanceId: 'guesthouse-0001',
  ...more,
});

const textOf = (format: (typeof setupFormat.options)[number], more: Partial<SeedRequest> = {}) =>
  buildSeed(format, requestOf(format, more))
    .files.map(({ path, content }) => `==> ${path}\n${content}`)
    .join('\n');

test.for(setupFormat.options)('the answers for %s are as recorded', async (format) => {
  const { volumeId, start } = buildSeed(format, requestOf(format));
  const head = `volume ${volumeId}\n${start ? `kernel ${start.places.map(({ kernel }) => kernel).join(' or ')}\nwith ${start.commandLine}\n` : ''}`;
  await expect(`${head}\n${textOf(format)}`).toMatchFileSnapshot(`./golden/${format}.txt`);
});

test.for(setupFormat.options)('the answers for %s of somebody with keys alone are as recorded', async (format) => {
  const answers = answersOf({
    user: { name: 'ann', fullName: '', passwordHash: null, sshKeys: [key, `${key}-two`] },
    keyboard: { layout: 'us', variant: '' },
    timeZone: 'Antarctica/Troll',
    packages: [],
  });
  await expect(textOf(format, { answers, clearPassword: null, firmware: 'bios' })).toMatchFileSnapshot(`./golden/${format}-keys-alone.txt`);
});

test('the seed of a copy is as recorded', async () => {
  const { volumeId, files } = buildCloneSeed('guesthouse-0002', 'copy-7');
  const text = files.map(({ path, content }) => `==> ${path}\n${content}`).join('\n');
  await expect(`volume ${volumeId}\n\n${text}`).toMatchFileSnapshot('./golden/clone.txt');
});

test('no answers hold the password in clear, and no kernel’s command line holds anything of a person’s', () => {
  for (const format of setupFormat.options) {
    const seed = buildSeed(format, requestOf(format));
    expect(JSON.stringify(seed)).not.toContain('correct horse');
    for (const word of ['ann', 'Ann', 'web-1', hash, key]) expect(seed.start?.commandLine ?? '').not.toContain(word);
  }
});

/** Schemas refuse most of these; the builders must not rely on it. */
const hostile = [
  "'; touch /pwned; '",
  '"; touch /pwned; "',
  '$(touch /pwned)`touch /pwned`',
  ']]><evil/>&amp;<!--',
  '"], "runcmd": ["touch /pwned"',
  ': - {a: b} # comment',
  '%end',
  '\\" --password=x',
  'a\\',
  '名前 ✓ 𝄞',
];
const broken = ['two\nlines', 'cr\rlf', 'nul\u0000', 'next\u0085line', 'separator\u2028', 'half \ud800', 'escape\u001b[2J'];

const withName = (fullName: string) => answersOf({ user: { ...answersOf().user, fullName } });
const withComment = (comment: string) =>
  answersOf({ user: { ...answersOf().user, sshKeys: [`ssh-ed25519 ${'A'.repeat(60)} ${comment}`] } });

test.for(hostile)('in every format %j stays one value, or is refused', (text) => {
  for (const answers of [withName(text), withComment(text)]) {
    const [fullName, sshKey] = [answers.user.fullName, answers.user.sshKeys[0]];

    const cloud = JSON.parse(contentOf('cloud-init', answers, 'user-data').replace('#cloud-config\n', ''));
    expect(cloud.users).toHaveLength(1);
    expect(cloud.users[0]).toMatchObject({ gecos: fullName, ssh_authorized_keys: [sshKey] });
    expect(Object.keys(cloud)).not.toContain('runcmd');
    const ubuntu = JSON.parse(contentOf('autoinstall', answers, 'user-data').replace('#cloud-config\n', ''));
    expect(ubuntu.autoinstall['user-data'].users[0]).toMatchObject({ gecos: fullName, ssh_authorized_keys: [sshKey] });
    expect(JSON.parse(contentOf('agama', answers, 'autoinst.json')).user).toMatchObject({ fullName, sshPublicKeys: [sshKey] });

    const parser = new XMLParser({ ignoreAttributes: true, processEntities: true });
    const yast = contentOf('autoyast', answers, 'autoinst.xml');
    expect(XMLValidator.validate(yast)).toBe(true);
    const users = parser.parse(yast).profile.users.user;
    expect(users).toHaveLength(2);
    expect([users[1].fullname, users[1].authorized_keys.listentry]).toEqual([fullName, sshKey]);
    const windows = contentOf('autounattend', answers, 'autounattend.xml');
    expect(XMLValidator.validate(windows)).toBe(true);
    expect(parser.parse(windows).unattend.settings[0].component[2].UserData.FullName).toBe(fullName);

    const lines = contentOf('kickstart', answers, 'ks.cfg').split('\n');
    const plain = contentOf('kickstart', answersOf(), 'ks.cfg').split('\n');
    expect(lines).toHaveLength(plain.length);
    const words = shlex(lines.find((line) => line.startsWith('user ')) ?? '');
    expect(words).toContain(`--gecos=${fullName}`);
    expect(words.filter((word) => word.startsWith('--password='))).toEqual([`--password=${hash}`]);
    expect(shlex(lines.find((line) => line.startsWith('sshkey ')) ?? '').at(-1)).toBe(sshKey);

    if (fullName.endsWith('\\')) expect(() => contentOf('preseed', answers, 'preseed.cfg')).toThrow(Failure);
    else {
      const preseed = contentOf('preseed', answers, 'preseed.cfg').split('\n');
      expect(preseed).toHaveLength(contentOf('preseed', answersOf(), 'preseed.cfg').split('\n').length);
      expect(preseed).toContain(`d-i passwd/user-fullname string ${fullName}`);
    }
  }
});

test.for(broken)('what cannot stand on one line (%j) is refused, or escaped where the format has a way', (text) => {
  for (const format of ['preseed', 'kickstart', 'autoyast', 'autounattend'] as const)
    expect(() => buildSeed(format, requestOf(format, { answers: withName(text) }))).toThrow(/line break/);
  for (const format of ['cloud-init', 'autoinstall', 'agama'] as const) {
    const content = buildSeed(format, requestOf(format, { answers: withName(text) })).files.at(-1)?.content ?? '';
    expect(content.split('\n')).toHaveLength(buildSeed(format, requestOf(format)).files.at(-1)?.content.split('\n').length ?? 0);
  }
});

test('the late command of Debian’s installer writes exactly the keys, whatever is in them', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[^\n\r\\]{0,40}$/), (comment) => {
      fc.pre(/^[^\p{C}\u2028\u2029]*$/u.test(comment));
      const preseed = contentOf('preseed', withComment(comment), 'preseed.cfg');
      const script = /in-target sh -c '(.*)'$/m.exec(preseed)?.[1]?.replaceAll("'\\''", "'") ?? '';
      const encoded = /echo (\S+) \| base64 -d > '\/home\/ann\/\.ssh\/authorized_keys'/.exec(script)?.[1] ?? '';
      expect(Buffer.from(encoded, 'base64').toString()).toBe(`ssh-ed25519 ${'A'.repeat(60)} ${comment}\n`);
    }),
  );
});

test('Windows’ password is what Windows’ own tools would write', () => {
  const xml = contentOf('autounattend', answersOf(), 'autounattend.xml');
  const value = /<Password><Value>([^<]*)<\/Value><PlainText>false/.exec(xml)?.[1] ?? '';
  expect(Buffer.from(value, 'base64').toString('utf16le')).toBe('correct horsePassword');
});

test('Windows 11 is told to pass over only those checks that the guest would fail', () => {
  const xml = (firmware: SeedRequest['firmware'], tpm: boolean, os = systems.autounattend) =>
    buildSeed('autounattend', requestOf('autounattend', { firmware, tpm, ...(os ? { os } : {}) })).files[0]?.content ?? '';
  expect(xml('uefi-secure', true)).not.toContain('LabConfig');
  expect(xml('uefi-secure', false)).toContain('BypassTPMCheck');
  expect(xml('uefi-secure', false)).not.toContain('BypassSecureBootCheck');
  expect(xml('uefi', true)).toContain('BypassSecureBootCheck');
  expect(xml('bios', false, { id: 'win10', distro: 'win', version: '10', family: 'windows' })).not.toContain('LabConfig');
});

function contentOf(format: (typeof setupFormat.options)[number], answers: Answers, path: string): string {
  const file = buildSeed(format, requestOf(format, { answers })).files.find((one) => one.path === path);
  if (!file) throw new Error(`There is no ${path}.`);
  return file.content;
}

/** How kickstart splits a line: Python's own shlex. */
function shlex(line: string): string[] {
  const script = 'import json,shlex,sys; print(json.dumps(shlex.split(sys.stdin.read(), comments=True)))';
  return JSON.parse(execFileSync('python3', ['-c', script], { input: line, encoding: 'utf8' }));
}
