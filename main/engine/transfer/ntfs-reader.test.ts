import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memorySource } from '../images/byte-source.ts';
import { createOsRecognition } from '../os/os-recognition.ts';
import { openNtfs } from './ntfs-reader.ts';
import { contentFindings, readContent } from './preflight.ts';

/**
 * Made by ntfs-3g: Windows/System32/drivers with 61 drivers and a hiberfil.sys of a Windows that sleeps. Its table of upper-case letters,
 * which nobody reads here, was blanked to keep the file small.
 */
const volume = zstdDecompressSync(readFileSync(join(import.meta.dirname, '../../../tests/support/media/windows-volume.ntfs.zst')));
/** Of the record of $Volume, where its flags are. */
const dirtyFlagOffset = (bytes: Buffer) => {
  const table = Number(bytes.readBigUInt64LE(48)) * bytes.readUInt16LE(11) * bytes.readUInt8(13);
  for (let at = table + 3 * 1024 + 56; ; at += bytes.readUInt32LE(at + 4)) {
    if (bytes.readUInt32LE(at) === 0x70) return at + bytes.readUInt16LE(at + 20) + 10;
  }
};
const recognition = createOsRecognition({ layout: { cache: '/tmp' }, environment: {} });
const windows = { id: 'win11', name: 'Windows 11', family: 'windows' as const, version: '11', distro: null };

test('folders, files and the mark of an unclosed volume are read', async () => {
  const ntfs = await openNtfs(memorySource(volume));
  expect(await ntfs?.dirty()).toBe(false);
  expect(await ntfs?.list()).toContain('hiberfil.sys');
  // More entries than fit into the record of the folder.
  const drivers = await ntfs?.list('windows', 'system32', 'drivers');
  expect(drivers?.has('viostor.sys')).toBe(true);
  expect(drivers?.has('driver60.sys')).toBe(true);
  expect(await ntfs?.list('windows', 'none')).toBeNull();
  expect((await ntfs?.head('hiberfil.sys', 4))?.toString()).toBe('hibr');
  expect(await ntfs?.head('none', 4)).toBeNull();
});

test('a Windows that sleeps, an unclosed volume and missing drivers are found', async () => {
  const dirty = Buffer.from(volume);
  dirty.writeUInt16LE(1, dirtyFlagOffset(dirty));
  const content = await readContent(memorySource(dirty), 'windows.img', recognition);
  expect(content.windows).toEqual({ dirty: true, asleep: true, virtio: { storage: true, network: false } });
  const ids = contentFindings([content], windows, true).map(({ id, severity }) => [id, severity]);
  expect(ids).toEqual([
    ['windows/hibernated', 'warning'],
    ['windows/dirty', 'warning'],
    ['windows/virtio', 'info'],
    ['machine/tpm', 'info'],
  ]);
});

test('a volume locked with BitLocker is found, and what cannot be seen is said', async () => {
  const locked = Buffer.from(volume);
  locked.write('-FVE-FS-', 3, 'latin1');
  const findings = contentFindings([await readContent(memorySource(locked), 'windows.img', recognition)], windows, false);
  expect(findings.map(({ id }) => id)).toEqual(['disk/bitlocker', 'windows/virtio']);
  expect(findings[1]?.text).toContain('could not be seen');
});

test('a damaged volume reads as far as it goes, and never without end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(200_000), fc.nat(255)), { maxLength: 60 }), async (changes) => {
      const bytes = Buffer.from(volume);
      for (const [at, value] of changes) if (at > 11) bytes[at] = value;
      const ntfs = await openNtfs(memorySource(bytes));
      await ntfs?.dirty();
      await ntfs?.list('windows', 'system32', 'drivers');
      await ntfs?.head('hiberfil.sys', 4);
    }),
    { numRuns: 60 },
  );
});
