import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { editBase, parseQcow2Header, type Qcow2Header, type Qcow2Refusal, qcow2HeaderBytes } from './qcow2-header.ts';

const fileSizeBytes = 1024 * 1024;

/** A sound version 3 header of a 1 GiB disk, to damage. */
function sound(): Buffer {
  const head = Buffer.alloc(qcow2HeaderBytes);
  head.writeUInt32BE(0x514649fb, 0);
  head.writeUInt32BE(3, 4);
  head.writeUInt32BE(16, 20);
  head.writeBigUInt64BE(1024n ** 3n, 24);
  head.writeUInt32BE(2, 36);
  head.writeBigUInt64BE(0x30000n, 40);
  head.writeBigUInt64BE(0x10000n, 48);
  head.writeUInt32BE(1, 56);
  head.writeUInt32BE(4, 96);
  head.writeUInt32BE(104, 100);
  return head;
}

const damaged = (damage: (head: Buffer) => void) => {
  const head = sound();
  damage(head);
  return parseQcow2Header(head, fileSizeBytes);
};
const refused = (result: Qcow2Header | Qcow2Refusal) => ('problem' in result ? result.kind : null);
const read = (result: Qcow2Header | Qcow2Refusal): Qcow2Header => {
  if ('problem' in result) throw new Error(result.problem);
  return result;
};

test('a sound header is read', () => {
  expect(read(parseQcow2Header(sound(), fileSizeBytes))).toMatchObject({
    version: 3,
    clusterBits: 16,
    virtualSizeBytes: 1024 ** 3,
    backingFile: null,
    dataFile: null,
    externalData: false,
    encryption: 'none',
    corrupt: false,
    l1Entries: 2,
  });
});

test('a backing file is named, with control characters made visible', () => {
  const header = read(
    damaged((head) => {
      head.write('/etc/shadow\n\u202e', 0x200, 'utf8');
      head.writeBigUInt64BE(0x200n, 8);
      head.writeUInt32BE(15, 16);
    }),
  );
  expect(header.backingFile).toBe('/etc/shadow??');
});

test('an external data file is seen by its feature bit and named by its extension', () => {
  const header = read(
    damaged((head) => {
      head.writeBigUInt64BE(4n, 72);
      head.writeUInt32BE(0x44415441, 104);
      head.writeUInt32BE(11, 108);
      head.write('/etc/passwd', 112, 'utf8');
    }),
  );
  expect(header).toMatchObject({ externalData: true, dataFile: '/etc/passwd' });
});

test.each<[string, string, (head: Buffer) => void]>([
  ['another magic', 'not-qcow2', (head) => head.writeUInt32BE(0, 0)],
  ['qcow version 1', 'corrupt', (head) => head.writeUInt32BE(1, 4)],
  ['clusters of 2^40 bytes', 'corrupt', (head) => head.writeUInt32BE(40, 20)],
  ['clusters of 2^2 bytes', 'corrupt', (head) => head.writeUInt32BE(2, 20)],
  ['a disk of 2^63 bytes', 'too-large', (head) => head.writeBigUInt64BE(2n ** 63n, 24)],
  ['a disk of 65 TiB', 'too-large', (head) => head.writeBigUInt64BE(65n * 1024n ** 4n, 24)],
  ['a first table too short for the disk', 'corrupt', (head) => head.writeUInt32BE(1, 36)],
  ['a first table of four billion entries', 'corrupt', (head) => head.writeUInt32BE(0xffffffff, 36)],
  ['a first table off a cluster', 'corrupt', (head) => head.writeBigUInt64BE(0x30001n, 40)],
  ['a first table outside the file', 'truncated', (head) => head.writeBigUInt64BE(0x7fff_0000n, 40)],
  ['a first table at 2^63', 'corrupt', (head) => head.writeBigUInt64BE(2n ** 63n, 40)],
  ['no table of reference counts', 'corrupt', (head) => head.writeBigUInt64BE(0n, 48)],
  ['a table of reference counts of 2^32 clusters', 'corrupt', (head) => head.writeUInt32BE(0xffffffff, 56)],
  ['reference counts of 2^7 bits', 'corrupt', (head) => head.writeUInt32BE(7, 96)],
  ['a header shorter than its version has', 'corrupt', (head) => head.writeUInt32BE(72, 100)],
  ['a header longer than a cluster', 'corrupt', (head) => head.writeUInt32BE(0x7fff_fff8, 100)],
  ['features that nobody knows', 'corrupt', (head) => head.writeBigUInt64BE(1n << 40n, 72)],
  ['a billion snapshots', 'corrupt', (head) => head.writeUInt32BE(1_000_000_000, 60)],
  [
    'a backing name of 4 GiB',
    'corrupt',
    (head) => {
      head.writeBigUInt64BE(0x200n, 8);
      head.writeUInt32BE(0xffffffff, 16);
    },
  ],
  [
    'a backing name outside the header',
    'corrupt',
    (head) => {
      head.writeBigUInt64BE(2n ** 62n, 8);
      head.writeUInt32BE(10, 16);
    },
  ],
  [
    'an extension longer than the header',
    'corrupt',
    (head) => {
      head.writeUInt32BE(0x12345678, 104);
      head.writeUInt32BE(0xfffffff0, 108);
    },
  ],
])('%s is refused as %s', (_what, kind, damage) => {
  expect(refused(damaged(damage))).toBe(kind);
});

