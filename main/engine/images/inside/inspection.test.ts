import { expect, test } from 'vitest';
import { lookScript, parseInspection, parseLook } from './inspection.ts';

const application = (fields: Record<string, string>) =>
  `<application>${Object.entries(fields)
    .map(([name, text]) => `<${name}>${text}</${name}>`)
    .join('')}</application>`;
const system = (inner: string) => `<?xml version="1.0"?>
<operatingsystems><operatingsystem><root>/dev/sda2</root>${inner}</operatingsystem></operatingsystems>`;
const fedora =
  system(`<name>linux</name><arch>x86_64</arch><distro>fedora</distro><product_name>Fedora Linux 39 (Server Edition)</product_name>
  <major_version>39</major_version><minor_version>0</minor_version><package_format>rpm</package_format><osinfo>fedora39</osinfo>
  <mountpoints><mountpoint dev="/dev/fedora/root">/</mountpoint></mountpoints>
  <applications>
    ${application({ name: 'kernel-core', version: '6.5.6', release: '300.fc39', arch: 'x86_64', description: 'The kernel &amp; its modules' })}
    ${application({ name: 'kernel-core', version: '6.10.1', release: '100.fc39', arch: 'x86_64' })}
    ${application({ name: 'openssl', epoch: '1', version: '3.1.1', release: '4.fc39', arch: 'x86_64', url: 'https://example.org' })}
  </applications>`);

test('a Fedora on LVM is named, with its packages of rpm and its kernels, newest first', () => {
  expect(parseInspection(fedora)).toEqual({
    osinfo: 'fedora39',
    name: 'Fedora Linux 39 (Server Edition)',
    family: 'linux',
    distro: 'fedora',
    version: '39',
    architecture: 'x86_64',
    packages: { manager: 'rpm', count: 3 },
    list: [
      { name: 'kernel-core', version: '6.10.1-100.fc39' },
      { name: 'kernel-core', version: '6.5.6-300.fc39' },
      { name: 'openssl', version: '1:3.1.1-4.fc39' },
    ],
    kernels: ['6.10.1-100.fc39.x86_64', '6.5.6-300.fc39.x86_64'],
  });
});

test('a Windows has its programs by the names that people know, and no package manager', () => {
  const found = parseInspection(
    system(`<name>windows</name><arch>x86_64</arch><distro>windows</distro><product_name>Windows 10 Pro</product_name>
    <major_version>10</major_version><minor_version>0</minor_version><osinfo>win10</osinfo><applications>
    ${application({ name: '{26A24AE4}', display_name: '7-Zip 23.01 (x64)', version: '23.01' })}</applications>`),
  );
  expect(found).toMatchObject({ osinfo: 'win10', name: 'Windows 10 Pro', family: 'windows', distro: 'win', version: '10', packages: null });
  expect(found?.list).toEqual([{ name: '7-Zip 23.01 (x64)', version: '23.01' }]);
  expect(found?.kernels).toEqual([]);
});

test('a Debian is not called by a number alone, and its kernels are in the names of its packages', () => {
  const found = parseInspection(
    system(`<name>linux</name><arch>x86_64</arch><distro>debian</distro><product_name>12.5</product_name>
    <major_version>12</major_version><minor_version>5</minor_version><package_format>deb</package_format><applications>
    ${application({ name: 'linux-image-6.1.0-18-amd64', version: '6.1.76', release: '1' })}
    ${application({ name: 'linux-image-6.1.0-18-amd64-dbg', version: '6.1.76', release: '1' })}
    ${application({ name: 'linux-image-amd64', version: '6.1.76', release: '1' })}</applications>`),
  );
  expect(found).toMatchObject({ osinfo: null, name: 'Debian 12.5', version: '12.5', kernels: ['6.1.0-18-amd64'] });
});

test('a disk without a system has none', () => {
  expect(parseInspection('<?xml version="1.0"?><operatingsystems/>')).toBeNull();
});

test.each([
  ['nothing', ''],
  ['no XML', 'Segmentation fault'],
  ['half of it', fedora.slice(0, 400)],
  ['an entity that names a file', `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>${fedora}`],
  ['another document', '<domain><name>web</name></domain>'],
  ['more than any system has', system(`<applications>${application({ name: 'x' }).repeat(60_000)}</applications>`)],
])('%s is refused', (_what, xml) => {
  expect(() => parseInspection(xml)).toThrow(
    expect.objectContaining({ error: expect.objectContaining({ code: 'machine/not-understood' }) }),
  );
});

test('what is on a hostile disk is taken only where it is what it should be', () => {
  const found = parseInspection(
    system(`<name>plan9</name><arch>pdp11</arch><distro>../../etc</distro><product_name>Evil\u001b[31m &lt;b&gt;Linux</product_name>
    <major_version>-1</major_version><package_format>constructor</package_format><osinfo>$(reboot)</osinfo><applications>
    ${application({ name: '../x', version: '1' })}${application({ name: 'good', version: '1', epoch: '9e9' })}</applications>`),
  );
  expect(found).toMatchObject({ osinfo: null, family: 'other', distro: null, version: null, architecture: null, packages: null });
  expect(found?.name).not.toMatch(/\p{C}/u);
  expect(found?.list).toEqual([{ name: 'good', version: '1' }]);
});

test('kernels and the day of the last change of packages are read from what guestfish printed', () => {
  const at = Date.UTC(2026, 5, 17, 12) / 1000;
  const output = `kernels\n6.1.0-18-amd64\n6.1.0-9-amd64\n../x\nkernels\ndatabase var/lib/dpkg/status\nst_size: 231\nst_mtime_sec: ${at}\ndatabase lib/apk/db/installed\n`;
  expect(parseLook(output)).toEqual({
    kernels: ['6.1.0-18-amd64', '6.1.0-9-amd64'],
    patchLevel: '2026-06-17',
    patchLevelFrom: expect.stringContaining('/var/lib/dpkg/status'),
  });
  const nothing = { kernels: [], patchLevel: null, patchLevelFrom: null };
  for (const odd of [
    '',
    'database /etc/shadow\nst_mtime_sec: 1780000000',
    'st_mtime_sec: 1780000000',
    `database var/lib/dpkg/status\nst_mtime_sec: 0`,
  ])
    expect(parseLook(odd)).toEqual(nothing);
  expect(
    lookScript
      .split('\n')
      .filter((line) => line.startsWith('-'))
      .every((line) => /^-(ls|statns) \/[\w./]+$/.test(line)),
  ).toBe(true);
});
