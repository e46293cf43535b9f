import { expect, test } from 'vitest';
import { buildMasterBootRecord, diskLayout } from './media.ts';

const record = buildMasterBootRecord(Buffer.alloc(512, 0xee));

test('the boot record keeps the code of GRUB and its own signature', () => {
  expect(record[0]).toBe(0xee);
  expect(record[439]).toBe(0xee);
  expect(record.readUInt16LE(510)).toBe(0xaa55);
});

test('the partitions follow each other up to the end of the disk, the first one active and for UEFI', () => {
  const partitions = [446, 462, 478].map((at) => ({
    active: record[at],
    type: record[at + 4],
    start: record.readUInt32LE(at + 8) * 512,
    size: record.readUInt32LE(at + 12) * 512,
  }));
  expect(partitions.map(({ active, type }) => [active, type])).toEqual([
    [0x80, 0xef],
    [0, 0x83],
    [0, 0x83],
  ]);
  expect(partitions[0]?.start).toBe(1024 * 1024);
  for (const [at, { start, size }] of partitions.entries()) expect(start + size).toBe(partitions[at + 1]?.start ?? diskLayout.size);
});

// The guest writes the new size of its last partition there when the disk was made larger (guest/mount-disks).
test('the size of the partition of /home stands at byte 490', () => {
  expect(record.readUInt32LE(490) * 512).toBe(diskLayout.homeSize);
});
