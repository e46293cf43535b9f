import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseChecksum } from './checksums.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);
const long = 'c'.repeat(128);

test.each([
  ['coreutils', `${b}  other.iso\n${a}  disc.iso\n`],
  ['coreutils, binary', `${a} *disc.iso\r\n`],
  ['with a folder', `${a}  ./iso/disc.iso`],
  ['BSD', `SHA512 (disc.iso) = ${long}\nSHA256 (disc.iso) = ${a}\nSHA256 (other.iso) = ${b}\n`],
  [
    'Fedora, clear-signed',
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# disc.iso: 7 bytes\nSHA256 (disc.iso) = ${a}\n-----BEGIN PGP SIGNATURE-----\n`,
  ],
  ['nothing but the digest', `${a.toUpperCase()}\n`],
  ['FreeDOS, several algorithms', `md5sum:\n${'d'.repeat(32)}  disc.iso\n\nsha256sum:\n${a}  disc.iso\n`],
])('a digest is found in the form of %s', (_form, text) => {
  expect(parseChecksum(text, 'disc.iso', 'sha256', 'file')).toBe(a);
});

test('a digest of another file, of another length, or two that contradict each other are none', () => {
  expect(parseChecksum(`${a}  other.iso`, 'disc.iso', 'sha256', 'file')).toBeNull();
  expect(parseChecksum(`${long}  disc.iso`, 'disc.iso', 'sha256', 'file')).toBeNull();
  expect(parseChecksum(`${a}  disc.iso\n${b}  disc.iso`, 'disc.iso', 'sha256', 'file')).toBeNull();
  expect(parseChecksum('<html>not found</html>', 'disc.iso', 'sha256', 'file')).toBeNull();
});

test('the only digest counts under any name when its name is that of a moving link', () => {
  expect(parseChecksum(`${a}  Snapshot20261101.iso`, 'Current.iso', 'sha256', 'single')).toBe(a);
  expect(parseChecksum(`${a}  one.iso\n${b}  two.iso`, 'Current.iso', 'sha256', 'single')).toBeNull();
});

test('whatever is in a file of checksums, the answer is a digest or nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(parseChecksum(text, 'disc.iso', 'sha256', 'single') ?? a).toMatch(/^[0-9a-f]{64}$/);
    }),
  );
});
