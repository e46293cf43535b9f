import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOsRecognition, type IsoTraits } from './os-recognition.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp('/tmp/gh-os-');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const traits = (parts: Partial<IsoTraits>): IsoTraits => ({
  volumeId: '',
  systemId: 'LINUX',
  publisherId: '',
  applicationId: '',
  volumeSizeBytes: 1_000_000,
  ...parts,
});

/** A database in libosinfo's own format, with what the tests need. */
async function withDatabase(files: Record<string, string>) {
  for (const [name, inner] of Object.entries(files)) {
    const path = join(folder, 'os', name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, `<?xml version="1.0"?>\n<libosinfo version="0.0.1">${inner}</libosinfo>`);
  }
  await writeFile(join(folder, 'VERSION'), '20260101\n');
  return createOsRecognition({ layout: { cache: join(folder, 'cache') }, environment: { OSINFO_SYSTEM_DIR: folder } });
}

const without = () =>
  createOsRecognition({ layout: { cache: join(folder, 'cache') }, environment: { OSINFO_SYSTEM_DIR: join(folder, 'none') } });

const windows = (id: string, name: string, version: string, date: string) => `
  <os id="http://microsoft.com/${id}"><short-id>${id}</short-id><name>Microsoft ${name}</name>
  <name xml:lang="de">Microsoft ${name} auf Deutsch</name>
  <version>${version}</version><family>winnt</family><distro>win</distro><release-date>${date}</release-date>
  <media arch="x86_64"><iso><volume-id>C?CCOMA_X64FRE_</volume-id><publisher-id>MICROSOFT CORPORATION</publisher-id></iso></media></os>`;

test('a label is matched as libosinfo matches it, and names come in English', async () => {
  const recognition = await withDatabase({ 'ms/win.xml': windows('win10', 'Windows 10', '10.0', '2018-11-13') });
  const found = await recognition.recogniseIso(
    traits({ volumeId: 'CCCOMA_X64FRE_EN-US_DV9', publisherId: 'MICROSOFT CORPORATION' }),
    'a.iso',
  );
  expect(found.os).toEqual({ id: 'win10', name: 'Windows 10', family: 'windows', version: '10.0', distro: 'win' });
  expect(found.by).toContain('CCCOMA_X64FRE_EN-US_DV9');
});

test('every pattern that is given must match', async () => {
  const recognition = await withDatabase({ 'ms/win.xml': windows('win10', 'Windows 10', '10.0', '2018-11-13') });
  const found = await recognition.recogniseIso(traits({ volumeId: 'CCCOMA_X64FRE_EN-US_DV9', publisherId: 'SOMEBODY ELSE' }), 'disc.iso');
  expect(found.by).not.toContain('libosinfo');
});

test('a label that two releases share is decided by the file’s name, else by the newer release', async () => {
  const recognition = await withDatabase({
    'ms/10.xml': windows('win10', 'Windows 10', '10.0', '2018-11-13'),
    'ms/11.xml': windows('win11', 'Windows 11', '11.0', '2021-10-05'),
  });
  const disc = traits({ volumeId: 'CCCOMA_X64FRE_DE-DE_DV9', publisherId: 'MICROSOFT CORPORATION' });
  expect((await recognition.recogniseIso(disc, 'Win10_22H2_German_x64.iso')).os.id).toBe('win10');
  expect((await recognition.recogniseIso(disc, 'disc.iso')).os.id).toBe('win11');
});

test('what a release does not say itself comes from the release it derives from', async () => {
  const recognition = await withDatabase({
    'x/1.xml': `<os id="http://x/1"><short-id>x1</short-id><name>X 1</name><version>1</version><family>linux</family><distro>x</distro>
      <firmware arch="x86_64" type="efi"/><devices><device id="http://pcisig.com/pci/1af4/1001"/></devices>
      <resources arch="all"><minimum><ram>536870912</ram></minimum><recommended><ram>1073741824</ram><storage>21474836480</storage></recommended></resources></os>`,
    'x/2.xml': `<os id="http://x/2"><short-id>x2</short-id><name>X 2</name><version>2</version><family>linux</family><distro>x</distro>
      <derives-from id="http://x/1"/><resources arch="all"><recommended><ram>2147483648</ram></recommended></resources></os>`,
  });
  const known = await recognition.knowledgeOf({ id: 'x2', name: 'X 2', family: 'linux', version: '2', distro: 'x' });
  expect(known?.resources).toMatchObject({ minimumMemoryMiB: 512, memoryMiB: 2048, diskGiB: 20 });
  expect(known?.firmware.uefi).toBe(true);
  expect(known?.devices).toContain('http://pcisig.com/pci/1af4/1001');
});

