import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import zlib from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { holdsDrivers } from './start-up-drivers.ts';

/** An archive of files with these names, made by cpio. */
function archive(...files: string[]): Buffer {
  const folder = mkdtempSync('/tmp/gh-initial-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), file.endsWith('modules.order') ? virtio.join('\n') : Buffer.alloc(1001, 7));
  }
  return execFileSync('sh', ['-c', 'find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc --quiet'], { cwd: folder });
}
const modules = 'usr/lib/modules/6.1.0-18-amd64/kernel/drivers';
const virtio = [`${modules}/virtio/virtio_pci.ko`, `${modules}/block/virtio_blk.ko`];
const early = () => Buffer.concat([archive('kernel/x86/microcode/GenuineIntel.bin'), Buffer.alloc(512)]);

test.each([
  ['gzip', (bytes: Buffer) => zlib.gzipSync(bytes)],
  ['Zstandard', (bytes: Buffer) => zlib.zstdCompressSync(bytes)],
  ['nothing', (bytes: Buffer) => bytes],
])('drivers are seen in an initial file system that is packed with %s, also behind updates of the processor', async (_kind, pack) => {
  const others = Array.from({ length: 300 }, (_, index) => `${modules}/net/card-${index}.ko`);
  const with_ = pack(archive(...others, ...virtio));
  const without = pack(
    archive(...others, `${modules}/ata/ahci.ko`, 'usr/lib/modules/6.1.0-18-amd64/modules.order', `${modules}/virtio/virtio_pci.ko`),
  );
  expect(await holdsDrivers(with_)).toBe(true);
  expect(await holdsDrivers(without)).toBe(false);
  expect(await holdsDrivers(Buffer.concat([early(), with_]))).toBe(true);
  expect(await holdsDrivers(Buffer.concat([early(), without]))).toBe(false);
});

test('packed modules count, and a controller for SCSI as well as a disk', async () => {
  expect(await holdsDrivers(zlib.gzipSync(archive(`${modules}/scsi/virtio_scsi.ko.xz`, `${modules}/virtio/virtio_pci.ko.xz`)))).toBe(true);
});

test.each([
  ['something else', Buffer.from('BZh91AY&SY')],
  ['gzip that is cut off', zlib.gzipSync(Buffer.alloc(1_000_000, 'x')).subarray(0, 300)],
  ['gzip of nothing known', Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0]), Buffer.alloc(100, 0xff)])],
  ['a header that is all ones', Buffer.concat([Buffer.from(`070701${'f'.repeat(104)}`), Buffer.alloc(100)])],
])('%s tells nothing', async (_what, bytes) => {
  expect(await holdsDrivers(bytes)).toBeNull();
});

test('nothing at all has no drivers', async () => {
  expect(await holdsDrivers(Buffer.alloc(0))).toBe(false);
  expect(await holdsDrivers(Buffer.alloc(4096))).toBe(false);
});