test('encryption, damage and dirt are reported', () => {
  expect(read(damaged((head) => head.writeUInt32BE(2, 32))).encryption).toBe('luks');
  expect(read(damaged((head) => head.writeUInt32BE(9, 32))).encryption).toBe('unknown');
  expect(read(damaged((head) => head.writeBigUInt64BE(3n, 72)))).toMatchObject({ corrupt: true, dirty: true });
});

test('no bytes make the parser throw, and what it accepts is bounded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 512 }), fc.integer({ min: 0, max: 255 })), { maxLength: 40 }),
      fc.integer({ min: 0, max: qcow2HeaderBytes }),
      (changes, length) => {
        const head = sound();
        for (const [at, value] of changes) head[at] = value;
        const result = parseQcow2Header(head.subarray(0, length), fileSizeBytes);
        if ('problem' in result) return result.problem.length > 0;
        return (
          result.virtualSizeBytes <= 64 * 1024 ** 4 &&
          result.l1Entries * 8 <= 32 * 1024 ** 2 &&
          result.l1Offset + result.l1Entries * 8 <= fileSizeBytes &&
          (result.backingFile?.length ?? 0) <= 1023 &&
          (result.dataFile?.length ?? 0) <= 1023
        );
      },
    ),
    { numRuns: 5000 },
  );
});

test('random bytes are never taken for a qcow2 file', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => 'problem' in parseQcow2Header(Buffer.from(bytes), bytes.length)));
});

test('a base gets another name and format where the old ones stand, as qemu-img reads them', () => {
  const folder = mkdtempSync('/tmp/gh-header-');
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'top.qcow2');
  for (const compat of ['0.10', '1.1']) {
    const options = ['create', '-q', '-f', 'qcow2', '-o', `compat=${compat}`, '-u', '-b', '../../images/i000000000.raw', '-F', 'raw'];
    execFileSync('qemu-img', [...options, path, '1M']);
    const bytes = readFileSync(path);
    const edited = editBase(bytes.subarray(0, qcow2HeaderBytes), 'layer.12.qcow2', 'qcow2');
    writeFileSync(path, Buffer.concat([edited ?? Buffer.alloc(0), bytes.subarray(qcow2HeaderBytes)]));
    const info = JSON.parse(execFileSync('qemu-img', ['info', '--output=json', '-f', 'qcow2', path]).toString());
    expect(info).toMatchObject({ 'backing-filename': 'layer.12.qcow2', 'backing-filename-format': 'qcow2' });
    const alone = `json:${JSON.stringify({ driver: 'qcow2', backing: null, file: { driver: 'file', filename: path } })}`;
    expect(execFileSync('qemu-img', ['check', alone]).toString()).toContain('No errors');
    expect(editBase(bytes.subarray(0, qcow2HeaderBytes), 'x'.repeat(200), 'qcow2')).toBeNull();
  }
  expect(editBase(sound(), 'layer.1.qcow2', 'qcow2')).toBeNull();
});
