import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseVmdkDescriptor } from './vmdk-descriptor.ts';

const descriptor = (...lines: string[]) =>
  ['# Disk DescriptorFile', 'version=1', 'CID=12345678', 'parentCID=ffffffff', ...lines].join('\n');

test('pieces are read in their order, sparse, flat and empty ones', () => {
  const text = descriptor(
    'createType="twoGbMaxExtentSparse"',
    'RW 4192256 SPARSE "a disk-s001.vmdk"',
    'RW 100 FLAT "a-flat.vmdk" 63',
    'RW 7 VMFS "a-flat.vmdk"',
    'RW 63 ZERO',
    'ddb.adapterType = "lsilogic"',
  );
  expect(parseVmdkDescriptor(text)).toEqual({
    createType: 'twoGbMaxExtentSparse',
    extents: [
      { type: 'sparse', sectors: 4192256, file: 'a disk-s001.vmdk' },
      { type: 'flat', sectors: 100, file: 'a-flat.vmdk', offsetSectors: 63 },
      { type: 'flat', sectors: 7, file: 'a-flat.vmdk', offsetSectors: 0 },
      { type: 'zero', sectors: 63 },
    ],
  });
});

test.each(['/etc/passwd', '../secret', 'folder/file', 'C:\\\\Windows\\\\file', '..', '.'])(
  'a piece named %s leads outside the folder and is refused by name',
  (name) => {
    const parsed = parseVmdkDescriptor(descriptor(`RW 100 FLAT "${name}" 0`));
    expect(parsed).toMatchObject({ refused: 'outside-reference' });
  },
);

test('a difference to another disk, an encrypted one and a device are refused', () => {
  const child = descriptor('RW 100 SPARSE "a.vmdk"').replace('parentCID=ffffffff', 'parentCID=deadbeef\nparentFileNameHint="/etc/passwd"');
  expect(parseVmdkDescriptor(child)).toMatchObject({ refused: 'outside-reference', problem: expect.stringContaining('/etc/passwd') });
  expect(parseVmdkDescriptor(descriptor('RW 100 SPARSE "a.vmdk"', 'ddb.encryption.keySafe = "x"'))).toMatchObject({ refused: 'encrypted' });
  expect(parseVmdkDescriptor(descriptor('RW 100 VMFSRDM "a.vmdk"'))).toMatchObject({ refused: 'not-an-image' });
});

test('whatever a descriptor says, only bare names of pieces come out', () => {
  const line = fc
    .tuple(fc.constantFrom('RW', 'RDONLY', 'NOACCESS'), fc.integer(), fc.constantFrom('SPARSE', 'FLAT', 'ZERO', 'VMFS', 'X'), fc.string())
    .map(([access, sectors, type, name]) => `${access} ${sectors} ${type} "${name}"`);
  fc.assert(
    fc.property(fc.array(fc.oneof(line, fc.string()), { maxLength: 8 }), (lines) => {
      const parsed = parseVmdkDescriptor(descriptor(...lines));
      if ('refused' in parsed) return;
      for (const extent of parsed.extents) {
        if (extent.type === 'zero') continue;
        expect(extent.file).toMatch(/^[^/\\\0]+$/);
        expect(['.', '..']).not.toContain(extent.file);
      }
    }),
  );
});