test('two releases that derive from each other do not hang the engine', async () => {
  const os = (id: string, parent: string) =>
    `<os id="http://x/${id}"><short-id>x${id}</short-id><name>X</name><family>linux</family><distro>x</distro><derives-from id="http://x/${parent}"/></os>`;
  const recognition = await withDatabase({ 'x/1.xml': os('1', '2'), 'x/2.xml': os('2', '1') });
  expect(await recognition.knowledgeOf({ id: 'x1', name: '', family: 'linux', version: null, distro: 'x' })).not.toBeNull();
});

test('a release newer than the database is recognised by rule and takes the needs of the newest release that is known', async () => {
  const recognition = await withDatabase({
    'd/11.xml': `<os id="http://d/11"><short-id>debian11</short-id><name>Debian 11</name><version>11</version><family>linux</family><distro>debian</distro>
      <release-date>2021-08-14</release-date><resources arch="all"><recommended><ram>1073741824</ram></recommended></resources></os>`,
  });
  const { os, by } = await recognition.recogniseIso(traits({ volumeId: 'Debian 13.1.0 amd64 n' }), 'x.iso');
  expect(os).toMatchObject({ id: 'debian13', name: 'Debian 13', version: '13' });
  expect(by).not.toBeNull();
  expect((await recognition.knowledgeOf(os))?.resources.memoryMiB).toBe(1024);
});

test('damaged files of the database are passed over, and a damaged cache is written anew', async () => {
  const files = { 'a/bad.xml': '<os id="half', 'ms/10.xml': windows('win10', 'Windows 10', '10.0', '2018-11-13') };
  await withDatabase(files);
  await mkdir(join(folder, 'cache'), { recursive: true });
  await writeFile(join(folder, 'cache', 'osinfo.json'), '{"format":1,"key":');
  const recognition = await withDatabase(files);
  expect((await recognition.recogniseFileName('Win10_22H2.iso')).os.version).toBe('10.0');
});

test.each([
  ['debian-12.7.0-amd64-netinst.iso', 'debian12', 'linux'],
  ['ubuntu-24.04.1-desktop-amd64.iso', 'ubuntu24.04', 'linux'],
  ['Fedora-Workstation-Live-x86_64-40-1.14.iso', null, 'linux'],
  ['Win11_24H2_EnglishInternational_x64.iso', 'win11', 'windows'],
  ['windows_xp_sp3.iso', 'winxp', 'windows'],
  ['FreeBSD-14.1-RELEASE-amd64-disc1.iso', 'freebsd14.1', 'bsd'],
  ['OpenBSD-7.5.iso', 'openbsd7.5', 'bsd'],
  ['haiku-r1beta5-x86_64-anyboot.iso', 'haiku', 'other'],
  ['reactos-0.4.14.iso', 'reactos', 'windows'],
  ['FD13-LiveCD.iso', 'freedos', 'dos'],
  ['macOS Sonoma.iso', 'macos', 'macos'],
])('without a database, %s is still recognised by its name, and said to be a guess', async (name, id, family) => {
  const { os, by } = await without().recogniseFileName(name);
  if (id) expect(os.id).toBe(id);
  expect(os.family).toBe(family);
  expect(by).toContain('Guessed');
});

test('a file that says nothing is unknown', async () => {
  expect(await without().recogniseIso(traits({ volumeId: 'CDROM' }), 'backup.iso')).toEqual({
    os: { id: null, name: 'Unknown', family: 'other', version: null, distro: null },
    by: null,
  });
});
