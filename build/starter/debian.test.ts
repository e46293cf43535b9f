import { expect, test } from 'vitest';
import { packageFile, parsePackages } from './debian.ts';
import { kernelPackages, starterBuildPackages } from './packages.ts';

const shown = `Package: qemu-guest-agent
Architecture: amd64
Version: 1:7.2+dfsg-7
Depends: libc6 (>= 2.34), libglib2.0-0t64 | libglib2.0-0 (>= 2.63.3), libnuma1:any
Pre-Depends: init-system-helpers (>= 1.54~)
Size: 346272
SHA256: aa11

Package: kbd
Architecture: amd64
Version: 2.5.1-1
Size: 300000
SHA256: bb22

Package: kbd
Architecture: amd64
Version: 2.0.0-1
Size: 1
SHA256: cc33
`;

test('a package is read with the first of each group of alternatives it needs', () => {
  expect(parsePackages(shown)[0]).toEqual({
    name: 'qemu-guest-agent',
    version: '1:7.2+dfsg-7',
    architecture: 'amd64',
    needs: ['init-system-helpers', 'libc6', 'libglib2.0-0t64', 'libnuma1'],
    sizeBytes: 346272,
    sha256: 'aa11',
  });
});

test('of several versions of a package the first, which apt prefers, is taken', () => {
  expect(parsePackages(shown).map(({ name, version }) => `${name} ${version}`)).toEqual(['qemu-guest-agent 1:7.2+dfsg-7', 'kbd 2.5.1-1']);
});

test('no answer is no package', () => {
  expect(parsePackages('')).toEqual([]);
});

test('a file is named as apt names it', () => {
  const [agent] = parsePackages(shown);
  expect(agent && packageFile('/cache', agent)).toBe('/cache/qemu-guest-agent_1%3a7.2+dfsg-7_amd64.deb');
});

test('what the build needs installed is not what it unpacks', () => {
  for (const name of kernelPackages) expect(starterBuildPackages).not.toContain(name);
});
