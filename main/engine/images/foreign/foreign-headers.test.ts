import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memorySource } from '../byte-source.ts';
import { parseVdiHeader } from './vdi.ts';
import { parseVhdFooter } from './vhd.ts';
import { readVhdxLayout } from './vhdx.ts';
import { parseSparseHeader } from './vmdk.ts';

/** Bytes that pass the first check of each format and are anything after it. */
const changed = (length: number, begin: (bytes: Buffer) => void) =>
  fc.array(fc.tuple(fc.nat(length - 1), fc.nat(255)), { maxLength: 120 }).map((changes) => {
    const bytes = Buffer.alloc(length);
    for (const [at, value] of changes) bytes[at] = value;
    begin(bytes);
    return bytes;
  });

const sparse = (bytes: Buffer) => {
  bytes.write('KDMV', 0, 'latin1');
  bytes.writeUInt32LE(1, 4);
};

test('no header makes its reader throw', async () => {
  fc.assert(fc.property(changed(512, sparse), (bytes) => void parseSparseHeader(bytes)));
  fc.assert(
    fc.property(
      changed(512, (bytes) => void bytes.writeUInt32LE(0xbeda107f, 64)),
      (bytes) => void parseVdiHeader(bytes),
    ),
  );
  fc.assert(
    fc.property(
      changed(512, (bytes) => void bytes.write('conectix', 'latin1')),
      (bytes) => void parseVhdFooter(bytes),
    ),
  );
  const vhdx = changed(320 * 1024, (bytes) => {
    bytes.write('vhdxfile', 'latin1');
    for (const at of [64 * 1024, 128 * 1024]) bytes.write('head', at, 'latin1');
    bytes.write('regi', 192 * 1024, 'latin1');
  });
  await fc.assert(
    fc.asyncProperty(vhdx, async (bytes) => void (await readVhdxLayout(memorySource(bytes)))),
    { numRuns: 30 },
  );
});

test('a sparse disk without a size is refused, since QEMU would follow the description in it', () => {
  const bytes = Buffer.alloc(512);
  sparse(bytes);
  bytes.writeBigUInt64LE(128n, 20);
  bytes.writeUInt32LE(512, 44);
  expect(parseSparseHeader(bytes)).toMatchObject({ refused: 'corrupt' });
  bytes.writeBigUInt64LE(2048n, 12);
  expect(parseSparseHeader(bytes)).toMatchObject({ capacitySectors: 2048 });
});

test('sizes that no person means are refused', () => {
  const vhd = Buffer.alloc(512);
  vhd.write('conectix', 'latin1');
  vhd.writeUInt32BE(2, 60);
  vhd.writeBigUInt64BE(2n ** 62n, 48);
  expect(parseVhdFooter(vhd)).toMatchObject({ refused: 'too-large' });
  const vdi = Buffer.alloc(512);
  vdi.writeUInt32LE(0xbeda107f, 64);
  vdi.writeUInt32LE(0x0001_0001, 68);
  vdi.writeUInt32LE(1, 76);
  vdi.writeBigUInt64LE(2n ** 60n, 0x170);
  expect(parseVdiHeader(vdi)).toMatchObject({ refused: 'too-large' });
});

test('differences to another disk are refused in every format', () => {
  const vhd = Buffer.alloc(512);
  vhd.write('conectix', 'latin1');
  vhd.writeUInt32BE(4, 60);
  expect(parseVhdFooter(vhd)).toMatchObject({ refused: 'outside-reference' });
  const vdi = Buffer.alloc(512);
  vdi.writeUInt32LE(0xbeda107f, 64);
  vdi.writeUInt32LE(0x0001_0001, 68);
  vdi.writeUInt32LE(4, 76);
  expect(parseVdiHeader(vdi)).toMatchObject({ refused: 'outside-reference' });
});
