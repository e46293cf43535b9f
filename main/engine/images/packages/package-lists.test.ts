import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packNumbers, unpackNumbers } from './number-list.ts';
import { listOf, packagesMax, parseApkInstalled, parseDpkgStatus, parsePacmanFolders } from './package-lists.ts';

test('dpkg says what is installed, not what was removed and left its settings', () => {
  const status = [
    'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\nVersion: 1:1.2.13.dfsg-1\nDescription: compression\n Package: not-this\n .\n Status: install ok installed',
    'Package: g++\nStatus: install ok installed\nVersion: 4:12.2.0-3',
    'Package: old\nStatus: deinstall ok config-files\nVersion: 1.0',
    'Package: half\nStatus: install ok half-installed\nVersion: 1.0',
    // The same package of two architectures.
    'Package: zlib1g\nStatus: install ok installed\nArchitecture: i386\nVersion: 1:1.2.13.dfsg-1',
  ].join('\n\n');
  expect(parseDpkgStatus(`${status}\n`)).toEqual([
    { name: 'g++', version: '4:12.2.0-3' },
    { name: 'zlib1g', version: '1:1.2.13.dfsg-1' },
  ]);
});

test('apk and pacman say it in their own ways', () => {
  expect(parseApkInstalled('C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\n\nC:Q1def=\nP:busybox\nV:1.36.1-r5\n')).toEqual([
    { name: 'busybox', version: '1.36.1-r5' },
    { name: 'musl', version: '1.2.4-r2' },
  ]);
  expect(parsePacmanFolders(['ALPM_DB_VERSION', 'gcc-libs-13.2.1-3', 'openssh-9.6p1-1', 'lib32-glibc-2.38-7'])).toEqual([
    { name: 'gcc-libs', version: '13.2.1-3' },
    { name: 'lib32-glibc', version: '2.38-7' },
    { name: 'openssh', version: '9.6p1-1' },
  ]);
});

test.each([
  ['nothing', ''],
  ['no paragraphs', 'x'.repeat(100_000)],
  ['zeros, as of a hole in the file', '\0'.repeat(100_000)],
  [
    'names that are none',
    'Package: \x1b[31m\nStatus: install ok installed\n\nPackage: -rf\nStatus: install ok installed\n\nPackage: a\u0007b\nStatus: install ok installed',
  ],
  ['a name without end', `Package: ${'a'.repeat(5000)}\nStatus: install ok installed`],
])('%s makes no packages', (_what, text) => {
  expect(parseDpkgStatus(text)).toEqual([]);
  expect(parseApkInstalled(text)).toEqual([]);
});

test('a database that names packages without end is cut', () => {
  const many = Array.from({ length: packagesMax + 5 }, (_, index) => ({ name: `p${index}`, version: '1' }));
  expect(listOf(many)).toHaveLength(packagesMax);
});

test('a set of numbers comes out of its few bytes as it went in', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 2 ** 40 })), (numbers) => {
      expect(unpackNumbers(packNumbers(numbers))).toEqual([...new Set(numbers)].sort((one, other) => one - other));
    }),
  );
  expect(packNumbers(Array.from({ length: 2000 }, (_, index) => 5_000 + index))).toHaveLength(2001);
});
