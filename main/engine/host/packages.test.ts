import { expect, test } from 'vitest';
import { installCommand, parseOsRelease } from './packages.ts';

const system = (text: string, isRoot = false) => ({ ...parseOsRelease(text), isRoot });

test('the package tool follows ID and ID_LIKE', () => {
  expect(parseOsRelease('ID=debian\nVERSION_ID="12"\n')).toEqual({ tool: 'apt', id: 'debian', versionId: '12' });
  expect(parseOsRelease('NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n').tool).toBe('apt');
  expect(parseOsRelease('ID="rocky"\nID_LIKE="rhel centos fedora"\n').tool).toBe('dnf');
  expect(parseOsRelease('ID=arch\n').tool).toBe('pacman');
  expect(parseOsRelease('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n').tool).toBe('zypper');
  expect(parseOsRelease('').tool).toBeNull();
});

test('a user gets sudo, root does not, and an unknown system gets no guess', () => {
  const debian = 'ID=debian\nVERSION_ID="13"\n';
  expect(installCommand('swtpm', system(debian))).toBe('sudo apt-get install -y swtpm swtpm-tools');
  expect(installCommand('swtpm', system(debian, true))).toBe('apt-get install -y swtpm swtpm-tools');
  expect(installCommand('swtpm', system('ID=plan9'))).toBeNull();
});

test('Debian 12 and Ubuntu 22.04 keep SPICE in other packages than their successors', () => {
  expect(installCommand('spice', system('ID=debian\nVERSION_ID="12"'))).toContain('qemu-system-common qemu-system-gui');
  expect(installCommand('spice', system('ID=debian\nVERSION_ID="13"'))).toContain('qemu-system-modules-spice');
  expect(installCommand('spice', system('ID=ubuntu\nVERSION_ID="22.04"'))).toContain('qemu-system-common');
  expect(installCommand('spice', system('ID=ubuntu\nVERSION_ID="24.04"'))).toContain('qemu-system-modules-spice');
});
