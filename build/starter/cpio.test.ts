import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { buildCpio, type CpioEntry } from './cpio.ts';

const entries: CpioEntry[] = [
  { kind: 'directory', path: 'etc', mode: 0o755 },
  { kind: 'file', path: 'etc/motd', mode: 0o640, content: Buffer.from('five\n') },
  { kind: 'file', path: 'etc/empty', mode: 0o644, content: Buffer.alloc(0) },
  { kind: 'symlink', path: 'motd', target: 'etc/motd' },
];

test('every member begins at a multiple of four bytes with its header', () => {
  const archive = buildCpio(entries);
  for (let at = archive.indexOf('070701'); at >= 0; at = archive.indexOf('070701', at + 1)) expect(at % 4).toBe(0);
  expect(archive.includes('TRAILER!!!')).toBe(true);
});

test('the same entries give the same bytes', () => {
  expect(buildCpio(entries).equals(buildCpio(entries))).toBe(true);
});

test('a device carries its numbers', () => {
  const archive = buildCpio([{ kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 }]).toString('latin1');
  expect(archive.slice(14, 22)).toBe('00002180');
  expect(archive.slice(78, 94)).toBe('0000000500000001');
});

test('cpio itself unpacks what was written', async ({ skip }) => {
  const run = promisify(execFile);
  if ((await run('cpio', ['--version']).catch(() => null)) === null) skip('cpio is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'gh-cpio-'));
  try {
    await writeFile(join(folder, 'archive'), buildCpio(entries));
    await run('cpio', ['-id', '--quiet', '-F', 'archive'], { cwd: folder });
    expect(await readFile(join(folder, 'etc/motd'), 'utf8')).toBe('five\n');
    expect((await stat(join(folder, 'etc/motd'))).mode & 0o777).toBe(0o640);
    expect((await stat(join(folder, 'etc/empty'))).size).toBe(0);
    expect(await readlink(join(folder, 'motd'))).toBe('etc/motd');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
