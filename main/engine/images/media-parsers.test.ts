import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Failure } from '../../../contract/errors.ts';
import { mediumFormat, packing } from '../../../contract/image.ts';
import { memorySource } from './byte-source.ts';
import { openExtVolume, parseOsRelease, readOsRelease } from './ext-reader.ts';
import { readFileSystem } from './file-system.ts';
import { readIso } from './iso9660.ts';
import { readLinuxFacts } from './linux-facts.ts';
import { detectFormat } from './medium-format.ts';
import { readPartitionTable } from './partition-table.ts';

/** Bytes that look like the beginning of something, so that parsers get past their first check. */
const plausibleDisk = fc
  .tuple(
    fc.constantFrom('gpt', 'mbr', 'iso', 'ext', 'fat'),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 80_000 }), fc.integer({ min: 0, max: 255 })), { maxLength: 200 }),
  )
  .map(([kind, changes]) => {
    const disk = Buffer.alloc(80_000);
    for (const [at, value] of changes) disk[at] = value;
    if (kind === 'gpt' || kind === 'mbr') disk.writeUInt16LE(0xaa55, 510);
    if (kind === 'gpt') {
      disk[450] = 0xee;
      disk.write('EFI PART', 512);
    }
    if (kind === 'iso') {
      disk[32_768] = 1;
      disk.write('CD001', 32_769);
      disk.write('CD001', 34_817);
      disk.write('EL TORITO SPECIFICATION', 34_823);
    }
    if (kind === 'ext') disk.writeUInt16LE(0xef53, 1024 + 0x38);
    return disk;
  });

test('no disk makes a reader throw or run without end', async () => {
  await fc.assert(
    fc.asyncProperty(plausibleDisk, async (disk) => {
      const source = memorySource(disk);
      await readPartitionTable(source);
      await readFileSystem(source);
      await readIso(source);
      const volume = await openExtVolume(source);
      if (!volume) return;
      await readOsRelease(volume);
      await readLinuxFacts(volume);
    }),
    { numRuns: 1000 },
  );
});

test('detecting a format answers or fails by name, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2048 }), fc.constantFrom('a.iso', 'a.img', 'a.qcow2', 'a'), (bytes, name) => {
      const head = Buffer.from(bytes);
      try {
        return [...mediumFormat.options, ...packing.options].includes(
          detectFormat({ head, tail: head.subarray(-512), sizeBytes: head.length }, name),
        );
      } catch (error) {
        return error instanceof Failure;
      }
    }),
  );
});

const detect = (bytes: Buffer, name: string) => detectFormat({ head: bytes, tail: bytes.subarray(-512), sizeBytes: bytes.length }, name);
const padded = (text: string, size = 65_536) => Buffer.concat([Buffer.from(text, 'latin1')], size);

test.each([
  ['disk.qed', 'QED\0', 'QED'],
  ['disk.zip', 'PK\x03\x04', 'packed with ZIP'],
])('%s is refused by the name of what it is', (name, magic, words) => {
  expect(() => detect(padded(magic), name)).toThrow(words);
});

test('a text file is no image, whatever its name', () => {
  const page = Buffer.from('<!DOCTYPE html><title>404 Not Found</title>\n'.repeat(2000));
  expect(() => detect(page, 'debian.iso')).toThrow('text file');
  expect(() => detect(page, 'debian.img')).toThrow('text file');
});

test('an empty disk is raw only when its name says so', () => {
  expect(detect(Buffer.alloc(65_536), 'new.raw')).toBe('raw');
  expect(() => detect(Buffer.alloc(65_536), 'new.bin.part')).toThrow('neither');
});

test('os-release is read with and without quotes', () => {
  expect(parseOsRelease('ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')).toEqual({
    id: 'debian',
    versionId: '12',
    prettyName: 'Debian GNU/Linux 12 (bookworm)',
    idLike: '',
  });
  expect(parseOsRelease('nothing of the kind')).toBeNull();
});
