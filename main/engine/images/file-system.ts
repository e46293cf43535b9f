/** Recognises the file system at the start of a source by its superblock, with its label. */
import type { ByteSource } from './byte-source.ts';

export type FileSystem = {
  type: 'ext' | 'xfs' | 'btrfs' | 'ntfs' | 'fat' | 'exfat' | 'hfs+' | 'apfs' | 'ufs' | 'swap' | 'luks' | 'bitlocker' | 'lvm';
  label: string | null;
};

/** Null when none is recognised. */
export async function readFileSystem(source: ByteSource): Promise<FileSystem | null> {
  const head = await source.read(0, 4096);
  if (head.length < 2048) return null;
  const magic = (at: number, text: string) => head.toString('latin1', at, at + text.length) === text;
  if (magic(0, 'LUKS\xba\xbe')) return { type: 'luks', label: null };
  if (magic(3, '-FVE-FS-')) return { type: 'bitlocker', label: null };
  if (magic(3, 'NTFS    ')) return { type: 'ntfs', label: null };
  if (magic(3, 'EXFAT   ')) return { type: 'exfat', label: null };
  if (magic(0, 'XFSB')) return { type: 'xfs', label: label(head, 108, 12) };
  if (magic(32, 'NXSB')) return { type: 'apfs', label: null };
  if (magic(1024, 'H+') || magic(1024, 'HX')) return { type: 'hfs+', label: null };
  if (head.readUInt16LE(1024 + 0x38) === 0xef53) return { type: 'ext', label: label(head, 1024 + 0x78, 16) };
  // Of a physical volume, in one of its first four sectors (by default the second).
  if ([0, 512, 1024, 1536].some((at) => magic(at, 'LABELONE') && magic(at + 24, 'LVM2 001'))) return { type: 'lvm', label: null };
  if (magic(82, 'FAT32   ')) return { type: 'fat', label: label(head, 71, 11) };
  if (magic(54, 'FAT12   ') || magic(54, 'FAT16   ')) return { type: 'fat', label: label(head, 43, 11) };
  if (magic(4096 - 10, 'SWAPSPACE2')) return { type: 'swap', label: null };
  const btrfs = await source.read(0x10000, 0x200);
  if (btrfs.toString('latin1', 0x40, 0x48) === '_BHRfS_M') return { type: 'btrfs', label: label(btrfs, 0x12b, 64) };
  const ufs = await source.read(65_536 + 0x55c, 4);
  if (ufs.length === 4 && (ufs.readUInt32LE(0) === 0x19540119 || ufs.readUInt32LE(0) === 0x00011954)) return { type: 'ufs', label: null };
  return null;
}

/** A label up to its NUL, without control characters; null when it is empty or the "no name" of FAT. */
function label(buffer: Buffer, offset: number, length: number): string | null {
  const raw = buffer.toString('utf8', offset, offset + length).split('\0')[0] ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  const text = raw.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '').trim();
  return text === '' || text === 'NO NAME' ? null : text;
}
